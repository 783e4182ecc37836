"""Which moments of a recorded sweep are gone back to: where models part, every n-th call, what forks found, or a file.

Documents are read one after another, and of each only a few hashes a call are kept, so a sweep of many trials needs
little memory. Moments with the same content (scenario, task, scaffold, seed, and every reply behind them) are one
state, whoever came to it; all the models that did are its makers.
"""

from __future__ import annotations

import csv
import itertools
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import UserError
from harness.intervene.moments import Moment, answered_calls, call_key
from harness.intervene.origin import Origin
from harness.record import RecordError, Store, TrialDocument, TrialRow
from harness.spec import digest

FIRST_DIVERGENCE = "first-divergence"
PIVOTAL = "pivotal"
EVERY = "every:"
FORMS = f"{FIRST_DIVERGENCE}, {PIVOTAL}, {EVERY}N, or a CSV or JSONL file with the columns trial and at"
LARGEST_FILE = 64 << 20
_Values = dict[tuple[str, int, str], dict[str, list[float]]]
_NAMED = re.compile(r"(\S+)@(\d+)")


@dataclass(frozen=True)
class Selected:
    """Moments to go back to."""

    moments: list[tuple[TrialRow, Moment]]
    """One for each state, in the order of the tasks, from one of the trials that came to it."""
    notes: list[str]
    """What a person should know of how they were chosen, a sentence each."""
    makers: dict[str, list[str]] = field(default_factory=dict)
    """Name of a moment -> short names of all models whose trials came to its state."""


@dataclass(frozen=True)
class _State:
    row: TrialRow
    moment: Moment
    content: str
    """Equal where everything behind the moment is, and the world is the same."""


@dataclass
class _Walk:
    """One trial, call by call."""

    row: TrialRow
    moments: list[Moment]
    actions: list[str]
    """What was done in each call, in canonical form."""
    contents: list[str]
    """Of what is behind each call."""
    own: list[bool]
    """Whether the crossed model was asked there, and not on the way back to another moment."""

    def state(self, at: int) -> _State:
        return _State(self.row, self.moments[at], self.contents[at])


def select_states(origin: Origin, text: str, results: Path, *, most: int | None = None, seed: int = 0) -> Selected:
    """The moments that `text` asks for, out of the trials of every model.

    `text` is one of

    - `first-divergence`: for every two models and each scenario, task, scaffold and repeat that both have, the first
      call where their canonical actions differ after equal ones, as it came in the trials of both;
    - `every:N`: calls N, 2N, 3N, ... of every trial;
    - `pivotal`: the moments that recorded forks of this sweep (under `results`) set out from, those first whose value
      differs most between models;
    - a path: a CSV file with a header, or a JSONL file, with `trial` (an id or its beginning) and `at`; or a text of
      lines `TRIAL@K`.

    The first two take calls of the crossed model only. `most` bounds the number: of pivotal moments the first are
    taken, of others a sample drawn by `seed`, in turn from every task and every model that made some. Raises
    `UserError` where the text asks for nothing that is there.
    """
    check_origin(origin)
    notes: list[str] = []
    if text == FIRST_DIVERGENCE:
        found = _first_divergences(origin, notes)
    elif text.startswith(EVERY):
        found = list(_every(origin, _step(text)))
    elif text == PIVOTAL:
        found = _pivotal(origin, results, notes)
    else:
        found = _listed(origin, Path(text))
    if not found:
        raise UserError(f"{origin.name}: {_nothing(text)}")
    states, makers = _distinct(found)
    if len(states) < len(found):
        notes.append(f"{len(found)} moments are {len(states)} states: those with the same content count once.")
    if most is not None and len(states) > most:
        notes.append(_bounded(text, most, len(states)))
        states = states[:most] if text == PIVOTAL else _balanced(states, most, seed)
    if text != PIVOTAL:
        states = sorted(states, key=_place)
    chosen = [(state.row, state.moment) for state in states]
    return Selected(
        chosen, notes, {moment.name: makers[state.content] for state, (_, moment) in zip(states, chosen, strict=True)}
    )


def check_origin(origin: Origin) -> None:
    """Raises `UserError` for a sweep whose trials have no moments: one without results, or a probe."""
    if not origin.rows:
        raise UserError(f"{origin.name} has no results to take moments from; run it: harness run {origin.name}")
    if any(line.kind == "probe" for line in origin.lineage.values()):
        raise UserError(f"{origin.name} is a probe: each of its trials is one reply, with no moment to go back to")


def _step(text: str) -> int:
    number = text.removeprefix(EVERY)
    if not number.isascii() or not number.isdecimal() or not 1 <= int(number) <= 10**6:
        raise UserError(f"--states {text}: N is a whole number from 1, as in every:3")
    return int(number)


def _nothing(text: str) -> str:
    if text == FIRST_DIVERGENCE:
        return (
            "no two models part anywhere: on every scenario, task, scaffold and repeat that two of them have, they did "
            "the same, or there is but one model; try --states every:3"
        )
    if text.startswith(EVERY):
        return f"no trial has so many calls ({text}); try --states every:1"
    return f"--states {text} names no moment"


def _bounded(text: str, most: int, count: int) -> str:
    if text == PIVOTAL:
        return f"The {most} states whose value differs most are taken, of {count}."
    return f"{most} of {count} states are drawn, in turn from every task and every model that made some."


def _walk(row: TrialRow, document: TrialDocument) -> _Walk:
    """The calls of a trial in order. The digests are chained: each stands for all replies before it."""
    calls = answered_calls(document)
    behind = digest([row.scenario_hash, row.scaffold_hash, row.tools_hash, row.seed])
    found = _Walk(row, [], [], [], [])
    for at, (index, event) in enumerate(calls):
        found.moments.append(Moment(row.trial, at, len(calls), index, call_key(event), event.step))
        found.actions.append(" ; ".join(action.key for action in event.actions))
        found.contents.append(behind)
        found.own.append(not event.replayed and row.models.get(event.role) == row.model)
        behind = digest([behind, event.node, event.role, event.lane, event.visit, event.reply, event.finish])
    return found


def _walks(origin: Origin, rows: Sequence[TrialRow]) -> Iterator[_Walk]:
    """The walks of these trials, one document in memory at a time."""
    by_name = {row.trial: row for row in rows}
    for name, document in origin.store.documents(by_name):
        yield _walk(by_name[name], document)


def _paired_by(origin: Origin, row: TrialRow) -> str:
    """What trials of several models have in common where they pair up."""
    line = origin.lineage.get(row.cell)
    others = {role: model for role, model in row.models.items() if model != row.model}
    factors = {} if line is None else line.factors
    return digest([row.scenario_hash, row.scaffold_hash, row.tools_hash, row.seed, row.repeat, others, dict(factors)])


def _first_divergences(origin: Origin, notes: list[str]) -> list[_State]:
    groups: dict[str, list[TrialRow]] = defaultdict(list)
    for row in origin.rows:
        groups[_paired_by(origin, row)].append(row)
    paired = [group for group in groups.values() if len({row.model for row in group}) > 1]
    alone = sum(len(group) for group in groups.values()) - sum(map(len, paired))
    if alone and paired:
        notes.append(f"{alone} trials pair up with none of another model, and give no first divergence.")
    found: list[_State] = []
    same = pairs = 0
    every = _walks(origin, [row for group in paired for row in group])
    for group in paired:
        walks = list(itertools.islice(every, len(group)))
        for first, second in itertools.combinations(walks, 2):
            if first.row.model == second.row.model:
                continue
            pairs += 1
            at = _parting(first, second)
            if at is None:
                same += 1
            elif first.own[at] and second.own[at]:
                found += [first.state(at), second.state(at)]
    if pairs:
        notes.append(f"First divergences of {pairs:,} pairs of trials; {same:,} pairs do the same throughout.")
    return found


def _parting(first: _Walk, second: _Walk) -> int | None:
    """The first call where what two trials did differs; None where they did the same as long as both went on."""
    for at, (ours, theirs) in enumerate(zip(first.actions, second.actions, strict=False)):
        if ours != theirs or first.moments[at].key != second.moments[at].key:
            return at
    return None


def _every(origin: Origin, step: int) -> Iterator[_State]:
    for walk in _walks(origin, origin.rows):
        for at in range(step - 1, len(walk.moments), step):
            if walk.own[at]:
                yield walk.state(at)


def _pivotal(origin: Origin, results: Path, notes: list[str]) -> list[_State]:
    """Moments of recorded forks, the largest gap between the best and the worst model's mean score first."""
    values: _Values = defaultdict(lambda: defaultdict(list))
    folders = [path.parent for path in sorted(results.glob("*/trials.sqlite"))]
    forks = [folder.name for folder in folders if _read_fork(folder, origin, values)]
    if not forks:
        raise UserError(
            f"no fork of {origin.name} is recorded under {results}; pivotal states are found by one: "
            f"harness fork {origin.name} --states every:1"
        )
    gaps: dict[tuple[str, int], float] = {}
    for (trial, at, _), scores in values.items():
        means = [sum(found) / len(found) for found in scores.values()]
        if len(means) > 1 and max(means) > min(means):
            gaps[trial, at] = max(gaps.get((trial, at), 0.0), max(means) - min(means))
    if not gaps:
        raise UserError(
            f"{', '.join(forks)}: at no moment does the value differ between models; fork more of them, or more often"
        )
    moments = {place[:2] for place in values}
    notes.append(
        f"From {', '.join(forks)}: {len(gaps)} of {len(moments)} forked moments differ in value between models; by "
        "chance alone some do, and the largest gaps are likely too large."
    )
    order = sorted(gaps, key=lambda place: (-gaps[place], place))
    return _at(origin, order)


def _read_fork(folder: Path, origin: Origin, values: _Values) -> bool:
    """Add the scores of one record's rollouts by moment, role handed over and model; says whether it is such a fork.

    Those that draw as the recorded trial did check the way, and are nobody's value.
    """
    try:
        with Store(folder) as store:
            lines = {cell: line for cell, line in store.lineage().items() if line.kind == "fork"}
            lines = {cell: line for cell, line in lines.items() if line.sweep == origin.name}
            free = {cell: line for cell, line in lines.items() if line.detail.get("chance") != "same"}
            drifted = {trial for trial, _ in store.drift()} if free else set()
            for row in store.rows() if free else ():
                line = free.get(row.cell)
                if line is None or line.origin is None or not row.is_result or row.trial in drifted:
                    continue
                if row.score is not None and line.suffix is not None:
                    values[line.origin, line.at, str(line.factors.get("handed"))][line.suffix].append(row.score)
            return bool(free)
    except RecordError:
        return False


def _at(origin: Origin, places: Iterable[tuple[str, int]], where: Callable[[int], str] | None = None) -> list[_State]:
    """The states at these (trial, k), in their order. `where` says on which line of a file the n-th stands."""
    listed = list(places)
    rows = {row.trial: row for row in origin.rows}
    wanted = [trial for trial in dict.fromkeys(trial for trial, _ in listed) if trial in rows]
    asked: dict[str, list[int]] = defaultdict(list)
    for number, (trial, _) in enumerate(listed):
        asked[trial].append(number)
    found: dict[int, _State] = {}
    for walk in _walks(origin, [rows[trial] for trial in wanted]):
        for number in asked[walk.row.trial]:
            at = listed[number][1]
            if at < len(walk.moments):
                found[number] = walk.state(at)
            elif where is not None:
                most = len(walk.moments) - 1
                raise UserError(f"{where(number)}: trial {walk.row.trial} was asked at 0 to {most}, not at {at}")
    return [found[number] for number in sorted(found)]


def _listed(origin: Origin, path: Path) -> list[_State]:
    if not path.is_file():
        raise UserError(f"--states {str(path)[:200]}: no such file, and none of {FORMS}")
    entries = [(number, *_entry(path, number, entry)) for number, entry in _entries(path)]
    known = sorted(row.trial for row in origin.rows)
    places = [(_trial(origin, known, text, f"{path}:{number}"), at) for number, text, at in entries]
    return _at(origin, places, lambda place: f"{path}:{entries[place][0]}")


def _entries(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """(line number, entry) of a CSV or JSONL file. Raises `UserError`."""
    if path.stat().st_size > LARGEST_FILE:
        raise UserError(f"{path}: too large for a list of moments")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{path}: not text in UTF-8; a list of moments is a CSV or JSONL file") from None
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                try:
                    entry = json.loads(line)
                except (ValueError, RecursionError) as error:
                    raise UserError(f"{path}:{number}: not JSON: {error}") from None
                if not isinstance(entry, dict):
                    raise UserError(f'{path}:{number}: not an object such as {{"trial": "...", "at": 3}}')
                yield number, entry
        return
    if _NAMED.fullmatch(text.split("\n", 1)[0].strip()):
        yield from _named(path, text)
        return
    reader = csv.DictReader(text.splitlines())
    try:
        missing = [name for name in ("trial", "at") if name not in (reader.fieldnames or [])]
        if missing:
            raise UserError(f"{path}:1: no column {' and '.join(missing)}; the first line names the columns: trial,at")
        for row in reader:
            yield reader.line_num, dict(row)
    except csv.Error as error:
        raise UserError(f"{path}:{reader.line_num}: not CSV: {error}") from None


def _named(path: Path, text: str) -> Iterator[tuple[int, dict[str, object]]]:
    for number, line in enumerate(text.splitlines(), 1):
        found = _NAMED.fullmatch(line.strip())
        if found is not None:
            yield number, {"trial": found[1], "at": found[2]}
        elif line.strip():
            raise UserError(f"{path}:{number}: not TRIAL@K")


def _entry(path: Path, number: int, entry: dict[str, object]) -> tuple[str, int]:
    trial, at = str(entry.get("trial") or "").strip(), entry.get("at")
    if not trial:
        raise UserError(f"{path}:{number}: no trial")
    text = str(at).strip() if isinstance(at, str | int) and not isinstance(at, bool) else ""
    if not (text.isascii() and text.isdecimal()):
        raise UserError(f"{path}:{number}: at is the number of calls behind the moment, from 0, not {at!r}")
    return trial, int(text)


def _trial(origin: Origin, known: list[str], text: str, where: str) -> str:
    """The one result whose id begins so."""
    from bisect import bisect_left

    begin = bisect_left(known, text)
    found = [name for name in known[begin : begin + 9] if name.startswith(text)]
    if text in found:
        return text
    if len(found) != 1:
        listed = f"several trials begin with {text[:60]!r}: {', '.join(found[:8])}"
        raise UserError(f"{where}: " + (listed if found else f"no result of {origin.name} begins with {text[:60]!r}"))
    return found[0]


def _distinct(found: Sequence[_State]) -> tuple[list[_State], dict[str, list[str]]]:
    """The first of the states with equal content, and the makers of each content in the order they are met."""
    states: dict[str, _State] = {}
    makers: dict[str, list[str]] = defaultdict(list)
    for state in found:
        states.setdefault(state.content, state)
        if state.row.model not in makers[state.content]:
            makers[state.content].append(state.row.model)
    return list(states.values()), makers


def _place(state: _State) -> tuple[object, ...]:
    row = state.row
    return (row.scenario, row.task, row.scaffold, row.repeat, state.moment.at, row.model, row.trial)


def _balanced(states: Sequence[_State], most: int, seed: int) -> list[_State]:
    """A sample drawn by turns: task after task, within a task maker after maker, within a maker at random."""
    chance = random.Random(f"states {seed}")  # noqa: S311 - a sample, not a secret
    tasks: dict[tuple[str, str], dict[str, list[_State]]] = defaultdict(lambda: defaultdict(list))
    for state in sorted(states, key=_place):
        tasks[state.row.scenario, state.row.task][state.row.model].append(state)
    queues: list[list[_State]] = []
    for makers in tasks.values():
        each = list(makers.values())
        for queue in each:
            chance.shuffle(queue)
        chance.shuffle(each)
        queues.append([state for turn in itertools.zip_longest(*each) for state in turn if state is not None])
    chance.shuffle(queues)
    drawn = (state for turn in itertools.zip_longest(*queues) for state in turn if state is not None)
    return list(itertools.islice(drawn, most))
