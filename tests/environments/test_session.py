"""One shell for a whole trial: what it keeps, what it loses, and that nothing wedges it."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from harness.environments.sandbox import (
    MIB,
    CommandResult,
    Folder,
    Limits,
    NoSandboxError,
    Session,
    entries,
    open_session,
)

LIMITS = Limits(memory_bytes=256 * MIB, disk_bytes=8 * MIB, files=2000, processes=64)


def in_session(
    tmp_path: Path, act: Callable[[Session], Awaitable[Any]], *, characters: int = 600, unsafe: bool = False
) -> Any:
    async def whole() -> Any:
        session = await open_session(LIMITS, characters=characters, scratch=tmp_path, unsafe=unsafe)
        try:
            return await act(session)
        finally:
            await session.close()
            await session.close()

    return asyncio.run(whole())


def commands(tmp_path: Path, *lines: str, seconds: float = 20, **options: Any) -> list[CommandResult]:
    async def act(session: Session) -> list[CommandResult]:
        return [await session.run(line, seconds) for line in lines]

    return in_session(tmp_path, act, **options)


pytestmark = pytest.mark.usefixtures("sandbox_level")


def test_folder_variables_functions_and_status_last_from_command_to_command(tmp_path: Path) -> None:
    *_, last = commands(tmp_path, "mkdir d && cd d", "x=5; f() { echo f$1; }", "false", 'echo $? "$x" "$PWD"; f 1')
    assert last.output.text == "1 5 /workspace/d\nf1\n"
    assert last.exit == 0


def test_output_and_errors_come_in_order_with_the_exit_code(tmp_path: Path) -> None:
    (ran,) = commands(tmp_path, "echo one; nosuchcommand; echo two; (exit 7)")
    assert ran.output.text == "one\nbash: line 1: nosuchcommand: command not found\ntwo\n"
    assert (ran.exit, ran.timed_out, ran.shell_lost) == (7, False, False)


@pytest.mark.parametrize(
    "awkward",
    ["echo 'unbalanced", "if true; then", "break", "continue", "return 3", "cat <<EOF", "set -u; true", ")", "\\", "#"],
)
def test_awkward_commands_do_not_wedge_the_shell(tmp_path: Path, awkward: str) -> None:
    _, after = commands(tmp_path, awkward, "echo still here")
    assert after.output.text == "still here\n"


def test_commands_read_from_nothing(tmp_path: Path) -> None:
    ran, after = commands(tmp_path, "cat; read x; echo read $?", "echo on")
    assert ran.output.text == "read 1\n"
    assert after.output.text == "on\n"


def test_redirections_of_one_command_do_not_reach_the_next(tmp_path: Path) -> None:
    *_, last = commands(tmp_path, "exec > log 2>&1 < /dev/zero; echo logged", "echo shown; cat log")
    assert last.output.text == "shown\nlogged\n"


def test_a_command_that_runs_out_of_time_takes_all_else_along_but_files_and_folder(tmp_path: Path) -> None:
    async def act(session: Session) -> list[CommandResult]:
        first = await session.run("mkdir d; cd d; x=5; echo kept > f; chmod 751 f; ln -s f l; sleep 60 &", 20)
        late = await session.run("echo begun; (trap '' TERM; setsid sleep 60)", 0.5)
        return [first, late, await session.run("pwd; echo [$x]; cat l; stat -c %a f; pgrep sleep", 20)]

    _, late, after = in_session(tmp_path, act)
    assert (late.timed_out, late.exit, late.shell_lost, late.output.text) == (True, None, True, "begun\n")
    assert after.output.text == "/workspace/d\n[]\nkept\n751\n"


@pytest.mark.parametrize(
    ("end", "status"), [("exit 3", 3), ("exec true", 0), ("set -e; false", 1), ("kill -9 $$", 137), ("exit", 0)]
)
def test_a_shell_that_ends_is_replaced(tmp_path: Path, end: str, status: int) -> None:
    ran, after = commands(tmp_path, f"echo x > f; {end}", "cat f")
    assert (ran.exit, ran.shell_lost) == (status, True)
    assert (after.output.text, after.shell_lost) == ("x\n", False)


def test_long_output_shows_its_ends_and_says_how_much_is_missing(tmp_path: Path) -> None:
    (ran,) = commands(tmp_path, "echo first; seq 100000; echo last")
    assert ran.output.text.startswith("first\n1\n2\n")
    assert ran.output.text.endswith("100000\nlast\n")
    assert f"[... {ran.output.bytes_left_out} bytes left out ...]" in ran.output.text
    assert ran.output.bytes_printed == 588895 + 11
    assert len(ran.output.text) < 700


def test_endless_output_is_stopped_by_the_clock(tmp_path: Path) -> None:
    ran, after = commands(tmp_path, "yes", "echo ok", seconds=1.5)
    assert ran.timed_out
    assert ran.output.bytes_printed > 10_000
    assert len(ran.output.text) < 700
    assert after.output.text == "ok\n"


def test_output_that_is_not_text_is_replaced(tmp_path: Path) -> None:
    (ran,) = commands(tmp_path, r"printf 'a\xff\x00b\xc3\xa9\n'")
    assert ran.output.text == "a\ufffd\ufffdb\u00e9\n"


def test_background_processes_go_on_between_commands(tmp_path: Path) -> None:
    *_, last = commands(tmp_path, "(sleep 0.2; echo done > flag) &", "sleep 1; cat flag")
    assert last.output.text == "done\n"


def test_text_no_shell_takes_is_refused(tmp_path: Path) -> None:
    async def act(session: Session) -> str:
        for bad in ("echo \0", "#" * 70_000):
            with pytest.raises(ValueError, match=r"NUL|longer"):
                await session.run(bad, 5)
        return (await session.run("echo \ud800 ok", 5)).output.text

    assert in_session(tmp_path, act) == "? ok\n"


def test_cancelling_a_command_ends_it_and_the_session_can_go_on(tmp_path: Path) -> None:
    async def act(session: Session) -> str:
        running = asyncio.create_task(session.run("echo x > f; sleep 60", 60))
        await asyncio.sleep(0.5)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return (await session.run("cat f; pgrep sleep", 20)).output.text

    assert in_session(tmp_path, act) == "x\n"


def test_cancelling_waits_for_the_thread_that_works_on_the_files(tmp_path: Path) -> None:
    async def act(session: Session) -> bool:
        ended = threading.Event()

        def slow(folder: Folder) -> None:
            time.sleep(0.5)
            folder.write("late", b"x")
            ended.set()

        working = asyncio.create_task(session.files(slow))
        await asyncio.sleep(0.1)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        return ended.is_set()

    assert in_session(tmp_path, act)


def test_background_processes_that_pass_a_limit_are_reported_with_the_next_command(tmp_path: Path) -> None:
    async def act(session: Session) -> CommandResult:
        eat = "x = bytearray(300 << 20); import time; time.sleep(60)"
        await session.run(f'sleep 0.5; /usr/bin/python3 -c "{eat}" & true', 20)
        for _ in range(100):
            await asyncio.sleep(0.1)
            if not session.alive:
                break
        return await session.run("echo next", 20)

    ran = in_session(tmp_path, act)
    assert ran.output.text.endswith("next\n")
    assert "memory" in (ran.before or "")


def test_the_last_command_says_its_exit_status_itself(tmp_path: Path) -> None:
    async def act(session: Session) -> tuple[CommandResult, CommandResult]:
        return await session.run_last("echo 'quoted'; sleep 60 & exit 9", 20), await session.run("echo again", 20)

    last, after = in_session(tmp_path, act)
    assert (last.exit, last.output.text) == (9, "quoted\n")
    assert after.output.text == "again\n"


def test_files_put_back_replace_what_was_there(tmp_path: Path) -> None:
    async def act(session: Session) -> str:
        await session.run("mkdir d; echo one > d/f", 20)
        packed = await session.pack(MIB)
        await session.run("echo two > d/f; touch new; sleep 60 &", 20)
        await session.replace(packed.data)
        return (await session.run("ls; cat d/f; pgrep sleep", 20)).output.text

    assert in_session(tmp_path, act) == "d\none\n"


def test_what_is_left_can_be_read_after_everything_has_ended(tmp_path: Path) -> None:
    async def act(session: Session) -> list[str]:
        await session.run("echo x > f; chmod 0 f; mkdir closed; echo y > closed/g; chmod 0 closed; sleep 60 &", 20)
        await session.stop()
        packed = await session.pack(MIB)
        return [f"{header.name} {header.mode:o} {content.decode()}" for header, content in entries(packed.data)]

    assert in_session(tmp_path, act) == ["closed 0 ", "closed/g 644 y\n", "f 0 x\n"]


@pytest.mark.usefixtures("no_bubblewrap")
class TestWithoutBubblewrap:
    def test_opening_says_how_to_get_it(self, tmp_path: Path) -> None:
        with pytest.raises(NoSandboxError, match=r"apt-get install bubblewrap.*scaffold-harness\[sandbox\]") as refusal:
            commands(tmp_path, "true")
        assert "\n" not in str(refusal.value)

    def test_unsafe_goes_on_and_says_so(self, tmp_path: Path) -> None:
        async def act(session: Session) -> tuple[str, list[CommandResult]]:
            first = await session.run("cd /; cd -; x=5; echo kept > f; sleep 61.25 &", 20)
            late = await session.run("setsid sleep 61.25", 0.5)
            return session.level, [first, late, await session.run("cat f; pgrep -f 'sleep 61.25'", 20)]

        level, (_, late, after) = in_session(tmp_path, act, unsafe=True)
        assert level == "none (unsafe)"
        assert late.timed_out
        assert after.output.text == "kept\n"
