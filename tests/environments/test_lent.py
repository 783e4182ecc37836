"""What of this machine a sandbox is lent: folders to read at their own paths, and pipes of its first shell."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from harness.environments.sandbox import LENT, Lent, Limits, Session, open_session
from harness.environments.sandbox.shell import Pipes, script

pytestmark = pytest.mark.usefixtures("sandbox_level")
SMALL = Limits(memory_bytes=256 << 20, disk_bytes=4 << 20, processes=64)


def in_session(scratch: Path, lent: Lent, work: Callable[[Session], Awaitable[None]], limits: Limits = SMALL) -> None:
    async def once() -> None:
        session = await open_session(limits, characters=2000, scratch=scratch, lent=lent)
        try:
            await work(session)
        finally:
            await session.close()

    asyncio.run(once())


def test_the_interpreter_that_runs_the_tests_runs_in_a_sandbox_that_is_lent_it(tmp_path: Path) -> None:
    folders = {place: Path(place) for place in {sys.prefix, sys.base_prefix}}

    async def work(session: Session) -> None:
        ran = await session.run(f"{sys.executable} -c 'import sys; print(sys.prefix)'", 20)
        assert ran.output.text.strip() == sys.prefix

    in_session(tmp_path, Lent(folders), work)


def test_a_folder_that_only_its_owner_can_reach_is_shown_and_cannot_be_written(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "open").mkdir()
    (closed / "open" / "note.txt").write_text("oak")
    (closed / "secret.txt").write_text("ash")

    async def work(session: Session) -> None:
        ran = await session.run("cat /shown/note.txt; touch /shown/x; ls /; cat /closed/secret.txt", 20)
        assert ran.output.text.startswith("oak")
        assert "Read-only file system" in ran.output.text
        assert "ash" not in ran.output.text

    in_session(tmp_path, Lent({"/shown": closed / "open"}), work)
    assert os.listdir(closed / "open") == ["note.txt"]


def test_a_pipe_is_open_in_the_first_shell_until_it_closes_it(tmp_path: Path) -> None:
    reading, writing = os.pipe2(os.O_CLOEXEC)

    async def work(session: Session) -> None:
        os.close(writing)
        assert (await session.run(f"echo hello >&{LENT}; exec {LENT}>&-", 20)).exit == 0
        with os.fdopen(reading) as pipe:
            assert pipe.read() == "hello\n"  # to its end: nobody inside holds the other side

    in_session(tmp_path, Lent({}, (writing,)), work)


def test_a_shell_is_the_same_whatever_else_this_process_has_open(tmp_path: Path) -> None:
    with contextlib.ExitStack() as held:
        for _ in range(400):  # more than the shell's own limit of open files
            held.callback(os.close, os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC))
        reading, writing = os.pipe2(os.O_CLOEXEC)

        async def work(session: Session) -> None:
            os.close(writing)
            ran = await session.run("echo /proc/self/fd/*; ls missing", 20)
            assert ran.exit == 2
            assert ran.output.text.splitlines()[1:] == ["ls: cannot access 'missing': No such file or directory"]
            assert "/proc/self/fd/2 " in ran.output.text
            assert "__place" not in (await session.run(f"echo hello >&{LENT}; exec {LENT}>&-; set", 20)).output.text
            with os.fdopen(reading) as pipe:
                assert pipe.read() == "hello\n"

        in_session(tmp_path, Lent({}, (writing,)), work)


def test_descriptors_beyond_the_limit_of_open_files_are_refused() -> None:
    with pytest.raises(ValueError, match="needs 243 open files"):
        script(Limits(open_files=242), Pipes(0, 1, 2), (7,))


def test_address_space_is_bounded_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    async def bounded(session: Session) -> None:
        assert (await session.run("ulimit -v", 20)).output.text.strip() == str(2 * (256 << 10))

    async def free(session: Session) -> None:
        assert (await session.run("ulimit -v", 20)).output.text.strip() == "unlimited"

    in_session(tmp_path, Lent(), bounded)
    in_session(tmp_path, Lent(), free, Limits(256 << 20, 4 << 20, processes=64, address_space=False))


@pytest.mark.parametrize("inside", ["/workspace/x", "/etc", "/proc/1", "relative", "/a/../etc"])
def test_what_the_sandbox_has_of_its_own_is_not_covered(inside: str) -> None:
    with pytest.raises(ValueError, match="cannot be lent"):
        Lent({inside: Path("/usr")})
