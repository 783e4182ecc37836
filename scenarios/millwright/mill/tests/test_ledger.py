import unittest

from mill.ledger import LedgerError, read_line, write_line


class Ledger(unittest.TestCase):
    def test_plain_fields(self):
        self.assertEqual(read_line("Ash;40;wheat"), ["Ash", "40", "wheat"])

    def test_a_quoted_field_may_hold_the_divider(self):
        self.assertEqual(read_line('"Ash; and son";40'), ["Ash; and son", "40"])

    def test_a_doubled_quote_is_one(self):
        self.assertEqual(read_line('"the ""old"" mill";1'), ['the "old" mill', "1"])

    def test_a_quote_that_is_never_closed(self):
        with self.assertRaises(LedgerError):
            read_line('"Ash;40')

    def test_what_is_written_can_be_read(self):
        self.assertEqual(read_line(write_line(["a;b", "c"])), ["a;b", "c"])
