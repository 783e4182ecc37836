import unittest

from mill.sacks import sacks_needed, spread


class Sacks(unittest.TestCase):
    def test_a_full_sack_needs_no_other(self):
        self.assertEqual(sacks_needed(140), 1)
        self.assertEqual(sacks_needed(280), 2)

    def test_a_last_sack_need_not_be_full(self):
        self.assertEqual(sacks_needed(141), 2)

    def test_a_load_is_spread_evenly(self):
        self.assertEqual(spread(10, 3), [4, 3, 3])
