import itertools
import unittest

from mill.ledger import LedgerError, read_line, write_line


class Ledger(unittest.TestCase):
    def hold(self, *pairs):
        for line, fields in pairs:
            self.assertEqual(read_line(line), fields, line)

    def fail_at(self, *pairs):
        for line, column in pairs:
            with self.assertRaises(LedgerError, msg=line) as caught:
                read_line(line)
            self.assertEqual(caught.exception.column, column, line)

    def test_plain(self):
        self.hold(("", [""]), (";", ["", ""]), ("a;", ["a", ""]), ("Ash;40;wheat", ["Ash", "40", "wheat"]))

    def test_blanks_belong_to_the_field(self):
        self.hold((" a ; b", [" a ", " b"]), (' "a";b', [' "a"', "b"]), ('" a "', [" a "]))

    def test_quoted(self):
        self.hold(('"a;b";c', ["a;b", "c"]), ('"";x', ["", "x"]), ('""""', ['"']), ('"a"";""b"', ['a";"b']))

    def test_a_quote_within_a_plain_field_is_a_letter(self):
        self.hold(('5" nails;2', ['5" nails', "2"]), ('a"b;c"d', ['a"b', 'c"d']), ('a""b', ['a""b']))

    def test_escapes(self):
        self.hold((r"a\nb", ["a\nb"]), (r"a\\nb", ["a\\nb"]), (r"\\\n", ["\\\n"]), (r'"x\\;y\n"', ["x\\;y\n"]))

    def test_quotes_that_are_not_closed(self):
        self.fail_at(('"a', 1), ('a;"b;c', 3), ('"a""', 1), ('"', 1))

    def test_letters_after_a_closing_quote(self):
        self.fail_at(('"a"b', 4), ('x;"a" ;b', 6))

    def test_backslashes_that_mean_nothing(self):
        self.fail_at((r"a\tb", 2), ("a\\", 2), ("x;\\;y", 3), (r'"a""\q"', 5), (r"\\\\ \x", 6))

    def test_writing_quotes_only_where_it_must(self):
        for fields, line in (
            (["a", 'b"c'], 'a;b"c'),
            (["a;b"], '"a;b"'),
            (['"a'], '"""a"'),
            (["a\nb\\"], r"a\nb\\"),
            (["", ""], ";"),
            ([" a"], " a"),
        ):
            self.assertEqual(write_line(fields), line)

    def test_there_and_back(self):
        texts = ["".join(letters) for letters in itertools.product('a;"\\\n n', repeat=3)]
        for one, two in zip(texts, reversed(texts), strict=True):
            self.assertEqual(read_line(write_line([one, "", two])), [one, "", two])
