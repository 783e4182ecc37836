import os
import tempfile
import unittest

from mill.numbers import draw, last


class Numbers(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "receipts")

    def tearDown(self):
        self.folder.cleanup()

    def test_numbers_run_from_one(self):
        self.assertEqual([draw(self.path) for _ in range(3)], [1, 2, 3])
        self.assertEqual(last(self.path), 3)

    def test_numbers_are_drawn_under_the_lock(self):
        draw(self.path)
        self.assertTrue(os.path.exists(self.path + ".lock"))

    def test_clerks_at_once_get_each_their_own(self):
        clerks = []
        for clerk in range(4):
            child = os.fork()
            if child == 0:
                with open(f"{self.path}.{clerk}", "w") as mine:
                    mine.write(" ".join(str(draw(self.path)) for _ in range(50)))
                os._exit(0)
            clerks.append(child)
        for child in clerks:
            os.waitpid(child, 0)
        drawn = []
        for clerk in range(4):
            with open(f"{self.path}.{clerk}") as theirs:
                drawn += map(int, theirs.read().split())
        self.assertEqual(sorted(drawn), list(range(1, 201)))
