"""Running numbers for receipts, drawn by several clerks at once; the rules are in docs/numbers.md."""

import fcntl


def draw(path):
    """The next number, which nobody else gets."""
    number = last(path) + 1
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(str(number))
    return number


def last(path):
    """The last number drawn; 0 when there was none."""
    try:
        with open(path) as file:
            return int(file.read() or 0)
    except FileNotFoundError:
        return 0
