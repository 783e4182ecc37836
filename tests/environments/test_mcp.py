"""MCP servers as environments: small servers of the tests' own, over stdio in the sandbox and over HTTP."""

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from environments.mcp_worlds import SERVERS, notebook, pin
from pydantic import ValidationError

from harness.environments import EnvironmentFault, Observation, Opening, Services
from harness.environments.mcp import Mcp, McpOptions, McpSetup
from harness.environments.packages import NotInstalledError
from harness.errors import UserError

pytestmark = pytest.mark.usefixtures("sandbox_level")


def opening(options: dict[str, Any], scratch: Path, files: dict[str, str] | None = None, **more: Any) -> Opening:
    setup = McpSetup(files=files or {})
    return Opening(McpOptions.model_validate(options), setup, ("worker",), 1, scratch, **more)


def in_world(opened: Opening, work: Callable[[Mcp], Awaitable[None]]) -> None:
    async def once() -> None:
        async with asyncio.timeout(120):
            world = await Mcp.open(opened)
            try:
                await work(world)
            finally:
                await world.close()

    asyncio.run(once())


def seen(options: dict[str, Any], scratch: Path, tool: str, **arguments: Any) -> Observation:
    found: list[Observation] = []

    async def work(world: Mcp) -> None:
        found.append(await world.call("worker", tool, arguments))

    in_world(opening(options, scratch), work)
    return found[0]


def processes(mark: str) -> list[str]:
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                line = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if mark in line:
                found.append(line)
    return found


def test_an_answer_is_text_as_the_server_gave_it(tmp_path: Path) -> None:
    assert seen(notebook("add"), tmp_path, "add", text="hello").text == "1 notes"


def test_arguments_that_are_no_text_do_not_break_the_session(tmp_path: Path) -> None:
    assert seen(notebook("remember"), tmp_path, "remember", text="a\ud800b\x00").text == "a?b\ufffd"


def test_the_server_sees_the_working_folder_and_none_of_the_harnesss_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HARNESS", "x")
    text = seen(notebook("where", env={"GIVEN": "y"}), tmp_path, "where").text
    assert text.startswith("/workspace /server/old.py /python ")
    assert "'GIVEN'" in text and "SECRET_OF_THE_HARNESS" not in text


def test_a_server_runs_in_a_sandbox_and_the_record_says_so(tmp_path: Path, sandbox_level: str) -> None:
    async def work(world: Mcp) -> None:
        assert world.facts == {"sandbox": sandbox_level, "server": "notebook 1", "protocol": "2024-11-05"}

    in_world(opening(notebook("read"), tmp_path), work)


def test_without_a_sandbox_the_record_says_so_and_paths_are_the_same(tmp_path: Path) -> None:
    async def work(world: Mcp) -> None:
        assert world.facts["sandbox"] == "none (unsafe)"
        told = (await world.call("worker", "where", {})).text
        assert told.startswith("/workspace /server/old.py ")
        assert str(tmp_path) not in told

    in_world(opening(notebook("where", sandbox=False), tmp_path), work)
    assert processes(str(SERVERS / "old.py")) == []
    assert not any(tmp_path.glob("workspace-*/*"))


def test_an_error_of_the_tool_is_an_observation_that_is_one(tmp_path: Path) -> None:
    observation = seen(notebook("fail"), tmp_path, "fail")
    assert (observation.text, observation.error) == ("There is no ink.", True)


def test_pictures_sounds_and_resources_are_told_with_kind_and_size(tmp_path: Path) -> None:
    observation = seen(notebook("others"), tmp_path, "others")
    assert observation.text.splitlines() == [
        "[image: image/png, 3 bytes]",
        "[audio: audio/wav, 4 bytes]",
        "[resource note://1]",
        "ash",
        "[resource note://2: image/gif, 2 bytes]",
        "[link to a resource: note://3]",
    ]
    assert observation.data == {"structured": {"leaves": 5}, "not_text": 5}


def test_a_long_answer_is_cut_and_says_so(tmp_path: Path) -> None:
    observation = seen(notebook("long"), tmp_path, "long", size=5000)
    assert "[... 3000 characters left out ...]" in observation.text
    assert len(observation.text) < 2100
    assert observation.data["truncated"] == 3000


def test_chatter_on_any_channel_disturbs_nothing(tmp_path: Path) -> None:
    assert seen(notebook("chatter"), tmp_path, "chatter").text == "done"


def test_a_server_that_asks_for_a_model_is_refused_and_goes_on(tmp_path: Path) -> None:
    assert seen(notebook("ask"), tmp_path, "ask").text == '["error", "id", "jsonrpc"]'


def test_a_name_that_providers_refuse_is_mapped(tmp_path: Path) -> None:
    options = notebook("notes.of/the day")
    (tool,) = Mcp.tools(McpOptions.model_validate(options), "worker")
    assert tool.name == "notes_of_the_day"
    assert seen(options, tmp_path, tool.name).text == "(no notes)"


def test_a_call_that_takes_too_long_is_an_error_and_the_session_goes_on(tmp_path: Path) -> None:
    async def work(world: Mcp) -> None:
        slow = await world.call("worker", "sleep", {"seconds": 2})
        assert slow.error
        assert slow.text == "The server did not answer within 1 seconds."
        for _ in range(20):  # it may be asleep still
            after = await world.call("worker", "long", {"size": 3})
            if not after.error:
                break
        assert after.text == "xxx"

    options = notebook("sleep", "long")
    options["limits"]["seconds"] = 1
    in_world(opening(options, tmp_path), work)


def test_a_server_that_dies_is_a_fault_with_its_last_words(tmp_path: Path) -> None:
    async def work(world: Mcp) -> None:
        with pytest.raises(EnvironmentFault, match=r"the MCP server is gone: .*it said last: out of ink$"):
            await world.call("worker", "die", {"words": "out of ink"})
        with pytest.raises(EnvironmentFault, match="the MCP server is gone"):
            await world.call("worker", "read", {})
        state = await world.final_state()
        assert b"notes.txt" in state.data

    in_world(opening(notebook("die", "read"), tmp_path, {"notes.txt": "one\n"}), work)


def test_a_server_that_takes_too_much_memory_is_a_fault_that_says_so(tmp_path: Path) -> None:
    async def work(world: Mcp) -> None:
        with pytest.raises(EnvironmentFault, match="it was stopped: more than 128 MB of memory was used"):
            await world.call("worker", "hoard", {"megabytes": 400})

    in_world(opening(notebook("hoard"), tmp_path), work)


def test_a_command_that_is_no_server_is_one_line_with_what_it_said(tmp_path: Path) -> None:
    options = notebook("read", command=["python", "-c", "import sys; sys.exit('this is no server')"])

    async def once() -> None:
        with pytest.raises(EnvironmentFault, match=r"^the MCP server does not open .*this is no server$"):
            await Mcp.open(opening(options, tmp_path))

    asyncio.run(once())


def test_a_program_or_package_that_is_not_here_says_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_PACKAGES_DIR", str(tmp_path / "none"))
    there = notebook("read", command=["acorn"], packages={"npm": ["@oak/acorn@1.0.0"]})
    nowhere = notebook("read", command=["acorn-server"])

    async def once() -> None:
        with pytest.raises(NotInstalledError, match=r"harness install @oak/acorn@1\.0\.0$"):
            await Mcp.open(opening(there, tmp_path))
        with pytest.raises(UserError, match="the server's program 'acorn-server' is not on this machine"):
            await Mcp.open(opening(nowhere, tmp_path))

    asyncio.run(once())


def test_a_tool_that_the_server_describes_differently_now_is_named(tmp_path: Path) -> None:
    options = notebook("read", "add")
    options["tools"]["add"]["description"] = "Adds a line."

    async def once() -> None:
        with pytest.raises(UserError, match="other description for the tool 'add' than are pinned"):
            await Mcp.open(opening(options, tmp_path))
        options["tools"] = {"read": pin("read"), "erase": pin("erase")}
        with pytest.raises(EnvironmentFault, match="no tool 'erase' any more; it has add, ask"):
            await Mcp.open(opening(options, tmp_path))

    asyncio.run(once())


def test_tools_that_are_not_pinned_are_not_offered(tmp_path: Path) -> None:
    async def work(world: Mcp) -> None:
        with pytest.raises(EnvironmentFault, match="has no tool die"):
            await world.call("worker", "die", {"words": ""})

    in_world(opening(notebook("read"), tmp_path), work)


def test_the_final_state_holds_the_files_and_what_the_server_tells_of_itself(tmp_path: Path) -> None:
    options = notebook("add") | {"state_call": {"tool": "others"}}
    opened = opening(options, tmp_path, {"notes.txt": "one\n"})

    async def work(world: Mcp) -> None:
        await world.call("worker", "add", {"text": "two"})
        reader = await Mcp.read_state(await world.final_state(), opened)
        data = await reader.as_data()
        assert data["files"] == {"notes.txt": "one\ntwo\n"}
        assert data["changes"]["changed"] == ["notes.txt"]  # type: ignore[index, call-overload]
        assert data["server"] == {"leaves": 5}
        assert await reader.read_file("notes.txt") == "one\ntwo\n"
        assert (await reader.run("wc -l < notes.txt", {}, 20)).text.strip() == "2"

    in_world(opened, work)


def test_a_server_that_keeps_its_state_in_memory_takes_no_snapshot(tmp_path: Path) -> None:
    async def work(world: Mcp) -> None:
        assert await world.snapshot() is None
        with pytest.raises(EnvironmentFault, match="takes no snapshots"):
            await world.restore(b"")

    in_world(opening(notebook("remember", in_memory=True), tmp_path), work)


def test_a_script_makes_the_files_once_for_all_trials(tmp_path: Path) -> None:
    script = tmp_path / "make.sh"
    script.write_text("echo made >> notes.txt\n")
    options = notebook("read") | {"prepare": str(script)}

    async def twice() -> None:
        async with Services() as services:
            for name in ("a", "b"):
                scratch = tmp_path / name
                scratch.mkdir()
                opened = opening(options, scratch, {"notes.txt": "one\n"}, services=services)
                world = await Mcp.open(opened)
                try:
                    assert (await world.call("worker", "read", {})).text == "one\nmade\n"
                    data = await (await Mcp.read_state(await world.final_state(), opened)).as_data()
                    assert data["changes"] == {"added": [], "changed": [], "deleted": [], "diff": ""}
                finally:
                    await world.close()
                script.write_text("exit 4\n")  # not run again: it has been made for this run

    asyncio.run(twice())


def test_the_branches_of_repositories_are_part_of_the_state(tmp_path: Path) -> None:
    script = tmp_path / "make.sh"
    script.write_text(
        "mkdir book && cd book && git init -q --template= -b main . && git add . && git commit -q --allow-empty -m one"
        " && git branch draft && git pack-refs --all && git commit -q --allow-empty -m two\n"
    )
    opened = opening(notebook("read") | {"prepare": str(script)}, tmp_path)

    async def work(world: Mcp) -> None:
        data: Any = await (await Mcp.read_state(await world.final_state(), opened)).as_data()
        book = data["repositories"]["book"]
        assert book["head"] == "ref: refs/heads/main"
        assert list(book["refs"]) == ["refs/heads/draft", "refs/heads/main"]
        assert len(set(book["refs"].values())) == 2

    in_world(opened, work)


def test_a_script_that_fails_says_so(tmp_path: Path) -> None:
    script = tmp_path / "make.sh"
    script.write_text("echo no paper; exit 4\n")

    async def once() -> None:
        with pytest.raises(UserError, match=r"^make\.sh failed \(exit code 4\): no paper$"):
            await Mcp.open(opening(notebook("read") | {"prepare": str(script)}, tmp_path))

    asyncio.run(once())


def test_nothing_runs_on_when_the_world_is_closed_or_the_harness_killed(tmp_path: Path) -> None:
    in_world(opening(notebook("read"), tmp_path), lambda world: world.call("worker", "read", {}))  # type: ignore[arg-type]
    assert processes("/server/old.py") == []
    code = (
        "import asyncio, sys; from pathlib import Path\n"
        "from environments.mcp_worlds import notebook\n"
        "from environments.test_mcp import opening\n"
        "from harness.environments.mcp import Mcp\n"
        "async def main():\n"
        "    await Mcp.open(opening(notebook('read', env={'MARK': sys.argv[2]}), Path(sys.argv[1])))\n"
        "    print('open', flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    mark = f"mark-{os.getpid()}-{tmp_path.name}"
    killed = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), mark],
        stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(SERVERS.parent.parent)},
    )  # fmt: skip
    assert killed.stdout is not None and killed.stdout.readline() == b"open\n"
    inside = [place for place in Path("/proc").iterdir() if place.name.isdigit() and has_mark(place, mark)]
    assert inside
    killed.kill()
    killed.wait()
    killed.stdout.close()
    for _ in range(400):
        if not any(has_mark(place, mark) for place in inside):
            break
        time.sleep(0.05)
    assert not any(has_mark(place, mark) for place in inside)


def has_mark(place: Path, mark: str) -> bool:
    try:
        return mark.encode() in (place / "environ").read_bytes()
    except OSError:
        return False


@pytest.fixture
def shelf_over_http(tmp_path: Path) -> Iterator[str]:
    """The address of a server that is written with the SDK."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path / "shelf"
    folder.mkdir()
    server = subprocess.Popen(
        [sys.executable, str(SERVERS / "new.py"), str(port)], stderr=subprocess.PIPE, text=True, cwd=folder
    )
    assert server.stderr is not None
    for line in server.stderr:
        if "Uvicorn running" in line:
            break
    yield f"http://127.0.0.1:{port}/mcp"
    server.terminate()
    server.communicate()


def shelf_pins() -> dict[str, Any]:
    closed = {"type": "object", "additionalProperties": False}
    texts = {"name": {"type": "string"}, "text": {"type": "string"}}
    return {
        "put": {
            "description": "Put a text on the shelf.",
            "parameters": {**closed, "properties": texts, "required": ["name", "text"]},
        },
        "shelf": {
            "description": "Everything on the shelf.",
            "parameters": {**closed, "properties": {}},
            "changes_state": False,
        },
        "upset": {"description": "Raise an error.", "parameters": {**closed, "properties": {}}},
    }


def test_a_server_with_an_address_is_spoken_to_over_http_in_the_newest_protocol(
    shelf_over_http: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELF", shelf_over_http)
    options = {"server": {"url_env": "SHELF"}, "tools": shelf_pins()}
    opened = opening(options, tmp_path)

    async def work(world: Mcp) -> None:
        assert world.facts["protocol"] == "2026-07-28"
        assert str(world.facts["sandbox"]).startswith("none")
        assert (await world.call("worker", "put", {"name": "a", "text": "oak"})).text == "1 on the shelf"
        assert (await world.call("worker", "shelf", {})).data == {"structured": {"a": "oak"}}
        assert (await world.call("worker", "upset", {})).error
        assert await world.snapshot() is None
        reader = await Mcp.read_state(await world.final_state(), opened)
        call = {"role": "worker", "tool": "put", "arguments": {"name": "a", "text": "oak"}}
        assert await reader.as_data() == {"calls": [call]}

    in_world(opened, work)
    told = opening({**options, "state_call": {"tool": "shelf"}}, tmp_path)

    async def ask(world: Mcp) -> None:
        reader = await Mcp.read_state(await world.final_state(), told)
        assert await reader.as_data() == {"server": {"a": "oak"}}

    in_world(told, ask)


def test_an_address_where_nobody_is_or_that_is_not_set_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHELF", raising=False)

    async def once() -> None:
        with pytest.raises(UserError, match="the server's address is not set: export SHELF"):
            await Mcp.open(opening({"server": {"url_env": "SHELF"}, "tools": shelf_pins()}, tmp_path))
        with pytest.raises(EnvironmentFault, match="the MCP server does not open a session"):
            await Mcp.open(opening({"server": {"url": "http://127.0.0.1:9/mcp"}, "tools": shelf_pins()}, tmp_path))

    asyncio.run(once())


def test_a_server_of_the_newest_protocol_runs_in_the_sandbox(tmp_path: Path) -> None:
    options = {"server": {"command": ["python", "/server/new.py"], "folder": str(SERVERS)}, "tools": shelf_pins()}

    async def work(world: Mcp) -> None:
        assert world.facts["protocol"] == "2026-07-28"
        assert (await world.call("worker", "put", {"name": "a", "text": "oak"})).text == "1 on the shelf"

    in_world(opening(options, tmp_path), work)


@pytest.mark.parametrize(
    ("server", "wrong"),
    [
        ({}, "one of: command, url, url_env"),
        ({"command": ["a"], "url": "http://127.0.0.1/"}, "one of: command, url, url_env"),
        ({"url": "ftp://127.0.0.1/"}, "should match pattern"),
        ({"url": "http://127.0.0.1/", "env": {"A": "b"}}, "for a server that is started"),
        ({"command": ["a"], "packages": {"pip": ["acorn"]}}, "is not pinned"),
    ],
)
def test_what_no_server_can_be_made_of_is_refused(server: dict[str, Any], wrong: str) -> None:
    with pytest.raises((ValidationError, UserError), match=re.escape(wrong)):
        assert McpOptions.model_validate({"server": server, "tools": {"a": pin("a")}}).server.wanted
