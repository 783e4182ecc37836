"""What was done next from a state, what came of each next action, and how much of an advantage is due to that choice.

With pi_m(a) the share of a model's continuations that take action a next and Q_m(a) what those came to, the difference
of two models' values is exactly

    sum_a (pi_1 - pi_2) (Q_1 + Q_2) / 2 (another choice) + sum_a (pi_1 + pi_2) / 2 (Q_1 - Q_2) (what comes after)

(Kitagawa, "Components of a Difference Between Two Rates", JASA 50, 1955). Of an action that one of the two never takes,
what comes after under that one is taken to be what the other makes of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.compare.evidence import Evidence
from harness.compare.interventions.fork.rollouts import Floats, Integers, Rollouts
from harness.compare.interventions.fork.rows import Choice, NextAction
from harness.compare.statistics import mean_interval

MOST_STATES = 60
"""States whose next actions are listed one by one: those at which they differ most in what they come to."""
NOTHING = "(nothing)"


def next_actions(evidence: Evidence, found: Rollouts) -> tuple[Integers, list[str], bool]:
    """(the next action of each continuation, -1 where nobody wrote it down; their names; whether arguments count).

    Arguments count where at least half of the continuations share their next action with another model's continuation
    of the same state; else nearly every action is one of a kind, and the tools alone are told apart.
    """
    none = np.full(len(found.state), -1, dtype=np.int64)
    paths = evidence.paths
    if paths is None or not len(found.state):
        return none, [], False
    known = np.flatnonzero(paths.known[found.row])
    first = paths.offsets[found.row[known]]
    exact, coarse = none.copy(), none.copy()
    coarse[known] = paths.action[first]
    keys = paths.key[first].astype(np.int64)
    whole = bool((keys >= 0).all()) and len(keys) > 0
    if whole:
        exact[known] = keys
    with_arguments = whole and _shared(found, exact) >= 0.5
    chosen = exact if with_arguments else coarse
    used, renumbered = np.unique(chosen[known], return_inverse=True)
    codes = none.copy()
    codes[known] = renumbered
    if not with_arguments:
        return codes, [paths.names[int(code)] for code in used], False
    texts = _texts(evidence, found, codes, len(used))
    plain = {int(code): paths.names[int(paths.action[place])] for code, place in zip(renumbered, first, strict=True)}
    return codes, [f"{plain[n]} {texts[n]}".rstrip() for n in range(len(used))], True


def following(found: Rollouts, codes: Integers, names: Sequence[str]) -> list[NextAction]:
    """One row for each next action at the states where it is not all one which is taken."""
    made: list[tuple[float, list[NextAction]]] = []
    for place, state in enumerate(found.states):
        here = np.flatnonzero((found.state == place) & (codes >= 0))
        taken = np.unique(codes[here])
        if len(taken) < 2:
            continue
        rows = []
        for code in taken:
            inside = here[codes[here] == code]
            counts = [
                f"{model} {np.sum(found.model[inside] == m)} of {np.sum(found.model[here] == m)}"
                for m, model in enumerate(found.models)
                if np.any(found.model[here] == m)
            ]
            rows.append(
                NextAction(
                    state.name, state.task, names[int(code)], ", ".join(counts), len(inside),
                    float(found.score[inside].mean()), _over_others(found, here, codes, int(code)),
                )
            )  # fmt: skip
        worth = [row.value for row in rows]
        if max(worth) > min(worth):
            made.append(
                (max(worth) - min(worth), sorted(rows, key=lambda row: (-row.value, -row.rollouts, row.action)))
            )
    made.sort(key=lambda item: -item[0])
    return [row for _, rows in made[:MOST_STATES] for row in rows]


def choices(found: Rollouts, codes: Integers, pairs: Sequence[tuple[int, int]]) -> list[Choice]:
    """For each pair what of its advantage is due to the next action; means over states, clustered by task."""
    made = []
    for one, other in pairs:
        parts = [
            (place, *part) for place in range(len(found.states)) if (part := _split(found, codes, place, one, other))
        ]
        if not parts:
            continue
        cluster = found.cluster[[place for place, *_ in parts]]
        by_choice, by_rest, different = (np.array(column) for column in zip(*(part for _, *part in parts), strict=True))
        made.append(
            Choice(
                found.models[one], found.models[other], len(parts), float(different.mean()),
                mean_interval(by_choice, cluster), mean_interval(by_rest, cluster),
            )
        )  # fmt: skip
    return made


def kitagawa(first: Floats, second: Floats, ours: Integers, theirs: Integers) -> tuple[float, float, float]:
    """(due to the choice, due to what comes after, total variation of the choices) from outcomes and actions of each.

    The first two add up to the difference of the means. None of the arrays is empty.
    """
    by_choice = by_rest = distance = 0.0
    for code in np.union1d(ours, theirs):
        mine, other = first[ours == code], second[theirs == code]
        p, q = len(mine) / len(first), len(other) / len(second)
        value = float(mine.mean()) if len(mine) else float(other.mean())
        worth = float(other.mean()) if len(other) else float(mine.mean())
        by_choice += (p - q) * (value + worth) / 2
        by_rest += (p + q) / 2 * (value - worth)
        distance += abs(p - q) / 2
    return by_choice, by_rest, distance


def _split(found: Rollouts, codes: Integers, place: int, one: int, other: int) -> tuple[float, float, float] | None:
    here = (found.state == place) & (codes >= 0)
    ours, theirs = here & (found.model == one), here & (found.model == other)
    if not ours.any() or not theirs.any():
        return None
    return kitagawa(found.score[ours], found.score[theirs], codes[ours], codes[theirs])


def _over_others(found: Rollouts, here: Integers, codes: Integers, code: int) -> float | None:
    gains = []
    for model in np.unique(found.model[here]):
        own = here[found.model[here] == model]
        took = codes[own] == code
        if took.any() and not took.all():
            gains.append(float(found.score[own[took]].mean() - found.score[own[~took]].mean()))
    return float(np.mean(gains)) if gains else None


def _shared(found: Rollouts, codes: Integers) -> float:
    """Share of continuations whose next action another model takes too, at the same state."""
    known = codes >= 0
    takers: dict[tuple[int, int], set[int]] = {}
    for state, code, model in zip(found.state[known], codes[known], found.model[known], strict=True):
        takers.setdefault((int(state), int(code)), set()).add(int(model))
    places = zip(found.state[known], codes[known], strict=True)
    return float(np.mean([len(takers[int(state), int(code)]) > 1 for state, code in places])) if known.any() else 0.0


def _texts(evidence: Evidence, found: Rollouts, codes: Integers, count: int) -> list[str]:
    """The arguments of each action, as one of its continuations gave them; empty where nobody can read them."""
    texts = [""] * count
    if evidence.read is None:
        return texts
    example = {
        int(codes[n]): str(evidence.results["trial"].iloc[int(found.row[n])]) for n in np.flatnonzero(codes >= 0)
    }
    table = evidence.read(sorted(set(example.values())))
    first = table[table["position"] == table.groupby("trial")["position"].transform("min")].set_index("trial")
    for code, trial in example.items():
        if trial in first.index:
            text = first.loc[trial, "arguments"]
            texts[code] = text if isinstance(text, str) and text != "{}" else ""
    return texts
