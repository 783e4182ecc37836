import fcntl
import os
import signal
import tempfile
import time
import unittest

from mill.numbers import draw, last


class Numbers(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.place.name, "receipts")
        signal.alarm(15)  # a lock that is never let go ends the test

    def tearDown(self):
        signal.alarm(0)
        self.place.cleanup()

    def write(self, text):
        with open(self.path, "w") as file:
            file.write(text)

    def clerk(self, work):
        child = os.fork()
        if child == 0:
            signal.alarm(15)
            status = 1
            try:
                work()
                status = 0
            finally:
                os._exit(status)
        return child

    def test_from_one_without_gaps(self):
        self.assertEqual([draw(self.path) for _ in range(4)], [1, 2, 3, 4])
        self.assertEqual(last(self.path), 4)

    def test_missing_and_empty(self):
        self.assertEqual(last(self.path), 0)
        self.write("")
        self.assertEqual(draw(self.path), 1)
        self.write("41\n")
        self.assertEqual(draw(self.path), 42)

    def test_a_path_without_a_folder(self):
        before = os.getcwd()
        os.chdir(self.place.name)
        try:
            self.assertEqual(draw("receipts"), 1)
        finally:
            os.chdir(before)

    def test_nobody_draws_while_another_program_holds_the_lock(self):
        self.write("7")
        with open(self.path + ".lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            child = self.clerk(lambda: self.assertEqual(draw(self.path), 21))
            time.sleep(0.5)
            self.assertEqual(os.waitpid(child, os.WNOHANG)[0], 0, "drew without the lock")
            self.write("20")
            fcntl.flock(lock, fcntl.LOCK_UN)  # for the child too, which inherited it
        self.assertEqual(os.waitpid(child, 0)[1], 0, "did not read the number under the lock")

    def test_many_clerks(self):
        def work(mine):
            with open(f"{self.place.name}/{mine}", "w") as file:
                file.write(" ".join(str(draw(self.path)) for _ in range(60)))

        children = [self.clerk(lambda mine=mine: work(mine)) for mine in range(5)]
        for child in children:
            self.assertEqual(os.waitpid(child, 0)[1], 0)
        drawn = []
        for mine in range(5):
            with open(f"{self.place.name}/{mine}") as file:
                drawn += map(int, file.read().split())
        self.assertEqual(sorted(drawn), list(range(1, 301)))

    def test_the_file_is_replaced_as_a_whole(self):
        draw(self.path)
        with open(self.path) as before:
            draw(self.path)
            self.assertEqual(before.read().strip(), "1")
        with open(self.path) as after:
            self.assertEqual(after.read().strip(), "2")

    def test_nothing_stays_beside_it(self):
        draw(self.path)
        draw(self.path)
        self.assertLessEqual(set(os.listdir(self.place.name)), {"receipts", "receipts.lock"})

    def test_what_is_no_number_is_left_and_the_lock_let_go(self):
        self.write("forty")
        with self.assertRaises(ValueError):
            draw(self.path)
        with open(self.path) as file:
            self.assertEqual(file.read(), "forty")
        self.write("40")
        self.assertEqual(draw(self.path), 41)
