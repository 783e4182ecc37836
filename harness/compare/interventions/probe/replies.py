"""The replies of a probe, state by state: what each model would do in a state, and how often.

A trial of a probe is one reply. What it does is told on three levels: by *names* alone, with *arguments* (the canonical
action), and in *words* too, where text without a call counts by what it says. A reply of several calls is one choice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.compare.evidence import Evidence
from harness.compare.trajectories import KINDS, UNUSABLE, Trajectories

NAMES, ARGUMENTS, WORDS = "names", "arguments", "words"
LEVELS = (NAMES, ARGUMENTS, WORDS)
MAIN = ARGUMENTS
LONGEST = 200
"""Characters of a choice that are kept to be shown."""
_AT_ONCE = 2_000
"""Replies whose arguments and words are in memory at one time."""

Integers = NDArray[np.int64]


@dataclass
class State:
    """One recorded moment, and what the models would do there."""

    name: str
    """`<trial>@<k>`."""
    scenario: str
    task: str
    scaffold: str
    origin: str
    """The trial it is a moment of."""
    at: int
    """Calls behind it."""
    of: int | None
    node: str
    role: str
    lane: str
    visit: int
    made_by: list[str]
    """Models whose trials came to it."""
    seed: str
    """Equal for states of one world: the same scenario, task, scaffold and seed."""
    cluster: int
    own: dict[str, bool] = field(default_factory=dict)
    """Model asked -> whether it made the state itself."""
    trials: dict[str, list[str]] = field(default_factory=dict)
    """Model asked -> ids of its replies."""
    choices: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Model asked -> level -> what each reply does, as a key."""
    kinds: dict[str, list[str]] = field(default_factory=dict)
    """Model asked -> kind of each reply: that of its first action, or `limit`."""

    def counts(self, level: str, models: Sequence[str]) -> tuple[list[str], Integers]:
        """(keys, models x keys): how often each model makes each choice; the commonest first."""
        found: dict[str, list[int]] = {}
        for place, model in enumerate(models):
            for key in self.choices.get(model, {}).get(level, ()):
                found.setdefault(key, [0] * len(models))[place] += 1
        keys = sorted(found, key=lambda key: (-sum(found[key]), key))
        return keys, np.array([found[key] for key in keys], dtype=np.int64).reshape(len(keys), len(models)).T

    def asked(self, model: str) -> int:
        """Replies of a model."""
        return len(self.trials.get(model, ()))


@dataclass
class Probed:
    """All states, and how their choices read."""

    states: list[State]
    shown: dict[str, str]
    """Key of a choice -> how it is shown."""
    levels: list[str]
    """Those that the record tells."""
    left_out: int = 0
    """Replies without a known state, or drifted."""


def probed(evidence: Evidence) -> Probed:
    """The states of the trials of a probe. Replies whose lineage is not known are left out and counted."""
    lineage = evidence.lineage
    if lineage is None:
        return Probed([], {}, [])
    known = lineage.drop_duplicates("trial").set_index("trial")
    results = evidence.results
    ids = results["trial"].astype(str)
    lines = known.reindex(ids)
    usable = (lines["origin"].notna() & (lines["drift"].fillna(0) == 0) & (lines["kind"] == "probe")).to_numpy(
        dtype=bool
    )
    found = Probed([], {}, [NAMES, ARGUMENTS, WORDS] if evidence.read is not None else [NAMES, ARGUMENTS])
    found.left_out = int(np.count_nonzero(~usable))
    states: dict[tuple[str, str], State] = {}
    columns = {name: results[name].tolist() for name in ("scenario", "task", "scaffold", "limit")}
    seeds = results["seed"].tolist() if "seed" in results else [None] * len(results)
    listed = {name: lines[name].tolist() for name in ("origin", "at", "of", "node", "role", "detail", "sweep")}
    chosen = np.flatnonzero(usable)
    for rows in _batches(chosen):
        told = _told(evidence, [ids.iloc[row] for row in rows])
        for row in rows:
            name = f"{listed['origin'][row]}@{int(listed['at'][row])}"
            key = (str(listed["sweep"][row]), name)
            if key not in states:
                states[key] = _state(name, row, columns, listed, seeds, int(evidence.cluster[row]))
            model = evidence.models[evidence.model[row]]
            _add(states[key], model, ids.iloc[row], listed["detail"][row])
            actions = _actions(evidence.paths, row, told.get(ids.iloc[row]))
            _choose(found, states[key], model, actions, columns["limit"][row])
    found.states = list(states.values())
    return found


def _batches(rows: Integers) -> Iterator[list[int]]:
    for begin in range(0, len(rows), _AT_ONCE):
        yield [int(row) for row in rows[begin : begin + _AT_ONCE]]


def _told(evidence: Evidence, trials: list[str]) -> dict[str, list[tuple[str | None, str | None]]]:
    """Trial -> (arguments, text) of each of its actions, in order."""
    if evidence.read is None:
        return {}
    table = evidence.read(trials)
    found: dict[str, list[tuple[str | None, str | None]]] = {}
    order = table.sort_values(["trial", "position"], kind="stable")
    for trial, arguments, text in zip(order["trial"], order["arguments"], order["text"], strict=True):
        words = (None if pd.isna(arguments) else str(arguments), None if pd.isna(text) else str(text))
        found.setdefault(str(trial), []).append(words)
    return found


@dataclass(frozen=True)
class _Act:
    kind: str
    name: str
    arguments: str | None
    text: str | None
    code: int


def _actions(paths: Trajectories | None, row: int, told: list[tuple[str | None, str | None]] | None) -> list[_Act]:
    if paths is None:
        return []
    here = paths.of(row)
    found = []
    for number, at in enumerate(range(here.start, here.stop)):
        arguments, text = told[number] if told is not None and number < len(told) else (None, None)
        kind = KINDS[paths.kind[at]]
        found.append(_Act(kind, paths.names[paths.action[at]], arguments, text, int(paths.key[at])))
    return found


def _state(
    name: str, row: int, columns: dict[str, list[Any]], listed: dict[str, list[Any]], seeds: list[Any], cluster: int
) -> State:
    detail = _detail(listed["detail"][row])
    task = [str(columns[column][row]) for column in ("scenario", "task", "scaffold")]
    return State(
        name=name, scenario=task[0], task=task[1], scaffold=task[2], origin=str(listed["origin"][row]),
        at=int(listed["at"][row]), of=None if pd.isna(listed["of"][row]) else int(listed["of"][row]),
        node=_text(listed["node"][row]), role=_text(listed["role"][row]), lane=str(detail.get("lane", "main")),
        visit=int(detail.get("visit", 0)), made_by=[str(maker) for maker in detail.get("made_by", [])],
        seed=json.dumps([str(listed["sweep"][row]), *task, str(seeds[row])]), cluster=cluster,
    )  # fmt: skip


def _add(state: State, model: str, trial: str, detail: Any) -> None:  # noqa: ANN401 - text, or nothing
    state.trials.setdefault(model, []).append(trial)
    own = _detail(detail).get("own")
    state.own[model] = bool(own) if own is not None else model in state.made_by


def _choose(found: Probed, state: State, model: str, actions: list[_Act], limit: Any) -> None:  # noqa: ANN401 - as above
    """Write down what one reply does on every level."""
    choices = state.choices.setdefault(model, {level: [] for level in LEVELS})
    if not actions:
        why = "nothing" if limit is None or pd.isna(limit) else f"nothing: limit of {limit}"
        texts = dict.fromkeys(LEVELS, why)
        state.kinds.setdefault(model, []).append("limit")
    else:
        texts = {level: "; ".join(_words(act, level) for act in actions) for level in LEVELS}
        state.kinds.setdefault(model, []).append(actions[0].kind)
    same = "; ".join(str(act.code) for act in actions)  # tells tools apart that a malformed call does not name
    for level, text in texts.items():
        whole = text if level == NAMES else f"{text}\0{same}"
        key = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        found.shown.setdefault(key, text if len(text) <= LONGEST else text[: LONGEST - 3] + "...")
        choices[level].append(key)


def _words(act: _Act, level: str) -> str:
    """What an action reads as; equal where it is the same on this level."""
    name = f"{act.kind} {act.name}" if act.kind in UNUSABLE and act.name != act.kind else act.name
    if level == NAMES:
        return name
    if act.kind == "say" and level == WORDS and act.text is not None:
        return f"{name} {' '.join(act.text.split()).casefold()}"
    if act.arguments is not None:
        return name if act.arguments in ("{}", "") else f"{name} {act.arguments}"
    return name if act.code < 0 else f"{name} #{act.code}"


def _detail(text: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    if not isinstance(text, str) or not text:
        return {}
    found = json.loads(text)
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:  # noqa: ANN401 - as above
    return "" if value is None or pd.isna(value) else str(value)
