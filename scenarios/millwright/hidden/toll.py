import unittest

from mill.toll import kept, toll


class Toll(unittest.TestCase):
    def hold(self, *pairs):
        for weight, pounds in pairs:
            self.assertEqual(toll(weight), pounds, weight)

    def test_whole_pounds(self):
        self.hold(("160", 10), ("170", 11), ("167.99", 10), ("168.01", 11))

    def test_halves_go_to_the_customer(self):
        self.hold(("24", 1), ("40", 2), ("56", 3), ("8", 0), ("8.01", 1))

    def test_corrections_mirror(self):
        self.hold(("-24", -1), ("-40", -2), ("-25", -2), ("-160", -10), ("-8.01", -1), ("-8", 0))

    def test_nothing_from_little(self):
        self.hold(("7.99", 0), ("0", 0), ("-7.99", 0), ("-0", 0))

    def test_exact_to_the_last_digit(self):
        self.hold(("24.00000000000000000001", 2), ("2305843009213693960", 144115188075855872))
        self.assertEqual(kept(["1000000000000000000008", "-1000000000000000000008"]), 0)

    def test_each_load_by_itself(self):
        self.assertEqual(kept(["24", "24", "-24"]), 1)
        self.assertEqual(kept([]), 0)
