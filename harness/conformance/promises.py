"""The promises of `harness.environments.protocol`, one function each; its docstring is what is promised.

A promise that is not kept raises `BrokenPromiseError` with what was seen; one that does not concern this world raises
`NotOfferedError` with the reason. What an environment itself raises is passed on, and breaks the promise as well.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.conformance.case import Bench, Case, Deed, Heard
from harness.conformance.leftovers import leftovers, take_inventory, under_watch
from harness.environments import SUBMIT, EnvironmentFault, Services

UNKNOWN = "no_such_tool"


class BrokenPromiseError(Exception):
    """A promise is not kept; the message says what was seen."""


class NotOfferedError(Exception):
    """The promise does not concern this world; the message says why."""


@dataclass(frozen=True)
class Promise:
    """One promise."""

    name: str
    keeps: Callable[[Case, Path, int], Awaitable[None]]
    """Takes the case, an empty folder, and how many worlds to open where many are."""
    per_task: bool
    """Looked at for every task; otherwise once a kind, because what it needs is much and tasks differ little."""

    @property
    def text(self) -> str:
        """What is promised, in a line."""
        return (self.keeps.__doc__ or "").strip().splitlines()[0]


async def tools_are_closed(case: Case, folder: Path, many: int) -> None:
    """Tools have names of their own, a description, and closed JSON schemas; `submit` is left to the scaffold."""
    from jsonschema import Draft202012Validator

    for role in case.roles:
        tools = case.environment.tools(case.options, role)
        names = [tool.name for tool in tools]
        _hold(len(set(names)) == len(names), f"role {role} is offered two tools of one name: {names}")
        _hold(SUBMIT.name not in names, f"role {role} is offered a tool called submit")
        _hold(
            tools == case.environment.tools(case.options, role), f"role {role} is offered other tools when asked again"
        )
        for tool in tools:
            Draft202012Validator.check_schema(tool.parameters)
            closed = tool.parameters.get("type") == "object" and tool.parameters.get("additionalProperties") is False
            _hold(closed, f"{tool.name}: its schema is no object with additionalProperties: false")
            properties, required = tool.parameters.get("properties", {}), tool.parameters.get("required", [])
            known = isinstance(properties, dict) and isinstance(required, list) and set(required) <= set(properties)
            _hold(known, f"{tool.name}: an argument is required that is not among its properties")
            _hold(bool(tool.description.strip()), f"{tool.name} has no description")


async def same_seed_same_observations(case: Case, folder: Path, many: int) -> None:
    """Two trials with the same seed and the same actions observe the same, and end in the same state."""
    async with Services() as services:
        bench = Bench(case, folder, services)
        runs = []
        for _ in range(2):
            async with bench.world() as world:
                runs.append((await bench.act(world), await bench.left(world)))
    _same(runs[0][0], runs[1][0], case.deeds)
    _hold(runs[0][1] == runs[1][1], f"the final states differ: {_difference(runs[0][1], runs[1][1])}")


async def trials_stand_apart(case: Case, folder: Path, many: int) -> None:
    """No trial sees or touches another that is open at the same time."""
    async with Services() as services:
        bench = Bench(case, folder, services)
        clean = await bench.untouched()
        async with bench.world() as alone:
            seen = await bench.act(alone)
        async with bench.world() as first, bench.world() as second, bench.world() as third:
            await bench.act(first)
            beside = await bench.left(second)
            again = await bench.act(third)
            changed = await bench.left(first)
        _hold(beside == clean, f"acting in one changed the other: {_difference(clean, beside)}")
        _same(seen, again, case.deeds)
    if changed == clean:
        raise NotOfferedError("the deeds change nothing, so there is nothing that another could see")


async def nothing_is_left_behind(case: Case, folder: Path, many: int) -> None:
    """Closing, twice, leaves no process, thread, open file, socket or file behind, nor a run when it ends."""
    with under_watch():
        await _run_of_two(case, folder / "warm")  # what is imported and cached at first use stays
        before = take_inventory()
        scratch = folder / "used"
        kept = await _run_of_two(case, scratch)
        found = await leftovers(before)
        files = [path.relative_to(scratch) for path in sorted(scratch.glob("*/*"))]
    _hold(not found, f"left behind: {'; '.join(found[:5])}")
    _hold(not kept, f"left behind until the run ends: {'; '.join(kept[:5])}")
    _hold(not files, f"left in its folder: {', '.join(map(str, files[:5]))}")


async def _run_of_two(case: Case, folder: Path) -> list[str]:
    """Two trials, one after the other; what the second left there, which the first, that sets things up, had not."""
    folder.mkdir()
    async with Services() as services:
        bench = Bench(case, folder, services)
        await _open_use_close(bench)
        before = take_inventory()
        await _open_use_close(bench)
        return await leftovers(before)


async def _open_use_close(bench: Bench) -> None:
    world = await bench.open()
    try:
        await bench.act(world)
        state = await world.final_state()
    finally:
        await world.close()
    await world.close()
    await bench.data(state)


async def closes_unused(case: Case, folder: Path, many: int) -> None:
    """A world that was opened and not used closes, and after that nothing can be done in it."""
    async with Services() as services:
        bench = Bench(case, folder, services)
        world = await bench.open()
        await world.close()
        for deed in case.deeds[:1]:
            try:
                seen = await world.call(deed.role, deed.tool, dict(deed.arguments))
            except EnvironmentFault:
                continue
            _hold(seen.error, f"{deed.tool} still works after closing")


async def many_at_once(case: Case, folder: Path, many: int) -> None:
    """Many open at once, and each sees what one alone would have seen."""
    async with Services() as services:
        bench = Bench(case, folder, services)
        opened = await asyncio.gather(*(bench.open() for _ in range(many)), return_exceptions=True)
        worlds = [world for world in opened if not isinstance(world, BaseException)]
        try:
            failures = [error for error in opened if isinstance(error, BaseException)]
            _hold(not failures, f"{len(failures)} of {many} did not open; the first: {failures[:1]}")
            seen = await asyncio.gather(*(bench.act(world) for world in worlds))
            for one in seen[1:]:
                _same(seen[0], one, case.deeds)
        finally:
            await asyncio.gather(*(world.close() for world in worlds))


async def a_snapshot_is_the_world(case: Case, folder: Path, many: int) -> None:
    """A snapshot restored, in the same world or another of the same opening, is the state that was snapshotted."""
    half = len(case.deeds) // 2
    before, after = case.deeds[:half], case.deeds[half:]
    async with Services() as services:
        bench = Bench(case, folder, services)
        async with bench.world() as world, bench.world() as other:
            await bench.act(world, before)
            snapshot = await world.snapshot()
            if snapshot is None:
                raise NotOfferedError("this kind takes no snapshots")
            seen = await bench.act(world, after)
            ended = world.finished()
            await world.restore(snapshot)
            again = await bench.act(world, after)
            _same(seen, again, after)
            _hold(world.finished() == ended, "the restored world does not end where the first did")
            await other.restore(snapshot)
            _same(seen, await bench.act(other, after), after)
            states = [await bench.left(one) for one in (world, other)]
        async with bench.world() as straight:
            await bench.act(straight)
            unbroken = await bench.left(straight)
    for state in states:  # what a snapshot leaves out, both restored worlds lack
        _hold(state == unbroken, f"the states differ: {_difference(unbroken, state)}")


async def the_end_can_be_read_again(case: Case, folder: Path, many: int) -> None:
    """The final state can be read after closing, again and again, and says the same; it names its kind."""
    async with Services() as services:
        bench = Bench(case, folder, services)
        async with bench.world() as world:
            await bench.act(world)
            state = await world.final_state()
        _hold(state.kind == case.environment.kind, f"the state says it is of kind {state.kind}")
        first = await bench.data(state)
        json.dumps(first)
        again = await bench.data(state)
        _hold(first == again, f"read twice, it differs: {_difference(first, again)}")
    async with Services() as services:
        elsewhere = await Bench(case, _made(folder / "elsewhere"), services).data(state)
    _hold(first == elsewhere, f"read in another run, it differs: {_difference(first, elsewhere)}")


async def reading_changes_nothing(case: Case, folder: Path, many: int) -> None:
    """Tools that promise to change nothing may be called twice, and leave the world as it was."""
    async with Services() as services:
        bench = Bench(case, folder, services)
        reading = [deed for deed in case.deeds if not _changes(case, deed)]
        if not reading:
            raise NotOfferedError("none of the deeds reads")
        clean = await bench.untouched()
        async with bench.world() as world:
            for deed in reading:
                if world.turn() in (None, deed.role) and not world.finished():
                    for _ in range(2):
                        await world.call(deed.role, deed.tool, dict(deed.arguments))
            left = await bench.left(world)
    _hold(left == clean, f"reading changed the world: {_difference(clean, left)}")


async def an_unknown_tool_is_refused(case: Case, folder: Path, many: int) -> None:
    """A tool that is not there is refused by name and changes nothing."""
    async with Services() as services:
        bench = Bench(case, folder, services)
        clean = await bench.untouched()
        async with bench.world() as world:
            role = world.turn() or case.roles[0]
            try:
                seen = await world.call(role, UNKNOWN, {})
            except EnvironmentFault as fault:
                _hold(UNKNOWN in str(fault), f"the fault does not name the tool: {fault}")
            else:
                _hold(seen.error, f"{UNKNOWN} was taken: {seen.text[:200]}")
            left = await bench.left(world)
    _hold(left == clean, f"the world was changed: {_difference(clean, left)}")


async def turns_are_kept(case: Case, folder: Path, many: int) -> None:
    """Where roles take turns, one out of turn is told so and changes nothing."""
    async with Services() as services:
        bench = Bench(case, folder, services)
        clean = await bench.untouched()
        async with bench.world() as world:
            turn = world.turn()
            if turn is None:
                raise NotOfferedError("roles act at any time")
            _hold(turn in case.roles, f"it is the turn of {turn}, who is no role here")
            outside = next((d for d in case.deeds if d.role != turn and _changes(case, d)), None)
            if outside is None:
                raise NotOfferedError("no deed of another role changes anything")
            seen = await world.call(outside.role, outside.tool, dict(outside.arguments))
            _hold(seen.error, f"{outside.role} used {outside.tool} in {turn}'s turn: {seen.text[:200]}")
            _hold(world.turn() == turn, "the turn passed on")
            left = await bench.left(world)
    _hold(left == clean, f"the world was changed: {_difference(clean, left)}")


async def facts_are_plain(case: Case, folder: Path, many: int) -> None:
    """What the record is told of an opening is plain data."""
    async with Services() as services, Bench(case, folder, services).world() as world:
        _hold(json.loads(json.dumps(world.facts)) == world.facts, "the facts are not the same as JSON")


PROMISES = (
    Promise("tools are closed", tools_are_closed, per_task=False),
    Promise("same seed, same observations", same_seed_same_observations, per_task=True),
    Promise("trials stand apart", trials_stand_apart, per_task=True),
    Promise("nothing is left behind", nothing_is_left_behind, per_task=False),
    Promise("closes unused", closes_unused, per_task=False),
    Promise("many at once", many_at_once, per_task=False),
    Promise("a snapshot is the world", a_snapshot_is_the_world, per_task=True),
    Promise("the end can be read again", the_end_can_be_read_again, per_task=True),
    Promise("reading changes nothing", reading_changes_nothing, per_task=True),
    Promise("an unknown tool is refused", an_unknown_tool_is_refused, per_task=False),
    Promise("turns are kept", turns_are_kept, per_task=False),
    Promise("facts are plain", facts_are_plain, per_task=False),
)
"""All of them, in the order in which they are looked at."""


def _hold(holds: bool, otherwise: str) -> None:
    if not holds:
        raise BrokenPromiseError(otherwise)


def _changes(case: Case, deed: Deed) -> bool:
    tools = case.environment.tools(case.options, deed.role)
    return next((tool.changes_state for tool in tools if tool.name == deed.tool), False)


def _same(first: Sequence[Heard], second: Sequence[Heard], deeds: Sequence[Deed]) -> None:
    _hold(len(first) == len(second), f"one world ended after {len(first)} deeds, the other after {len(second)}")
    for deed, one, other in zip(deeds, first, second, strict=False):
        if one != other:
            what = "news" if one.news != other.news else "observation"
            pair = (one.news, other.news) if what == "news" else (one.seen, other.seen)
            raise BrokenPromiseError(
                f"{what} of {deed.role}'s {deed.tool} differs: {_short(pair[0])} and {_short(pair[1])}"
            )


def _difference(first: object, second: object, path: str = "state") -> str:
    """The first place where two values differ, and how."""
    if isinstance(first, dict) and isinstance(second, dict):
        for key in {**first, **second}:
            if first.get(key) != second.get(key) or (key in first) != (key in second):
                return _difference(first.get(key), second.get(key), f"{path}.{key}")
    if isinstance(first, list) and isinstance(second, list):
        for index, (one, other) in enumerate(zip(first, second, strict=False)):
            if one != other:
                return _difference(one, other, f"{path}[{index}]")
    return f"{path} is {_short(first)} and {_short(second)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:199] + "…"


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
