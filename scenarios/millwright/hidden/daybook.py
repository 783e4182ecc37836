import os
import subprocess
import tempfile
import unittest


class Daybook(unittest.TestCase):
    def hold(self, *pairs):
        for text, said in pairs:
            with tempfile.NamedTemporaryFile("w", newline="", prefix="day book ") as file:
                file.write(text)
                file.flush()
                ran = subprocess.run(
                    ["sh", "tools/daybook.sh", file.name], capture_output=True, text=True, env=dict(os.environ)
                )
            self.assertEqual(ran.stdout, said, (text, ran.stderr))

    def test_sums_most_first(self):
        self.hold(("Ash,90\nRowe,100\nAsh,5\n", "Rowe,100\nAsh,95\n"))

    def test_names_of_several_words(self):
        self.hold(("Ash and son,40\nAsh,50\nAsh and son,1\n", "Ash,50\nAsh and son,41\n"))

    def test_ties_by_name(self):
        self.hold(("Wren,5\nAsh,5\nRowe,5\n", "Ash,5\nRowe,5\nWren,5\n"))

    def test_corrections(self):
        self.hold(("Ash,50\nAsh,-20\nRowe,9\nRowe,-9\nWren,-3\n", "Ash,30\nWren,-3\n"))

    def test_a_last_line_without_an_end_and_lines_from_elsewhere(self):
        self.hold(("Ash,1\nRowe,2", "Rowe,2\nAsh,1\n"), ("Ash,1\r\nRowe,2\r\n", "Rowe,2\nAsh,1\n"))

    def test_lines_that_do_not_count(self):
        self.hold(("# Monday\n\nAsh,1\n   \n#Rowe,5\n", "Ash,1\n"), ("", ""))
