"""A workspace as a trial sees it: tools, limits, final state, checks on a copy."""

import asyncio
import tarfile
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.environments import EnvironmentFault, FinalState, Observation, Opening
from harness.environments.workspace import NoWorkspaceError, Workspace, WorkspaceOptions, WorkspaceSetup, sandbox_level
from harness.spec.base import UserError

SMALL = {"memory_mb": 256, "disk_mb": 8, "processes": 64, "seconds": 20, "output_chars": 600, "file_chars": 600}


def opening(
    tmp_path: Path, *, unsafe: bool = False, shell: bool = True, limits: dict[str, Any] | None = None, **setup: Any
) -> Opening:
    options = WorkspaceOptions.model_validate({"shell": shell, "limits": {**SMALL, **(limits or {})}})
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return Opening(options, WorkspaceSetup.model_validate(setup), ["smith"], 1, scratch, unsafe)


def in_workspace(opened: Opening, act: Callable[[Workspace], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        workspace = await Workspace.open(opened)
        try:
            return await act(workspace)
        finally:
            await workspace.close()
            await workspace.close()

    return asyncio.run(whole())


def calls(opened: Opening, *steps: tuple[str, dict[str, Any]]) -> list[Observation]:
    """Make calls whose arguments hold to the tools' schemas."""
    tools = {tool.name: tool for tool in Workspace.tools(opened.options, "smith")}

    async def act(workspace: Workspace) -> list[Observation]:
        for name, arguments in steps:
            jsonschema.validate(arguments, tools[name].parameters)
        return [await workspace.call("smith", name, arguments) for name, arguments in steps]

    return in_workspace(opened, act)


def final_state(opened: Opening, *commands: str) -> FinalState:
    async def act(workspace: Workspace) -> FinalState:
        for command in commands:
            await workspace.call("smith", "run", {"command": command})
        return await workspace.final_state()

    return in_workspace(opened, act)


needs_sandbox = pytest.mark.usefixtures("sandbox_level")


class TestTools:
    def test_every_schema_is_one_and_every_string_is_bounded(self, tmp_path: Path) -> None:
        for tool in Workspace.tools(WorkspaceOptions(), "smith"):
            jsonschema.Draft202012Validator.check_schema(tool.parameters)
            assert tool.parameters["additionalProperties"] is False
            for field in tool.parameters["properties"].values():
                assert field["description"]
                assert field["type"] == "integer" or field["maxLength"] > 0

    def test_what_changes_the_world_says_so(self) -> None:
        changing = {tool.name for tool in Workspace.tools(WorkspaceOptions(), "smith") if tool.changes_state}
        assert changing == {"run", "write_file", "edit_file"}

    def test_without_a_shell_there_is_no_run(self) -> None:
        options = WorkspaceOptions(shell=False)
        assert "run" not in [tool.name for tool in Workspace.tools(options, "smith")]

    @needs_sandbox
    def test_files_are_listed_read_written_edited_and_searched(self, tmp_path: Path) -> None:
        listing, part, wrote, edited, found, all_of_it, lists = calls(
            opening(tmp_path, files={"notes/a.txt": "one\ntwo\nthree\n"}),
            ("list_files", {}),
            ("read_file", {"path": "/workspace/notes/a.txt", "start": 2, "end": 2}),
            ("write_file", {"path": "new/b.txt", "content": "two\n"}),
            ("edit_file", {"path": "notes/a.txt", "old": "two", "new": "2"}),
            ("search", {"text": "two"}),
            ("run", {"command": "cat notes/a.txt; stat -c '%U' new/b.txt"}),
            ("list_files", {"folder": "new"}),
        )
        assert listing.text == "notes/\nnotes/a.txt (14 bytes)"
        assert part.text == "two\n"
        assert (wrote.error, edited.error) == (False, False)
        assert found.text == "new/b.txt:1: two"
        assert all_of_it.text == "one\n2\nthree\nagent"
        assert lists.text == "new/b.txt (4 bytes)"

    @needs_sandbox
    def test_a_tool_that_says_no_says_why(self, tmp_path: Path) -> None:
        steps: list[tuple[str, dict[str, Any], str]] = [
            ("read_file", {"path": "nope"}, "There is no file 'nope'."),
            ("read_file", {"path": "/etc/passwd"}, "'/etc/passwd' lies outside the workspace."),
            ("read_file", {"path": "a", "start": 5}, "'a' has 2 lines; there is no line 5-2."),
            ("read_file", {"path": "binary"}, "'binary' is a binary file of 3 bytes (data)."),
            (
                "write_file",
                {"path": "link", "content": ""},
                "'link' leads through a symbolic link; links are not followed here.",
            ),
            (
                "edit_file",
                {"path": "a", "old": "z", "new": ""},
                "Nothing was changed: the old text does not occur in a.",
            ),
            ("edit_file", {"path": "a", "old": "x", "new": ""}, "occurs 2 times"),
            ("list_files", {"folder": "nope"}, "There is no file 'nope'."),
            ("search", {"text": "x", "folder": "../"}, "lies outside the workspace"),
            ("run", {"command": "echo \0"}, "The command was not run: a command cannot hold a NUL character."),
        ]
        _, *got = calls(
            opening(tmp_path, files={"a": "x\nx\n"}),
            ("run", {"command": "ln -s /etc/passwd link; printf '\\0\\1\\2' > binary"}),
            *((name, arguments) for name, arguments, _ in steps),
        )
        for observation, (_, _, reason) in zip(got, steps, strict=True):
            assert observation.error
            assert reason in observation.text

    @needs_sandbox
    def test_long_files_are_cut_with_the_way_on(self, tmp_path: Path) -> None:
        text = "".join(f"line {number}\n" for number in range(1, 201))
        first, rest = calls(
            opening(tmp_path, files={"long": text}),
            ("read_file", {"path": "long"}),
            ("read_file", {"path": "long", "start": 77}),
        )
        assert first.text.endswith("line 76\n[... the file has 200 lines; read on with start=77 ...]")
        assert rest.text.startswith("line 77\n")

    @needs_sandbox
    def test_a_full_disk_is_said_and_loses_nothing(self, tmp_path: Path) -> None:
        _, full, kept = calls(
            opening(tmp_path, files={"a": "old"}),
            ("run", {"command": "head -c 20M /dev/zero > big"}),
            ("write_file", {"path": "a", "content": "new" * 10_000}),
            ("read_file", {"path": "a"}),
        )
        assert (full.text, full.error) == ("The disk is full.", True)
        assert kept.text == "old"


@needs_sandbox
class TestRun:
    def test_facts_are_in_the_data_and_remarks_in_the_text(self, tmp_path: Path) -> None:
        fine, silent, failed, late, ended = calls(
            opening(tmp_path, limits={"seconds": 1.5}),
            ("run", {"command": "echo hello"}),
            ("run", {"command": "true"}),
            ("run", {"command": "echo oh; false"}),
            ("run", {"command": "echo begun; sleep 60"}),
            ("run", {"command": "exit"}),
        )
        assert (fine.text, fine.error, fine.data["exit"]) == ("hello", False, 0)
        assert silent.text == "[no output]"
        assert (failed.text, failed.error, failed.data["exit"]) == ("oh\n[exit code 1]", True, 1)
        assert late.text.startswith("begun\n[stopped after 1.5 seconds]\n[the shell ended")
        assert (late.error, late.data["timed_out"], late.data["exit"]) == (True, True, None)
        assert "a new shell comes next" in ended.text

    def test_a_limit_passed_is_named(self, tmp_path: Path) -> None:
        eat = "/usr/bin/python3 -c 'x = bytearray(400 << 20); import time; time.sleep(60)'"
        (stopped,) = calls(opening(tmp_path), ("run", {"command": eat}))
        assert "[stopped: more than 256 MB of memory was used]" in stopped.text
        assert stopped.data["stopped"]


@needs_sandbox
class TestSetup:
    def test_task_files_lie_over_the_scenarios_and_are_dated_alike(self, tmp_path: Path) -> None:
        data = tmp_path / "data"
        (data / "common/deep").mkdir(parents=True)
        (data / "common/deep/tool.sh").write_text("#!/bin/sh\necho tool\n")
        (data / "common/deep/tool.sh").chmod(0o755)
        (data / "common/both").write_text("scenario")
        (data / "common/leak").symlink_to("/etc/passwd")
        (data / "task").mkdir()
        (data / "task/both").write_text("task")
        options = WorkspaceOptions.model_validate({"files": str(data / "common"), "limits": SMALL})
        setup = WorkspaceSetup(folder=str(data / "task"), files={"new": "#!/bin/sh\necho new\n"})
        opened = Opening(options, setup, ["smith"], 1, tmp_path)
        (ran,) = calls(
            opened,
            ("run", {"command": "deep/tool.sh; cat both; ./new; readlink leak; stat -c %Y . deep new both | uniq"}),
        )
        assert ran.text == "tool\ntasknew\n/etc/passwd\n1767225600"

    def test_a_single_file_comes_under_its_name(self, tmp_path: Path) -> None:
        (tmp_path / "ledger.csv").write_text("a,b\n")
        (tmp_path / "other").write_text("x")
        setup = {"folder": str(tmp_path / "ledger.csv")}
        (listing,) = calls(opening(tmp_path, **setup), ("list_files", {}))
        assert listing.text == "ledger.csv (4 bytes)"

    def test_files_that_do_not_fit_are_the_environments_fault(self, tmp_path: Path) -> None:
        with pytest.raises(EnvironmentFault, match="do not fit"):
            calls(opening(tmp_path, limits={"disk_mb": 1}, files={"big": "x" * 2_000_000}))
        with pytest.raises(EnvironmentFault, match="do not fit"):
            calls(opening(tmp_path, files={"../out": "x"}))


@needs_sandbox
class TestFinalState:
    def test_the_same_acts_leave_the_same_bytes(self, tmp_path: Path) -> None:
        acts = ["mkdir d; echo x > d/f; ln -s /etc/shadow link; mkfifo pipe", "sleep 60 &"]
        one, two = (final_state(opening(tmp_path, files={"a": "b"}), *acts) for _ in range(2))
        assert one == two
        assert (one.kind, one.truncated) == ("workspace", False)

    def test_it_holds_links_as_links_and_nothing_special(self, tmp_path: Path) -> None:
        state = final_state(opening(tmp_path), "ln -s /etc/passwd link; mkfifo pipe; echo x > f; ln f g")
        with tarfile.open(fileobj=BytesIO(state.data)) as tar:
            assert {member.name: (member.type, member.linkname) for member in tar} == {
                "f": (tarfile.REGTYPE, ""),
                "g": (tarfile.REGTYPE, ""),
                "link": (tarfile.SYMTYPE, "/etc/passwd"),
            }
        assert b"root:" not in state.data

    def test_what_is_too_large_is_left_out_and_said(self, tmp_path: Path) -> None:
        opened = opening(tmp_path, limits={"state_mb": 1})
        state = final_state(opened, "head -c 3M /dev/zero > big; echo x > small")
        assert state.truncated
        assert len(state.data) < 2 << 20

    def test_a_snapshot_brings_the_files_back(self, tmp_path: Path) -> None:
        async def act(workspace: Workspace) -> list[str]:
            await workspace.call("smith", "run", {"command": "echo one > f; cd /tmp"})
            snapshot = await workspace.snapshot()
            assert snapshot is not None
            await workspace.call("smith", "run", {"command": "echo two > /workspace/f; touch /workspace/g"})
            await workspace.restore(snapshot)
            shown = await workspace.call("smith", "run", {"command": "cat f; ls"})
            return shown.text.splitlines()

        assert in_workspace(opening(tmp_path), act) == ["one", "f"]


@needs_sandbox
class TestReading:
    def read(self, opened: Opening, state: FinalState, act: Callable[[Any], Awaitable[Any]]) -> Any:
        async def whole() -> Any:
            reader = await Workspace.read_state(state, opened)
            try:
                return await act(reader)
            finally:
                await reader.close()

        return asyncio.run(whole())

    def test_as_data_and_file_contents(self, tmp_path: Path) -> None:
        opened = opening(tmp_path, files={"d/text": "h\u00e9llo\n"})
        state = final_state(
            opened, "printf '\\0' > binary; head -c 100000 /dev/zero | tr '\\0' x > large; ln -s text d/l"
        )

        async def act(reader: Any) -> Any:
            return await reader.as_data(), [
                await reader.read_file(path) for path in ("d/text", "./d//text", "d/l", "no")
            ]

        data, texts = self.read(opened, state, act)
        assert data == {
            "files": {"binary": None, "d/text": "h\u00e9llo\n", "large": None},
            "links": {"d/l": "text"},
            "changes": {
                "added": ["binary", "large"],
                "changed": [],
                "deleted": [],
                "diff": "/dev/null and binary: no text, or too long for a diff\n"
                "/dev/null and large: no text, or too long for a diff\n",
            },
        }
        assert texts == ["h\u00e9llo\n", "h\u00e9llo\n", None, None]

    def test_hidden_tests_run_on_a_copy_and_never_through_a_link(self, tmp_path: Path) -> None:
        opened = opening(tmp_path, files={"f": "kept"})
        state = final_state(opened, "ln -s /tmp tests; ln -s f test.sh; mkfifo pipe")

        async def act(reader: Any) -> list[Observation]:
            hidden = {"tests/check.sh": b"#!/bin/sh\necho checked; cat f\n", "test.sh": b"exit 4\n"}
            return [
                await reader.run("tests/check.sh; ls -ld tests test.sh | cut -c1", hidden, 20),
                await reader.run("sh test.sh", hidden, 20),
                await reader.run("cat f", {}, 20),
                await reader.run("sleep 60 & sleep 60", {}, 0.5),
                await reader.run("kill -9 $$", {}, 20),
            ]

        shown, failed, kept, late, killed = self.read(opened, state, act)
        assert (shown.text, shown.data) == ("checked\nkept-\nd\n", {"exit": 0, "timed_out": False})
        assert (failed.error, failed.data["exit"]) == (True, 4)
        assert kept.text == "kept"
        assert late.data == {"exit": 124, "timed_out": True}
        assert killed.data["exit"] == 137

    def test_it_answers_no_queries(self, tmp_path: Path) -> None:
        opened = opening(tmp_path)
        with pytest.raises(NotImplementedError, match="not a database"):
            self.read(opened, final_state(opened), lambda reader: reader.query("select 1"))

    def test_a_hostile_record_is_refused(self, tmp_path: Path) -> None:
        buffer = BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            tar.addfile(tarfile.TarInfo("../../escaped"))
        state = FinalState("workspace", buffer.getvalue())
        with pytest.raises(EnvironmentFault, match="cannot be run"):
            self.read(opening(tmp_path), state, lambda reader: reader.run("true", {}, 5))
        with pytest.raises(ValueError, match="not a workspace archive"):
            self.read(opening(tmp_path), FinalState("workspace", b"garbage"), lambda reader: reader.as_data())


class TestOpening:
    def test_the_level_is_among_the_facts(self, tmp_path: Path, sandbox_level: str) -> None:
        async def act(workspace: Workspace) -> tuple[Any, Any, Any]:
            return workspace.facts, workspace.turn(), workspace.finished()

        facts, turn, finished = in_workspace(opening(tmp_path), act)
        assert facts["sandbox"].startswith("bubblewrap ")
        assert facts["sandbox"].split(",")[0] == sandbox_level.split(",")[0]
        assert (turn, finished) == (None, False)

    @pytest.mark.usefixtures("no_bubblewrap")
    def test_without_a_sandbox_it_is_refused_in_one_line(self, tmp_path: Path) -> None:
        for attempt in (lambda: calls(opening(tmp_path)), lambda: asyncio.run(sandbox_level(tmp_path))):
            with pytest.raises(NoWorkspaceError, match="apt-get install bubblewrap") as refusal:
                attempt()
            assert isinstance(refusal.value, EnvironmentFault | UserError)
            assert "\n" not in str(refusal.value)

    @pytest.mark.usefixtures("no_bubblewrap")
    def test_unsafe_goes_on_without_one(self, tmp_path: Path) -> None:
        opened = opening(tmp_path, unsafe=True, files={"f": "x"})

        async def act(workspace: Workspace) -> tuple[Any, Observation, FinalState]:
            return (
                workspace.facts,
                await workspace.call("smith", "run", {"command": "cat f"}),
                await workspace.final_state(),
            )

        facts, shown, state = in_workspace(opened, act)
        assert facts == {"sandbox": "none (unsafe)", "files": "copy"}
        assert shown.text == "x"
        assert not state.truncated

    @needs_sandbox
    def test_many_open_at_once(self, tmp_path: Path) -> None:
        async def whole() -> set[str]:
            opened = await asyncio.gather(*(Workspace.open(opening(tmp_path)) for _ in range(8)))
            shown = await asyncio.gather(
                *(each.call("smith", "run", {"command": f"echo {at} > f; cat f"}) for at, each in enumerate(opened))
            )
            await asyncio.gather(*(each.close() for each in opened))
            return {observation.text for observation in shown}

        assert asyncio.run(whole()) == {str(at) for at in range(8)}
