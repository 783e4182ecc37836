"""Running numbers for receipts, drawn by several clerks at once; the rules are in docs/numbers.md."""

import contextlib
import fcntl
import os
import tempfile


def draw(path):
    """The next number, which nobody else gets."""
    with _locked(f"{path}.lock"):
        number = last(path) + 1
        _replace(path, str(number))
    return number


def last(path):
    """The last number drawn; 0 when there was none."""
    try:
        with open(path) as file:
            text = file.read().strip()
    except FileNotFoundError:
        return 0
    return int(text) if text else 0


@contextlib.contextmanager
def _locked(path):
    with open(path, "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _replace(path, text):
    descriptor, fresh = tempfile.mkstemp(dir=os.path.dirname(path) or ".")
    try:
        with open(descriptor, "w") as file:
            file.write(text)
        os.replace(fresh, path)
    except BaseException:
        os.unlink(fresh)
        raise
