import unittest

from mill.measures import label, loads, price, to_pounds


class Measures(unittest.TestCase):
    def test_pounds(self):
        self.assertEqual(to_pounds(2, "bushel"), 120)

    def test_price_for_every_started_bushel(self):
        self.assertEqual(price(61), 6)

    def test_label(self):
        self.assertEqual(label(500, customer="Ash"), "Ash: 1 qr 20 lb")

    def test_loads(self):
        self.assertEqual(loads(2500), [1200, 1200, 100])
