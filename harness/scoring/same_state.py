"""The check `same_state`: whether the world ended as the gold solution would have left it.

The way tau-bench grades: the solution's state-changing calls, and only those, are carried out in a fresh world of the
same opening (set-up and seed), and the two final states are compared as plain data. How the trial got there does not
count. A gold call that the world refuses is the grader's failure and names the step; in tau-bench it is swallowed,
and the state it then leaves counts as gold (sierra-research/tau2-bench, issue 499).

Of a world with talk added only the world is compared, and of the solution only the world's own calls are carried out.
"""

from __future__ import annotations

import fnmatch
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import JsonValue

from harness.environments import Environment, Opening, StateReader, load_kind
from harness.environments.conversation import TalkingReader, TalkingWorld
from harness.errors import UserError
from harness.scoring.answers import Verdict, short
from harness.spec.resolved import LoadedScenario
from harness.spec.scenario import SameStateCheck, Task

SHOWN = 5
"""Differences that are told."""


async def check_same_state(
    check: SameStateCheck, found: dict[str, JsonValue], scenario: LoadedScenario, task: Task, opening: Opening
) -> Verdict:
    """Compare `found`, as `whole_state` gives it, with what the solution leads to.

    Raises `UserError` when the solution cannot be carried out, and `EnvironmentFault`.
    """
    gold = await gold_state(scenario, task, opening)
    differing = list(differences(chosen(gold, check), chosen(found, check), check.any_order))
    if not differing:
        return 1.0, "as the solution leaves it"
    more = f"; and {len(differing) - SHOWN} more" if len(differing) > SHOWN else ""
    return 0.0, "; ".join(differing[:SHOWN]) + more


async def gold_state(scenario: LoadedScenario, task: Task, opening: Opening) -> dict[str, JsonValue]:
    """The state after the solution's state-changing calls. Raises `UserError` naming the step that fails."""
    if not task.solution:
        raise UserError(f"task {task.id!r} has no solution to compare with")
    kind = _world(load_kind(scenario.spec.environment.kind))
    with tempfile.TemporaryDirectory(prefix="harness-", ignore_cleanup_errors=True) as folder:
        world, reading = Path(folder, "world"), Path(folder, "reading")
        for place in (world, reading):
            place.mkdir()
        environment = await kind.open(replace(opening, scratch=world))
        try:
            await _replay(scenario, task, environment)
            final = await environment.final_state()
        finally:
            await environment.close()
        reader = await kind.read_state(final, replace(opening, scratch=reading))
        try:
            return await whole_state(reader)
        finally:
            await reader.close()


async def whole_state(reader: StateReader) -> dict[str, JsonValue]:
    """A final state as plain data with nothing left out, and without the talk."""
    if isinstance(reader, TalkingReader):
        reader = reader.world
    in_full = getattr(reader, "in_full", reader.as_data)  # a kind of one's own need not inherit from the protocol
    data: dict[str, JsonValue] = await in_full()
    return data


def _world(kind: type[Environment]) -> type[Environment]:
    return kind.World if issubclass(kind, TalkingWorld) else kind


async def _replay(scenario: LoadedScenario, task: Task, environment: Environment) -> None:
    kind = type(environment)
    for number, step in enumerate(task.solution, start=1):
        role = step.role or next(iter(scenario.spec.roles))
        changing = {tool.name for tool in kind.tools(scenario.options, role) if tool.changes_state}
        if step.tool not in changing:
            continue
        seen = await environment.call(role, step.tool, dict(step.arguments))
        if seen.error:
            what = " ".join(seen.text.split())[:300]
            raise UserError(f"solution step {number} ({step.tool}) fails when it is carried out again: {what}")


def chosen(state: dict[str, JsonValue], check: SameStateCheck) -> JsonValue:
    """The part of a state that a check compares."""
    kept = _only(state, check.only) if check.only else state
    return _without(kept, check.ignore) if check.ignore else kept


def _only(value: JsonValue, paths: Sequence[str]) -> JsonValue:
    if "" in paths:
        return value
    if isinstance(value, dict):
        inner = {key: _below(paths, key) for key in value}
        return {key: _only(value[key], rest) for key, rest in inner.items() if rest}
    if isinstance(value, list):
        below = [_below(paths, str(place)) for place in range(len(value))]
        return [_only(item, rest) for item, rest in zip(value, below, strict=True) if rest]
    return None


def _without(value: JsonValue, paths: Sequence[str]) -> JsonValue:
    if isinstance(value, dict):
        inner = {key: _below(paths, key) for key in value}
        return {key: _without(value[key], rest) for key, rest in inner.items() if "" not in rest}
    if isinstance(value, list):
        below = [_below(paths, str(place)) for place in range(len(value))]
        return [_without(item, rest) for item, rest in zip(value, below, strict=True) if "" not in rest]
    return value


def _below(paths: Sequence[str], key: str) -> list[str]:
    """What is left of the paths that lead through a key; "" for one that ends there. A key may hold dots itself."""
    left = []
    for path in paths:
        first, dot, rest = path.partition(".")
        if path == key:
            left.append("")
        elif path.startswith(key + "."):
            left.append(path[len(key) + 1 :])
        elif fnmatch.fnmatchcase(key, first):
            left.append(rest if dot else "")
    return left


def differences(gold: JsonValue, found: JsonValue, any_order: bool | Sequence[str]) -> Iterator[str]:
    """Where two states differ, each place in a few words. Lists named by `any_order` are compared as bags."""
    paths = [] if isinstance(any_order, bool) else list(any_order)
    yield from _differ(gold, found, "", paths, any_order is True)


def _differ(gold: JsonValue, found: JsonValue, at: str, loose: list[str], all_loose: bool) -> Iterator[str]:
    if isinstance(gold, dict) and isinstance(found, dict):
        for key in dict.fromkeys((*gold, *found)):
            place = f"{at}.{key}" if at else key
            if key not in found:
                yield f"{place} is missing, expected {_shown(gold[key])}"
            elif key not in gold:
                yield f"{place} should not be there: {_shown(found[key])}"
            else:
                yield from _differ(gold[key], found[key], place, _below(loose, key), all_loose)
    elif isinstance(gold, list) and isinstance(found, list):
        if all_loose or "" in loose or len(gold) != len(found):
            yield from _bags(gold, found, at)
        else:
            for number, (one, other) in enumerate(zip(gold, found, strict=True)):
                yield from _differ(one, other, f"{at}.{number}", _below(loose, str(number)), all_loose)
    elif gold != found or isinstance(gold, bool) != isinstance(found, bool):
        yield f"{at or 'the state'}: expected {_shown(gold)}, found {_shown(found)}"


def _bags(gold: list[JsonValue], found: list[JsonValue], at: str) -> Iterator[str]:
    wanted, there = _bag(gold), _bag(found)
    yield from (f"{at} lacks {short(text)}" for text in (wanted - there).elements())
    yield from (f"{at} has {short(text)}, which should not be there" for text in (there - wanted).elements())


def _bag(items: list[JsonValue]) -> Counter[str]:
    return Counter(json.dumps(_even(item), sort_keys=True, ensure_ascii=False) for item in items)


def _even(value: JsonValue) -> JsonValue:
    """With whole floats as integers, as `==` has it, and lists within as bags."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _even(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted((_even(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def _shown(value: JsonValue) -> str:
    return short(json.dumps(value, sort_keys=True, ensure_ascii=False))
