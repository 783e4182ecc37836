import unittest

from mill.toll import kept, toll


class Toll(unittest.TestCase):
    def test_a_sixteenth_in_whole_pounds(self):
        self.assertEqual(toll("160"), 10)
        self.assertEqual(toll("170"), 11)

    def test_a_half_goes_to_the_customer(self):
        self.assertEqual(toll("24"), 1)
        self.assertEqual(toll("40"), 2)

    def test_several_loads(self):
        self.assertEqual(kept(["160", "24"]), 11)
