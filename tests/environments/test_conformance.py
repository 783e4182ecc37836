"""What every kind of environment keeps to, the built-in ones and those of one's own."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from environments.number_game import NumberGame
from jsonschema import Draft202012Validator

from harness.environments import (
    BUILT_IN,
    SUBMIT,
    Environment,
    EnvironmentFault,
    FinalState,
    Observation,
    Opening,
    load_kind,
)


@dataclass
class Case:
    """A tiny world of one kind, and a few things to do in it."""

    kind: str
    options: Callable[[Path], dict[str, Any]]
    setup: dict[str, Any]
    actions: list[tuple[Any, ...]]
    """Tool and arguments, with the role before them where there are several; reading and changing, some failing."""
    role: str = "worker"
    """Who acts first."""
    fixture: tuple[str, ...] = field(default=())
    others: tuple[str, ...] = ()
    """The other roles."""

    @property
    def deeds(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Role, tool and arguments."""
        return [(self.role, *action)[-3:] for action in self.actions]


def sql_options(folder: Path) -> dict[str, Any]:
    script = folder / "tiny.sql"
    script.write_text("CREATE TABLE t (id INTEGER PRIMARY KEY, n); INSERT INTO t (n) VALUES (1), (2);")
    return {"database": str(script)}


def office_options(folder: Path) -> dict[str, Any]:
    return {
        "user": "kit@mill.example",
        "people": [{"name": "Ann Reed", "email": "ann@mill.example"}],
        "mail": [{"from": "Ann Reed", "subject": "Hello", "body": "Oak room at ten."}],
        "files": {"notes/rooms.txt": "oak: 12\n"},
    }


def workspace_options(folder: Path) -> dict[str, Any]:
    return {"limits": {"memory_mb": 128, "disk_mb": 4, "processes": 32, "state_mb": 1}}


CASES = [
    Case(
        "workspace",
        workspace_options,
        {"files": {"a.txt": "one\n"}},
        [
            ("read_file", {"path": "a.txt"}),
            ("run", {"command": "echo two >> a.txt; cat a.txt; cat nothing"}),
            ("write_file", {"path": "b.txt", "content": "three"}),
            ("read_file", {"path": "nothing"}),
        ],
        fixture=("sandbox_level",),
    ),
    Case(
        "sql",
        sql_options,
        {"sql": "INSERT INTO t (n) VALUES (3)"},
        [
            ("schema", {}),
            ("query", {"sql": "SELECT *, random(), datetime('now') FROM t"}),
            ("execute", {"sql": "INSERT INTO t (n) VALUES (random()) RETURNING *"}),
            ("query", {"sql": "SELECT nothing"}),
            ("query", {"sql": "SELECT random(), n FROM t ORDER BY random()"}),
        ],
    ),
    Case(
        "office",
        office_options,
        {"mail": [{"from": "news@post.example", "subject": "News"}]},
        [
            ("list_mail", {"folder": "inbox"}),
            ("read_mail", {"id": 1}),
            ("search_mail", {"text": "oak"}),
            ("send_mail", {"to": "Ann Reed", "subject": "Re: Hello", "body": "Good.", "reply_to": 1}),
            ("create_event", {"title": "Tea", "start": "2026-01-06 10:00", "end": "2026-01-06 11:00"}),
            ("list_events", {"from": "2026-01-05", "to": "2026-01-09"}),
            ("move_mail", {"id": 2, "folder": "trash"}),
            ("list_files", {}),
            ("read_file", {"path": "notes/rooms.txt"}),
            ("find_contact", {"name": "ann"}),
            ("read_mail", {"id": 77}),
        ],
    ),
    Case("conversation", lambda folder: {}, {}, [("say", {"text": "Hello."}), ("end_conversation", {"text": "Bye."})]),
    Case(
        "conversation+sql",
        sql_options,
        {"sql": "INSERT INTO t (n) VALUES (3)"},
        [
            ("query", {"sql": "SELECT *, random() FROM t"}),
            ("say", {"text": "There are three."}),
            ("execute", {"sql": "INSERT INTO t (n) VALUES (random()) RETURNING *"}),
            ("query", {"sql": "SELECT nothing"}),
            ("end_conversation", {}),
            ("say", {"text": "Too late."}),
        ],
    ),
    Case(
        "bazaar",
        lambda folder: {"seats": {"ada": {"plays": "buyer", "cash": 30, "values": {"lamp": 22}}}, "rounds": 3},
        {
            "seats": {
                "ada": {"plays": "buyer", "cash": 30, "values": {"lamp": 22}},
                "ben": {"plays": "seller", "goods": {"lamp": 1}, "values": {"lamp": 12}},
            }
        },
        [
            ("ada", "rules", {}),
            ("ada", "say", {"text": "What for the lamp?", "to": "ben"}),
            ("ada", "offer", {"side": "buy", "good": "lamp", "price": 31}),
            ("ben", "offer", {"side": "sell", "good": "lamp", "price": 20}),
            ("ada", "offer", {"side": "buy", "good": "lamp", "price": 14}),
            ("ben", "look", {}),
            ("ben", "counter", {"offer": 1, "price": 18}),
            ("ada", "accept", {"offer": 2}),
        ],
        role="ada",
        others=("ben",),
    ),
    Case(
        "pasture",
        lambda folder: {"seats": {"ada": {"most": 9}, "ben": {"most": 30}}, "sanctions": {}, "order": "at_once"},
        {"grass": 30, "rounds": 2},
        [
            ("ada", "graze", {"animals": 10}),
            ("ada", "graze", {"animals": 9}),
            ("ben", "look", {}),
            ("ben", "graze", {"animals": 30}),
            ("ada", "punish", {"who": "ben"}),
            ("ada", "graze", {"animals": 1}),
        ],
        role="ada",
        others=("ben",),
    ),
    Case(
        "village",
        lambda folder: {
            "seats": {
                "lord": {"plays": "lord"},
                "ada": {"plays": "farmer", "sacks": 6},
                "ben": {"plays": "bandit", "sacks": 1},
            }
        },
        {"rounds": 2},
        [
            ("lord", "promise", {"to": "ada", "what": "send_grain", "sacks": 2, "until": 2}),
            ("lord", "rule", {"guards": 1, "tax": 1}),
            ("ada", "send", {"to": "lord", "sacks": 7}),
            ("ada", "farm", {"sow": 4, "hide": 1}),
            ("ben", "raid", {"on": "lord"}),
            ("lord", "rules", {}),
            ("lord", "pass_turn", {}),
        ],
        role="lord",
        others=("ada", "ben"),
    ),
    Case(NumberGame.kind, lambda folder: {}, {}, [("look", {}), ("add", {"amount": 2}), ("look", {})]),
]


@pytest.fixture(params=CASES, ids=lambda case: case.kind.partition(":")[0])
def case(request: pytest.FixtureRequest) -> Case:
    for name in request.param.fixture:
        request.getfixturevalue(name)
    return request.param


def opening(case: Case, folder: Path, name: str = "a", seed: int = 7) -> Opening:
    kind = load_kind(case.kind)
    scratch = folder / f"scratch-{name}"
    scratch.mkdir(exist_ok=True)
    options = kind.Options.model_validate(case.options(folder))
    return Opening(options, kind.Setup.model_validate(case.setup), (case.role, *case.others), seed, scratch)


async def opened(case: Case, folder: Path, name: str = "a", seed: int = 7) -> Environment:
    return await load_kind(case.kind).open(opening(case, folder, name, seed))


async def act(case: Case, environment: Environment) -> list[Observation]:
    return [await environment.call(role, tool, dict(arguments)) for role, tool, arguments in case.deeds]


async def data_of(case: Case, folder: Path, state: FinalState) -> dict[str, Any]:
    reader = await load_kind(case.kind).read_state(state, opening(case, folder, "reading"))
    try:
        return await reader.as_data()
    finally:
        await reader.close()
        await reader.close()


def run(work: Awaitable[Any]) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(120):
            return await work

    return asyncio.run(bounded())


def children() -> set[str]:
    found = set()
    for task in Path("/proc/self/task").iterdir():
        found |= set((task / "children").read_text().split())
    return found


def own_threads() -> set[threading.Thread]:
    """All but those of asyncio's own pool, which belong to the loop."""
    return {thread for thread in threading.enumerate() if not thread.name.startswith("asyncio_")}


def files_below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_every_built_in_kind_is_here() -> None:
    assert set(BUILT_IN) <= {case.kind for case in CASES}


def test_the_tools_have_names_of_their_own_and_closed_schemas(case: Case, tmp_path: Path) -> None:
    tools = load_kind(case.kind).tools(opening(case, tmp_path).options, case.role)
    names = [tool.name for tool in tools]
    assert len(set(names)) == len(names)
    assert SUBMIT.name not in names
    for tool in tools:
        Draft202012Validator.check_schema(tool.parameters)
        assert tool.parameters["type"] == "object"
        assert tool.parameters["additionalProperties"] is False
        assert set(tool.parameters.get("required", [])) <= set(tool.parameters["properties"])
        assert tool.description


def test_the_same_seed_and_actions_bring_the_same_observations(case: Case, tmp_path: Path) -> None:
    async def once(name: str) -> tuple[list[Observation], dict[str, Any]]:
        environment = await opened(case, tmp_path, name)
        try:
            seen = await act(case, environment)
            return seen, await data_of(case, tmp_path, await environment.final_state())
        finally:
            await environment.close()

    async def both() -> None:
        assert await once("a") == await once("b")

    run(both())


def test_two_trials_at_once_do_not_see_each_other(case: Case, tmp_path: Path) -> None:
    async def both() -> None:
        first, second = await opened(case, tmp_path, "a"), await opened(case, tmp_path, "b")
        try:
            untouched = await opened(case, tmp_path, "c")
            clean = await data_of(case, tmp_path, await untouched.final_state())
            await untouched.close()
            await act(case, first)
            changed = await data_of(case, tmp_path, await first.final_state())
            assert await data_of(case, tmp_path, await second.final_state()) == clean != changed
        finally:
            await first.close()
            await second.close()

    run(both())


def test_nothing_is_left_behind_and_closing_twice_is_fine(case: Case, tmp_path: Path) -> None:
    async def warm_up_and_measure() -> None:
        environment = await opened(case, tmp_path, "warm")
        await environment.close()
        threads, fds, processes = own_threads(), len(os.listdir("/proc/self/fd")), children()
        environment = await opened(case, tmp_path)
        await act(case, environment)
        state = await environment.final_state()
        await environment.close()
        await environment.close()
        await data_of(case, tmp_path, state)
        for _ in range(100):
            if children() <= processes and own_threads() <= threads:
                break
            await asyncio.sleep(0.05)
        assert children() <= processes
        assert own_threads() <= threads
        assert len(os.listdir("/proc/self/fd")) <= fds

    run(warm_up_and_measure())
    assert files_below(tmp_path / "scratch-a") == []


def test_it_closes_without_having_been_used(case: Case, tmp_path: Path) -> None:
    async def once() -> None:
        environment = await opened(case, tmp_path)
        await environment.close()

    run(once())


def test_twenty_open_at_once(case: Case, tmp_path: Path) -> None:
    async def crowd() -> None:
        many = await asyncio.gather(*(opened(case, tmp_path, str(number)) for number in range(20)))
        try:
            seen = await asyncio.gather(*(act(case, environment) for environment in many))
            assert all(one == seen[0] for one in seen)
        finally:
            await asyncio.gather(*(environment.close() for environment in many))

    run(crowd())


def test_a_snapshot_brings_the_world_back(case: Case, tmp_path: Path) -> None:
    async def there_and_back() -> None:
        environment = await opened(case, tmp_path)
        try:
            snapshot = await environment.snapshot()
            assert snapshot is not None
            seen = await act(case, environment)
            await environment.restore(snapshot)
            if environment.turn() in (None, case.role):
                assert await act(case, environment) == seen
        finally:
            await environment.close()

    run(there_and_back())


def test_a_snapshot_opens_in_another_instance(case: Case, tmp_path: Path) -> None:
    async def over() -> None:
        first, second = await opened(case, tmp_path, "a"), await opened(case, tmp_path, "b")
        try:
            await act(case, first)
            snapshot = await first.snapshot()
            assert snapshot is not None
            await second.restore(snapshot)
            ended = [await data_of(case, tmp_path, await one.final_state()) for one in (first, second)]
            assert ended[0] == ended[1]
        finally:
            await first.close()
            await second.close()

    run(over())


def test_the_final_state_can_be_read_after_closing_and_again(case: Case, tmp_path: Path) -> None:
    async def once() -> None:
        environment = await opened(case, tmp_path)
        await act(case, environment)
        state = await environment.final_state()
        await environment.close()
        assert state.kind == case.kind
        assert not state.truncated
        first = await data_of(case, tmp_path, state)
        assert first == await data_of(case, tmp_path, state)
        assert first

    run(once())


def test_tools_that_promise_to_change_nothing_keep_it(case: Case, tmp_path: Path) -> None:
    async def once() -> None:
        untouched = await opened(case, tmp_path, "untouched")
        clean = await data_of(case, tmp_path, await untouched.final_state())
        await untouched.close()
        environment = await opened(case, tmp_path)
        kind = load_kind(case.kind)
        reading = {t.name for t in kind.tools(opening(case, tmp_path).options, case.role) if not t.changes_state}
        try:
            for role, tool, arguments in case.deeds:
                if tool in reading:
                    await environment.call(role, tool, dict(arguments))
                    await environment.call(role, tool, dict(arguments))
            assert await data_of(case, tmp_path, await environment.final_state()) == clean
        finally:
            await environment.close()

    run(once())


def test_a_tool_that_is_not_there_is_refused_and_changes_nothing(case: Case, tmp_path: Path) -> None:
    async def once() -> None:
        environment = await opened(case, tmp_path)
        try:
            before = await environment.snapshot()
            try:
                assert (await environment.call(case.role, "no_such_tool", {})).error
            except EnvironmentFault as fault:
                assert "no_such_tool" in str(fault)
            assert await environment.snapshot() == before
        finally:
            await environment.close()

    run(once())


def test_after_closing_nothing_can_be_done(case: Case, tmp_path: Path) -> None:
    if case.kind == NumberGame.kind:
        pytest.skip("a game in memory has nothing to close")

    async def once() -> None:
        environment = await opened(case, tmp_path)
        await environment.close()
        with pytest.raises(EnvironmentFault):
            await environment.call(*case.deeds[0])

    run(once())


def test_facts_are_plain_data(case: Case, tmp_path: Path) -> None:
    import json

    async def once() -> None:
        environment = await opened(case, tmp_path)
        try:
            assert json.loads(json.dumps(environment.facts)) == environment.facts
        finally:
            await environment.close()

    run(once())
