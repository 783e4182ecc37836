"""What forks show, in plain English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.compare.interventions.fork.rows import Advantage, Drop, Home, Summary
from harness.compare.sentences import amount, chance_of, counted, more, oriented, p_value, points, size, would
from harness.compare.statistics import MIN_CLUSTERS_TESTED, Estimate

if TYPE_CHECKING:
    from harness.compare.interventions.fork.result import Fork

MOST_PAIRS = 6
MOST_STATES = 3
MOST_DROPS = 3
LONGEST = 90


def told(found: Fork) -> list[str]:
    """The findings, the most important first."""
    if found.too_few is not None:
        return [found.too_few]
    say = _Words(found.shares)
    lines = []
    if found.checked:
        lines.append(
            f"{found.checked_as_recorded} of {counted(found.checked, 'continuation')} with the model that had played, "
            "drawing as it had, came out as recorded."
        )
    if not found.rollouts:
        return lines
    whole = [row for row in found.summaries if row.part == "all"]
    if not whole:
        name = ", ".join(dict.fromkeys(row.model for row in found.values))
        lines.append(
            f"Only {name} went on ({counted(found.rollouts, 'continuation')} of {counted(found.states, 'state')}): "
            "what a state is worth under one model is told, but an advantage takes two."
        )
    lines += [_ahead(row, say) for row in whole[:MOST_PAIRS]]
    if len(whole) > MOST_PAIRS:
        lines.append(f"{counted(len(whole) - MOST_PAIRS, 'further pair')} of models are in the tables.")
    lines += [_apart(found, n, say) for n in range(min(len(found.apart), MOST_PAIRS))]
    lines += _pivotal(found, say)
    lines += _depths(found, say)
    lines += [text for home in found.homes[:MOST_PAIRS] if (text := _home(home, say))]
    lines += _drops(found, say)
    for choice in found.choices[:MOST_PAIRS]:
        if choice.different >= 0.005:
            lines.append(
                f"{choice.first} and {choice.second} take another next action from the same state "
                f"{points(choice.different, 0)}% of the time; of their difference {say.estimate(choice.by_choice)} is "
                f"due to that choice, {say.estimate(choice.by_rest)} to what comes after."
            )
    return lines


class _Words:
    """Differences in points where outcomes are shares, else as amounts."""

    def __init__(self, shares: bool) -> None:
        self.shares = shares

    def number(self, value: float) -> str:
        return f"{points(value)} points" if self.shares else amount(value)

    def value(self, value: float) -> str:
        return f"{value:.2f}" if self.shares else amount(value)

    def estimate(self, value: Estimate) -> str:
        if value.estimate is None:
            return "an unknown part"
        head = self.number(value.estimate)
        if value.low is None or value.high is None:
            return head
        ends = [points(end) if self.shares else amount(end) for end in (value.low, value.high)]
        return f"{head} ({ends[0]} to {ends[1]})"


def _ahead(row: Summary, say: _Words) -> str:
    difference, states = row.difference, counted(row.difference.n, "state")
    names = f"{row.first} and {row.second}"
    if difference.clusters < MIN_CLUSTERS_TESTED:
        return (
            f"Going on from the same {states}, {names} differ by {say.number(difference.estimate or 0.0)} (the first "
            f"less the second), on {counted(difference.clusters, 'independent task')}; it takes at least "
            f"{MIN_CLUSTERS_TESTED} to tell anything from chance for others like them."
        )
    if difference.shown:
        better, worse, turned = oriented(row.first, row.second, difference)
        amount_more = more(turned) if say.shares else f"{say.number(turned.estimate or 0.0)} more"
        return f"{better} goes on better than {worse} from the same {states} ({amount_more}; {chance_of(turned)})."
    seen = size(difference) if say.shares else f"difference {say.number(difference.estimate or 0.0)}"
    shown = f"; {would(difference)}" if say.shares else ""
    return f"{names} go on equally well from the same {states}, as far as can be told ({seen}{shown})."


def _apart(found: Fork, n: int, say: _Words) -> str:
    row = found.apart[n]
    seen = f"{say.number(row.apart)} apart on average, where exchanged names give {say.number(row.floor)}"
    pair = f"{row.first} and {row.second}"
    if row.p < 0.05:
        return f"It matters who goes on: a state's values under {pair} are {seen} ({_chance(row.p)})."
    return f"A state's values under {pair} are {seen}: no more than chance ({_chance(row.p)})."


def _pivotal(found: Fork, say: _Words) -> list[str]:
    shown = [row for row in found.pivotal if row.pivotal]
    if not found.pivotal:
        return []
    if not shown:
        top = found.pivotal[0]
        if top.difference == 0:
            return [f"None of {counted(len(found.pivotal), 'state')} is pivotal: no value differs between models."]
        return [
            f"No single state of {len(found.pivotal)} can be called pivotal: the likeliest, {top.state} ({top.task}, "
            f"{top.at} of {top.of} calls behind), differs by "
            f"{say.number(abs(top.difference))}, of which {say.number(abs(top.believed))} are to be believed."
        ]
    lines = [f"{counted(len(shown), 'state')} of {len(found.pivotal)} can be called pivotal."] if len(shown) > 1 else []
    return lines + [_state(row, say, n == 0) for n, row in enumerate(shown[:MOST_STATES])]


def _state(row: Advantage, say: _Words, first: bool) -> str:
    worth = f"{say.value(row.first_value)} under {row.first}, {say.value(row.second_value)} under {row.second}"
    done = f"; there {row.prefix} went on with {_short(row.next_action)}" if row.next_action else ""
    return (
        f"{'The most pivotal state is' if first else 'So is'} {row.state} ({row.task}, {row.at} of {row.of} calls "
        f"behind): worth {worth} ({_chance(row.p_largest)} among all states){done}."
    )


def _depths(found: Fork, say: _Words) -> list[str]:
    lines = []
    for row in found.summaries:
        if row.part == "all" or not row.difference.shown or row.difference.clusters < MIN_CLUSTERS_TESTED:
            continue
        better, worse, turned = oriented(row.first, row.second, row.difference)
        lines.append(
            f"From moments in the {row.part} of a trial, {better} goes on better than {worse} by "
            f"{say.number(turned.estimate or 0.0)}."
        )
    return lines


def _home(home: Home, say: _Words) -> str | None:
    difference = home.difference
    if difference.estimate is None:
        return None
    seen = (
        f"{home.first} less {home.second} is {say.estimate(home.on_first)} on states that {home.first} made and "
        f"{say.estimate(home.on_second)} on those of {home.second}"
    )
    if difference.clusters < MIN_CLUSTERS_TESTED:
        return (
            f"Own against foreign states: {seen} ({counted(difference.clusters, 'task')} with both: too few to test)."
        )
    if difference.shown:
        better = "its own states" if difference.estimate > 0 else "the other's states"
        return f"Each is relatively better on {better}: {seen} ({chance_of(difference)})."
    return f"Neither is shown to be better on its own states: {seen}."


def _drops(found: Fork, say: _Words) -> list[str]:
    fallen = [row for row in found.drops if row.change < 0 and (row.p_adjusted or 1.0) < 0.05]
    lines = [_drop(row, say) for row in _apart_trials(fallen)[:MOST_DROPS]]
    if len(fallen) > len(lines):
        lines.append(f"{counted(len(fallen) - len(lines), 'further fall')} in value are in the tables.")
    return lines


def _apart_trials(rows: list[Drop]) -> list[Drop]:
    """One row for each place in a trial: of several models, the largest fall."""
    seen: set[tuple[str, int]] = set()
    return [row for row in rows if not ((row.trial, row.at) in seen or seen.add((row.trial, row.at)))]  # type: ignore[func-returns-value]


def _drop(row: Drop, say: _Words) -> str:
    done = "; ".join(row.actions)
    return (
        f"In {row.trial} ({row.prefix}, {row.task}) the value under {row.model} falls from {say.value(row.before)} to "
        f"{say.value(row.after)} between {row.at} and {row.until} calls"
        + (f", after {_short(done)}" if done else "")
        + f" ({_chance(row.p_adjusted)})."
    )


def _chance(p: float | None) -> str:
    """`p = .031`, `p < .001`."""
    text = p_value(p)
    return f"p < {text[1:]}" if text.startswith("<") else f"p = {text}"


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 3]}..."
