"""A harness killed in the milliseconds in which a sandbox starts leaves a process that the next one ends."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness.environments.sandbox.bubblewrap import find_bubblewrap
from harness.environments.sandbox.orphans import end_orphans


def children(of: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{of}/task/{of}/children").read_text().split()]


def is_gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X")
    except FileNotFoundError:
        return True


def wait_for(condition: object, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > until:
            pytest.fail("waited in vain")
        time.sleep(0.02)


def test_a_half_started_sandbox_of_a_killed_harness_is_ended(sandbox_level: str) -> None:
    never, held = os.pipe()
    bwrap = find_bubblewrap().path
    options = ["--unshare-all", "--unshare-user", "--die-with-parent", "--ro-bind", "/", "/"]
    options += ["--info-fd", "2", "--userns-block-fd", str(never)]
    outer = subprocess.Popen([bwrap, *options, "--", "/bin/bash", "-c", "__mark=1; sleep 60"], pass_fds=[never])
    try:
        wait_for(lambda: children(outer.pid))
        (inner,) = children(outer.pid)
        assert inner not in end_orphans.__wrapped__()
        assert not is_gone(inner)

        outer.send_signal(signal.SIGKILL)
        outer.wait()
        time.sleep(0.1)
        assert not is_gone(inner), "bwrap ends it by itself: then the sweep is no longer needed"
        assert inner in end_orphans.__wrapped__()
        wait_for(lambda: is_gone(inner))
    finally:
        os.close(never)
        os.close(held)
