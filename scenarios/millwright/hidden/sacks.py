import unittest

from mill.sacks import sacks_needed, spread


class Sacks(unittest.TestCase):
    def test_edges(self):
        for pounds, sacks in ((0, 0), (1, 1), (139, 1), (140, 1), (141, 2), (280, 2), (281, 3)):
            self.assertEqual(sacks_needed(pounds), sacks, pounds)

    def test_other_sacks(self):
        self.assertEqual(sacks_needed(200, sack=100), 2)
        self.assertEqual(sacks_needed(201, 100), 3)

    def test_very_large_loads(self):
        self.assertEqual(sacks_needed(140 * 10**17), 10**17)
        self.assertEqual(sacks_needed(140 * 10**17 + 1), 10**17 + 1)

    def test_what_cannot_be(self):
        for pounds, sack in ((-1, 140), (10, 0)):
            with self.assertRaises(ValueError):
                sacks_needed(pounds, sack)

    def test_spreading_is_as_it_was(self):
        self.assertEqual(spread(11, 4), [3, 3, 3, 2])
