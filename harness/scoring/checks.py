"""The kinds of check, each as its docstring in `harness.spec.scenario` says."""

from __future__ import annotations

import asyncio
import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from harness.environments import load_kind
from harness.environments.protocol import FinalState, Opening, StateReader
from harness.errors import UserError
from harness.record import CheckResult, RecordedAction
from harness.scoring.answers import Verdict, check_answer, short
from harness.scoring.comparison import expected_rows, rows_equal, rows_text
from harness.scoring.patterns import search
from harness.scoring.same_state import check_same_state, whole_state
from harness.scoring.told import check_told
from harness.spec import TemplateError, evaluate, load_python, render
from harness.spec.resolved import LoadedScenario
from harness.spec.scenario import (
    AnswerCheck,
    CalledCheck,
    Check,
    CommandCheck,
    FileCheck,
    PythonCheck,
    RewardCheck,
    SameStateCheck,
    SqlCheck,
    StateCheck,
    Task,
    ToldCheck,
)

MAX_FILE_TEXT = 1_000_000
"""Most characters of a file or an output that a regular expression is searched in."""


@dataclass
class Trial:
    """What the checks of one trial look at; the final state is opened when the first check asks for it."""

    scenario: LoadedScenario
    task: Task
    opening: Opening
    final: FinalState
    answer: str | None
    actions: Sequence[RecordedAction]
    _reader: StateReader | None = None
    _data: dict[str, JsonValue] | None = None

    @property
    def names(self) -> dict[str, Any]:
        """What templates of checks see."""
        return {"input": self.task.input, "task": self.task.id, "answer": self.answer or ""}

    async def reader(self) -> StateReader:
        """The final state, opened once."""
        if self._reader is None:
            kind = load_kind(self.scenario.spec.environment.kind)
            self._reader = await kind.read_state(self.final, self.opening)
        return self._reader

    async def data(self) -> dict[str, JsonValue]:
        """The final state as plain data, read once."""
        if self._data is None:
            self._data = await (await self.reader()).as_data()
        return self._data

    async def whole_state(self) -> dict[str, JsonValue]:
        """The final state as plain data with nothing left out, and without the talk."""
        return await whole_state(await self.reader())

    async def data_for_measures(self) -> tuple[dict[str, JsonValue] | None, str | None]:
        """The same, or the reason why it cannot be had."""
        try:
            return await self.data(), None
        except Exception as error:  # noqa: BLE001 - an environment kind may raise anything: the grader's account
            return None, f"the final state: {_reason(error)}"

    async def reward(self, name: str) -> float | str:
        """The environment's own score of that name, or the reason why it cannot be had."""
        try:
            return float(await (await self.reader()).reward(name, self.answer))
        except Exception as error:  # noqa: BLE001 - as for the data
            return f"reward {name}: {_reason(error)}"

    async def close(self) -> None:
        """Leave nothing behind."""
        if self._reader is not None:
            await self._reader.close()


async def run_check(check: Check, name: str, trial: Trial) -> CheckResult:
    """Run one check; what it cannot do becomes its `error`."""
    score: float | None
    try:
        score, detail = await _verdict(check, trial)
        error = None
    except Exception as failure:  # noqa: BLE001 - the boundary: whatever a check raises is on the grader's account
        score, detail, error = None, "", _reason(failure)
    if score == 0.0 and trial.final.truncated:
        detail += " (part of the final state was too large to keep)"
    return CheckResult(name=name, kind=check.kind, weight=check.weight, score=score, detail=detail[:1000], error=error)


async def _verdict(check: Check, trial: Trial) -> Verdict:
    match check:
        case AnswerCheck():
            return await asyncio.to_thread(check_answer, check, trial.answer, trial.names)
        case SqlCheck():
            return await _sql(check, trial)
        case FileCheck():
            return await _file(check, trial)
        case CommandCheck():
            return await _command(check, trial)
        case StateCheck():
            return await _state(check, trial)
        case SameStateCheck():
            if trial.final.truncated:  # else what is to be hidden is put behind something large
                return 0.0, "not all of the final state is known"
            found = await trial.whole_state()
            return await check_same_state(check, found, trial.scenario, trial.task, trial.opening)
        case ToldCheck():
            return check_told(check, trial.actions, trial.answer, trial.names, alone=len(trial.opening.roles) == 1)
        case CalledCheck():
            return _called(check, trial)
        case RewardCheck():
            return await _reward(check, trial)
        case PythonCheck():
            return await _python(check, trial)


async def _sql(check: SqlCheck, trial: Trial) -> Verdict:
    query = render(check.query, trial.names)
    expected = expected_rows(check.equals)
    reader = await trial.reader()
    try:
        found = await reader.query(query)
    except ValueError as error:
        return 0.0, f"the query failed: {error}"
    if rows_equal(found, expected, ordered=check.ordered):
        return 1.0, f"found {rows_text(found)}"
    return 0.0, f"expected {rows_text(expected)}, found {rows_text(found)}"


async def _file(check: FileCheck, trial: Trial) -> Verdict:
    path = render(check.path, trial.names)
    content = await (await trial.reader()).read_file(path)
    if not check.exists and content is None and trial.final.truncated:
        return 0.0, f"whether {path} is there is not known"
    if not check.exists:
        return (1.0, f"{path} is not there") if content is None else (0.0, f"{path} is there")
    if content is None:
        return 0.0, f"{path} is not there"
    if check.equals is not None:
        expected = render(check.equals, trial.names)
        if content.rstrip() != expected.rstrip():
            return 0.0, f"{path}: expected {short(expected)}, found {short(content)}"
    if check.contains is not None and (wanted := render(check.contains, trial.names)) not in content:
        return 0.0, f"{path} does not contain {short(wanted)}"
    if check.matches is not None and not await asyncio.to_thread(search, check.matches, content[:MAX_FILE_TEXT]):
        return 0.0, f"nothing in {path} matches {check.matches}"
    return 1.0, f"{path} is as expected"


async def _command(check: CommandCheck, trial: Trial) -> Verdict:
    command = render(check.run, trial.names)
    files = await asyncio.to_thread(_hidden_files, check.files)
    ended = await (await trial.reader()).run(command, files, check.seconds)
    if ended.data.get("timed_out"):
        return 0.0, f"not done after {check.seconds:g} s: {short(command)}"
    status = ended.data.get("exit")
    if status != check.exit:
        return 0.0, f"exit {status}, expected {check.exit}: {short(ended.text[-300:], 300)}"
    if check.output_matches is not None:
        output = ended.text[:MAX_FILE_TEXT]
        if not await asyncio.to_thread(search, check.output_matches, output):
            return 0.0, f"nothing in the output matches {check.output_matches}: {short(ended.text)}"
    return 1.0, f"exit {status}"


def _hidden_files(sources: Mapping[str, str]) -> dict[str, bytes]:
    """Path in the workspace -> content, of the files named and of all in the folders named."""
    files: dict[str, bytes] = {}
    for target, named in sources.items():
        source = Path(named)
        if not source.is_dir():
            files[target] = source.read_bytes()
            continue
        inside = sorted(path for path in source.rglob("*") if path.is_file())
        files |= {f"{target.rstrip('/')}/{path.relative_to(source).as_posix()}": path.read_bytes() for path in inside}
    return files


async def _state(check: StateCheck, trial: Trial) -> Verdict:
    names = {**trial.names, "state": await trial.data()}
    try:
        holds = evaluate(check.expression, names)
    except TemplateError as error:
        return 0.0, f"not so: {error}"
    return (1.0, "holds") if holds else (0.0, f"does not hold: {check.expression}")


def _called(check: CalledCheck, trial: Trial) -> Verdict:
    done = [action for action in trial.actions if is_call(action, check.tool) and not action["error"]]
    count = sum(1 for action in done if check.where is None or condition_holds(check.where, action, trial.task))
    enough = count >= check.at_least and (check.at_most is None or count <= check.at_most)
    bounds = f"at least {check.at_least}" + ("" if check.at_most is None else f" and at most {check.at_most}")
    return float(enough), f"{check.tool} called {count} times, wanted {bounds}"


def is_call(action: RecordedAction, tool: str) -> bool:
    """Whether the action is a call of this tool that was carried out."""
    if action["kind"] == "submit":
        return tool == "submit"
    return action["kind"] == "tool" and action["name"] == tool and action["observation"] is not None


def condition_holds(where: str, action: RecordedAction, task: Task) -> bool:
    """Whether a condition holds for an action; one over an argument that is not there does not."""
    names = {
        "arguments": action["arguments"],
        "observation": action["observation"] or "",
        "error": action["error"],
        "role": action["role"],
        "input": task.input,
    }
    try:
        return bool(evaluate(where, names))
    except TemplateError:
        return False


async def _reward(check: RewardCheck, trial: Trial) -> Verdict:
    if check.highest == check.lowest:
        raise UserError(f"lowest and highest are both {check.lowest:g}: nothing lies between them")
    given = await (await trial.reader()).reward(check.of, trial.answer)
    if not math.isfinite(given):
        raise UserError(f"{check.of} is {given}, no finite number")
    share = (given - check.lowest) / (check.highest - check.lowest)
    return min(1.0, max(0.0, share)), f"{check.of} is {given:g}"


async def _python(check: PythonCheck, trial: Trial) -> Verdict:
    function = load_python(check.function, trial.scenario.path.parent)
    state, actions, given = copy.deepcopy((await trial.data(), list(trial.actions), dict(trial.task.input)))
    said = await asyncio.to_thread(_ended, function, state, trial.answer or "", actions, given)
    if not isinstance(said, bool | int | float) or not math.isfinite(said) or not 0 <= said <= 1:
        raise UserError(f"{check.function} returned {short(repr(said))}; a bool or a number from 0 to 1 is wanted")
    return float(said), f"{Path(check.function).name} returned {said}"


def _ended(function: Callable[..., object], *values: object) -> object:
    """What a user's function returns; its `sys.exit()` ends the check and not the harness."""
    try:
        return function(*values)
    except (SystemExit, KeyboardInterrupt) as error:
        raise RuntimeError(repr(error)) from error


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, UserError):
        return text[:500]
    return f"{type(error).__name__}: {text}"[:500] if text else type(error).__name__
