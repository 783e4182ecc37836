"""A worker's script for the tests: it counts, raises, sleeps, prints and dies as asked."""

import os
import socket
import sys
import time
from pathlib import Path

SERVED = ("count", "fail", "wait", "die", "look", "long", "junk", "babble")
_counts = {}

print("this goes to standard error")


def count(trial):
    _counts[trial] = _counts.get(trial, 0) + 1
    print("so does this")
    return _counts[trial]


def fail():
    raise ValueError("no such thing")


def wait(duration):
    time.sleep(duration)
    return "waited"


def die(words):
    print(words, file=sys.stderr)
    sys.stderr.flush()
    os._exit(3)


def long(characters):
    return "x" * characters


def look():
    """What can be reached from here."""
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=1)
        network = "reached"
    except OSError as error:
        network = error.strerror
    try:
        Path("/usr/made-by-a-worker").write_text("")
        disk = "written"
    except OSError as error:
        disk = error.strerror
    return {"variables": sorted(os.environ), "network": network, "disk": disk, "home": os.listdir(Path.home())}


def junk(line):
    """Gets past the pipe that the answers are kept in, as a package that is up to no good could."""
    for number in range(3, 64):
        try:
            os.write(number, line.encode() + b"\n")
        except OSError:
            continue
    time.sleep(60)


def babble(characters):
    os.write(2, b"x" * characters)
    return "said"
