"""The continuations of an intervention of the kind fork, as arrays: from which state, with which model, to what end.

A *state* is a recorded moment, together with the role handed over where that was one alone. What drifted on its way,
has no grade or drew as the recorded trial did takes no part in the values; how many such there are is counted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.compare.evidence import Evidence

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Course:
    """One recorded trial at a state."""

    trial: str
    at: int
    prefix: str
    """The model that it was of."""
    done: tuple[str, ...]
    """In the recorded calls from here on, up to the next moment that was forked."""


@dataclass(frozen=True)
class State:
    """Where continuations set out from."""

    name: str
    """`<trial>@<k>`; with the role handed over, where that was one alone: `<trial>@<k> clerk`."""
    trial: str
    """The recorded trial that the moment is of."""
    at: int
    """k: recorded replies behind it."""
    of: int
    """Answered calls of that trial in all."""
    scenario: str
    task: str
    scaffold: str
    prefix: str
    """The model that made the moment."""
    makers: tuple[str, ...]
    """All models whose trials came to the same."""
    handed: str | None
    """The role handed over; None for all that the model of the trial played."""
    node: str | None
    role: str | None
    """Of the call that follows."""
    recorded_score: float | None
    """How the recorded trial ended."""
    recorded_passed: bool | None
    courses: tuple[Course, ...]
    """The course of its trial, then those of others that came to the same state."""

    @property
    def course(self) -> tuple[str, ...]:
        """What its trial did next."""
        return self.courses[0].done

    @property
    def depth(self) -> float:
        """Share of the recorded trial that lies behind, from 0 to 1."""
        return self.at / self.of if self.of else 0.0


@dataclass(frozen=True)
class Check:
    """A continuation that drew as the recorded trial did."""

    trial: str
    same_model: bool
    """Whether it went on with the model that had played."""
    as_recorded: bool
    """Whether score and grade are those of the recorded trial."""


@dataclass(frozen=True)
class Rollouts:
    """Arrays over continuations have one entry each; `state` indexes `states`, `model` the models compared."""

    models: list[str]
    states: list[State]
    cluster: Integers
    """Of each state: the number of its task, or family of tasks."""
    state: Integers
    model: Integers
    score: Floats
    passed: Floats
    row: Integers
    """Of `Evidence.results`."""
    drifted: dict[str, int]
    """Model -> continuations left out because something came out different on the way back."""
    ungraded: dict[str, int]
    checks: list[Check]

    @property
    def shares(self) -> bool:
        """Whether all outcomes lie in [0, 1]."""
        return bool(len(self.score) == 0 or (self.score.min() >= 0 and self.score.max() <= 1))

    def of(self, state: int, model: int) -> Floats:
        """The outcomes of a model from a state."""
        found: Floats = self.score[(self.state == state) & (self.model == model)]
        return found

    def cells(self, values: Floats | None = None) -> dict[tuple[int, int], Floats]:
        """(state, model) -> outcomes (scores, or `values`), for those that have some."""
        data = self.score if values is None else values
        code = self.state * max(1, len(self.models)) + self.model
        order = np.argsort(code, kind="stable")
        found: dict[tuple[int, int], Floats] = {}
        if not len(order):
            return found
        ends = np.flatnonzero(np.diff(code[order])) + 1
        for block in np.split(order, ends):
            place = (int(self.state[block[0]]), int(self.model[block[0]]))
            found[place] = data[block]
        return found

    def means(self, values: Floats | None = None) -> Floats:
        """States x models: the value of each state under each model; NaN where there is none."""
        found = np.full((len(self.states), len(self.models)), np.nan)
        for place, outcomes in self.cells(values).items():
            known = outcomes[~np.isnan(outcomes)]
            if len(known):
                found[place] = known.mean()
        return found


def rollouts(evidence: Evidence) -> Rollouts:
    """The continuations of evidence of which the lineage is known."""
    results = evidence.results
    assert evidence.lineage is not None  # noqa: S101 - evidence of a kind of intervention has it
    lineage = evidence.lineage.drop_duplicates("trial").set_index("trial")
    known = results["trial"].isin(lineage.index).to_numpy(dtype=bool)
    lines = lineage.reindex(results["trial"].astype(str))
    details = [json.loads(text) if isinstance(text, str) else {} for text in lines["detail"]]
    score, passed = _numbers(results["score"]), _numbers(results["passed"])
    score = np.where(np.isnan(score), passed, score)
    drift = lines["drift"].fillna(0).to_numpy(dtype=np.int64) > 0
    checked = np.array([detail.get("chance") == "same" for detail in details], dtype=bool)
    graded = ~np.isnan(score)
    names = [evidence.models[place] for place in evidence.model]
    drifted = _counted(names, known & drift)
    ungraded = _counted(names, known & ~drift & ~graded)
    kept = np.flatnonzero(known & ~drift & graded & ~checked)
    states: dict[str, int] = {}
    made: list[State] = []
    numbers, clusters = [], []
    for place in kept:
        found = _state(lines.iloc[place], details[place], results.iloc[place])
        if found.name not in states:
            states[found.name] = len(made)
            made.append(found)
            clusters.append(int(evidence.cluster[place]))
        numbers.append(states[found.name])
    checks = [
        _check(str(results["trial"].iloc[place]), lines.iloc[place], details[place], names[place], score[place])
        for place in np.flatnonzero(known & checked & ~drift & graded)
    ]
    order = sorted(range(len(made)), key=lambda n: (made[n].scenario, made[n].task, made[n].scaffold, made[n].trial,
                                                    made[n].at, made[n].name))  # fmt: skip
    rank = np.empty(len(made), dtype=np.int64)
    rank[order] = np.arange(len(made))
    state = rank[np.array(numbers, dtype=np.int64)] if len(kept) else np.zeros(0, dtype=np.int64)
    return Rollouts(
        list(evidence.models), [made[n] for n in order], np.array([clusters[n] for n in order], dtype=np.int64),
        state, evidence.model[kept], score[kept], passed[kept], kept.astype(np.int64), drifted, ungraded, checks,
    )  # fmt: skip


def _state(line: pd.Series, detail: Mapping[str, Any], row: pd.Series) -> State:
    handed = row.get("handed")
    seat = None if handed is None or pd.isna(handed) else str(handed)
    trial, at = str(line["origin"]), int(line["at"])
    score, passed = detail.get("score"), detail.get("passed")
    return State(
        f"{trial}@{at}" + (f" {seat}" if seat else ""), trial, at, _whole(line["of"]), str(row["scenario"]),
        str(row["task"]), str(row["scaffold"]), str(line["prefix"]), _makers(line, detail), seat,
        _text(line["node"]), _text(line["role"]),
        None if score is None else float(score), None if passed is None else bool(passed),
        (Course(trial, at, str(line["prefix"]), _done(detail)), *map(_other, detail.get("also", ()))),
    )  # fmt: skip


def _done(told: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(deed) for deed in told.get("course", ()))


def _other(told: Mapping[str, Any]) -> Course:
    return Course(str(told["trial"]), int(told["at"]), str(told["prefix"]), _done(told))


def _makers(line: pd.Series, detail: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([str(line["prefix"]), *(str(name) for name in detail.get("makers", ()))]))


def _check(trial: str, line: pd.Series, detail: Mapping[str, Any], model: str, score: float) -> Check:
    recorded = detail.get("score")
    recorded = detail.get("passed") if recorded is None else recorded
    return Check(trial, str(line["prefix"]) == model, recorded is not None and abs(float(recorded) - score) < 1e-12)


def _counted(names: list[str], which: NDArray[np.bool_]) -> dict[str, int]:
    found: dict[str, int] = {}
    for place in np.flatnonzero(which):
        found[names[place]] = found.get(names[place], 0) + 1
    return found


def _numbers(column: pd.Series) -> Floats:
    return np.asarray(pd.to_numeric(column, errors="coerce"), dtype=np.float64)


def _text(value: object) -> str | None:
    return None if value is None or value is pd.NA or value != value else str(value)


def _whole(value: object) -> int:
    return 0 if value is None or value is pd.NA else int(value)  # type: ignore[call-overload]
