import subprocess
import tempfile
import unittest


def daybook(text):
    with tempfile.NamedTemporaryFile("w", newline="") as file:
        file.write(text)
        file.flush()
        return subprocess.run(["sh", "tools/daybook.sh", file.name], capture_output=True, text=True).stdout


class Daybook(unittest.TestCase):
    def test_sums_by_customer(self):
        self.assertEqual(daybook("Ash,40\nRowe,100\nAsh,20\n"), "Rowe,100\nAsh,60\n")

    def test_the_most_first(self):
        self.assertEqual(daybook("Ash,90\nRowe,100\n"), "Rowe,100\nAsh,90\n")
