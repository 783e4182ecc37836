"""Traded seats to be read: who gets what where, the seat table, social relations, ratings, and what changes others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from harness.compare import amount, p_value
from harness.compare.interventions.seats import Seats
from harness.compare.interventions.seats.effects import SELF_PLAY, Effect, Interaction, Meeting
from harness.compare.interventions.seats.others import Moved, Mover
from harness.compare.interventions.seats.relations import RatingPair
from harness.compare.interventions.seats.result import SeatedScenario
from harness.compare.statistics import Difference, Estimate
from harness.report import cells
from harness.report.links import trials_link
from harness.report.table import Cell, Column, Table

Row = TypeVar("Row", Effect, Interaction, RatingPair)

MOST_ROWS = 24
MOST_MODELS = 10
"""Models of one table with a column for each opposite."""


def tables(result: Seats) -> list[Table]:
    """Scenario by scenario."""
    if result.too_few is not None:
        return []
    made: list[Table] = []
    for scenario in result.scenarios:
        head = f"{scenario.scenario}: " if len(result.scenarios) > 1 else ""
        made += [_means(result, scenario, head), *_meetings(result, scenario, head)]
        made += [_effects(result, scenario, head), *_interactions(result, scenario, head)]
        made += [*_components(result, scenario, head), *_ratings(result, scenario, head)]
        made += [*_moved(result, scenario, head), *_movers(result, scenario, head)]
    return made


def value(found: Estimate, scenario: SeatedScenario) -> str:
    """A mean as it stands in a cell: a share in %, else an amount."""
    return cells.rate(found) if scenario.shares else cells.mean_interval(found)


def difference(found: Difference, scenario: SeatedScenario) -> str:
    """A difference as it stands in a cell: in points, else an amount."""
    return cells.difference_points(found) if scenario.shares else cells.difference_amount(found)


def unit(scenario: SeatedScenario) -> str:
    """What numbers of a table are in, for its title."""
    return ", points" if scenario.shares else ""


def whose(outcome: str) -> str:
    """`what buyer gets`, `score`."""
    return "score" if outcome == "all" else f"what {outcome} gets"


def effect_name(effect: Effect) -> str:
    """`A - B as seller`."""
    if effect.role == SELF_PLAY:
        return f"{effect.first} - {effect.second}"
    return f"{effect.first} - {effect.second} as {effect.seat}"


def _means(result: Seats, scenario: SeatedScenario, head: str) -> Table:
    """One row for each model, one column for each outcome and seat."""
    here = [each for each in result.means if each.scenario == scenario.scenario]
    places = list(dict.fromkeys((each.outcome, each.seat) for each in here))
    if len(places) > 9:  # seats that are not one's own are in the effects
        places = [(outcome, seat) for outcome, seat in places if outcome in ("all", seat)]
    known = {(each.model, each.outcome, each.seat): each.mean for each in here}
    columns = [Column("model", "left", key=True)]
    columns += [Column(f"as {seat}" if o == "all" else f"{o}, model as {seat}") for o, seat in places]
    body = [
        [model, *(value(known[model, outcome, seat], scenario) for outcome, seat in places)]
        for model in scenario.models
    ]
    what = "score" if scenario.joint else "what a seat gets"
    percent = ", %" if scenario.shares else ""
    return Table(f"{head}Seats and models: {what} by who sits where{percent}", columns, body)


def _meetings(result: Seats, scenario: SeatedScenario, head: str) -> list[Table]:
    """For every two seats a square: what the first gets, by who sits in it (rows) and in the other (columns)."""
    if len(scenario.models) > MOST_MODELS or len(scenario.seats) > 3:
        return []
    here = [each for each in result.meetings if each.scenario == scenario.scenario]
    found = []
    for outcome, seat, other in dict.fromkeys((each.outcome, each.seat, each.other) for each in here):
        square = {(m.model, m.opposite): m for m in here if (m.outcome, m.seat, m.other) == (outcome, seat, other)}
        columns = [Column(f"{seat} \\ {other}", "left", key=True), *(Column(model) for model in scenario.models)]
        body = [[row, *(_met(square[row, column], scenario) for column in scenario.models)] for row in scenario.models]
        percent = ", %" if scenario.shares else ""
        found.append(
            Table(f"{head}{whose(outcome).capitalize()} by who is {seat} (rows) and {other}{percent}", columns, body)
        )
    return found


def _met(meeting: Meeting, scenario: SeatedScenario) -> str:
    found = meeting.mean
    if found.estimate is None:
        return cells.NONE
    text = f"{100 * found.estimate:.0f}" if scenario.shares else cells.short(found.estimate)
    return Cell(text, meeting_link(meeting, scenario))


def meeting_link(meeting: Meeting, scenario: SeatedScenario) -> str:
    """The link to the trials in which two models met."""
    sat = ((meeting.seat, meeting.model), (meeting.other, meeting.opposite))
    return trials_link({"scenario": scenario.of} | {f"model.{scenario.roles[seat][0]}": model for seat, model in sat})


def _effects(result: Seats, scenario: SeatedScenario, head: str) -> Table:
    here = [each for each in result.effects if each.scenario == scenario.scenario]
    shown = _clearest(here, MOST_ROWS)
    columns = [Column("what", "left", key=True), Column("effect", "left"), Column("first - second", "left", key=True)]
    columns += [Column("difference"), Column("p"), Column("would show"), Column("tasks")]
    body = [
        [
            whose(each.outcome), each.role, effect_name(each), difference(each.difference, scenario),
            cells.p_cell(each.difference), _would(each.difference, scenario), str(each.difference.clusters),
        ]
        for each in shown
    ]  # fmt: skip
    title = f"{head}Effects of who sits where{unit(scenario)}{_of(len(shown), len(here))}"
    return Table(title, columns, body, frozenset(n for n, each in enumerate(shown) if each.difference.shown))


def _interactions(result: Seats, scenario: SeatedScenario, head: str) -> list[Table]:
    here = [each for each in result.interactions if each.scenario == scenario.scenario]
    if not here:
        return []
    shown = _clearest(here, MOST_ROWS // 2)
    columns = [Column("what", "left", key=True), Column("first - second", "left", key=True)]
    columns += [Column("with - with", "left", key=True), Column("difference"), Column("p"), Column("would show")]
    body = [
        [
            whose(each.outcome), f"{each.first} - {each.second} as {each.seat}",
            f"{each.third} - {each.fourth} as {each.other}", difference(each.difference, scenario),
            cells.p_cell(each.difference), _would(each.difference, scenario),
        ]
        for each in shown
    ]  # fmt: skip
    title = f"{head}What depends on who meets whom{unit(scenario)}{_of(len(shown), len(here))}"
    return [Table(title, columns, body, frozenset(n for n, each in enumerate(shown) if each.difference.shown))]


def _components(result: Seats, scenario: SeatedScenario, head: str) -> list[Table]:
    here = [each for each in result.components if each.scenario == scenario.scenario]
    if not here:
        return []
    columns = [Column("component", "left", key=True), Column("meaning", "left"), Column("lasting"), Column("share")]
    columns += [Column("passing")]
    body = [
        [
            each.name.replace("_", "-"),
            each.meaning,
            interval(each.lasting),
            cells.share(each.share),
            figure(each.passing),
        ]
        for each in here
    ]
    return [Table(f"{head}Social relations: variances and covariances, 95% intervals", columns, body)]


def _ratings(result: Seats, scenario: SeatedScenario, head: str) -> list[Table]:
    rated = sorted(
        (each for each in result.ratings if each.scenario == scenario.scenario),
        key=lambda each: -(each.rating.estimate or 0.0),
    )
    if not rated:
        return []
    columns = [
        Column("model or seat", "left", key=True),
        Column("rating"),
        Column("won"),
        Column("lost"),
        Column("tied"),
    ]
    body = [[each.model, interval(each.rating), str(each.won), str(each.lost), str(each.tied)] for each in rated]
    advantages = [seat for seat in result.seat_advantages if seat.scenario == scenario.scenario]
    body += [[f"seat {seat.seat}", interval(seat.advantage), "", "", ""] for seat in advantages]
    made = [Table(f"{head}Ratings, in logits, with 95% intervals", columns, body)]
    pairs = [each for each in result.rating_pairs if each.scenario == scenario.scenario]
    shown = _clearest(pairs, MOST_ROWS)
    columns = [Column("first - second", "left", key=True), Column("logits"), Column("first wins"), Column("p")]
    columns += [Column("won/lost/tied")]
    body = [
        [
            f"{each.first} - {each.second}", cells.difference_amount(each.difference), cells.share(each.wins),
            cells.p_cell(each.difference), f"{each.difference.won}/{each.difference.lost}/{each.difference.tied}",
        ]
        for each in shown
    ]  # fmt: skip
    title = f"{head}Who wins against whom, on equal seats{_of(len(shown), len(pairs))}"
    strong = frozenset(n for n, each in enumerate(shown) if each.difference.shown)
    return [*made, Table(title, columns, body, strong)]


def _moved(result: Seats, scenario: SeatedScenario, head: str) -> list[Table]:
    here = [each for each in result.moved if each.scenario == scenario.scenario]
    shown = sorted(here, key=lambda each: each.floor - each.distance)[:MOST_ROWS]
    if not here:
        return []
    columns = [
        Column("model", "left", key=True),
        Column("as", "left", key=True),
        Column("who changes it", "left", key=True),
    ]
    columns += [Column("distance"), Column("floor"), Column("p"), Column("most with", "left"), Column("action", "left")]
    columns += [Column("with it"), Column("else"), Column("trials")]
    body = [
        [
            each.model, each.seat, each.by, f"{each.distance:.2f}", f"{each.floor:.2f}", _p(each), each.partner,
            each.action, cells.share(each.with_partner), cells.share(each.with_others), str(each.trials),
        ]
        for each in shown
    ]  # fmt: skip
    title = f"{head}What a model does, by who sits elsewhere: total variation{_of(len(shown), len(here))}"
    return [Table(title, columns, body, frozenset(n for n, each in enumerate(shown) if each.shown))]


def _movers(result: Seats, scenario: SeatedScenario, head: str) -> list[Table]:
    here = [each for each in result.movers if each.scenario == scenario.scenario]
    shown = sorted(here, key=lambda each: each.floor - each.distance)[:MOST_ROWS]
    if not here:
        return []
    columns = [Column("model", "left", key=True), Column("as", "left", key=True), Column("changes", "left", key=True)]
    columns += [Column("distance"), Column("floor"), Column("p"), Column("action", "left"), Column("with it")]
    columns += [Column("else"), Column("trials")]
    body = [
        [
            each.model, each.by, each.seat, f"{each.distance:.2f}", f"{each.floor:.2f}", _p(each), each.action,
            cells.share(each.with_partner), cells.share(each.with_others), str(each.trials),
        ]
        for each in shown
    ]  # fmt: skip
    title = f"{head}Who changes what others do: total variation{_of(len(shown), len(here))}"
    return [Table(title, columns, body, frozenset(n for n, each in enumerate(shown) if each.shown))]


def figure(found: float) -> str:
    """Three figures or so, of what may be negative and small: `-0.012`, `1.3`."""
    return amount(found) if abs(found) >= 0.1 or found == 0 else f"{found:.2g}"


def interval(found: Estimate) -> str:
    """`0.31 (-0.1 to 0.7)`, of what may be negative."""
    if found.estimate is None:
        return cells.NONE
    if found.low is None or found.high is None:
        return f"{figure(found.estimate)} ({cells.TOO_FEW})"
    return f"{figure(found.estimate)} ({figure(found.low)} to {figure(found.high)})"


def _would(found: Difference, scenario: SeatedScenario) -> str:
    if scenario.shares:
        return cells.detectable(found)
    if found.needed is not None:
        return f"{cells.TOO_FEW} ({found.needed})"
    return cells.NONE if found.detectable is None else amount(found.detectable)


def _p(found: Moved | Mover) -> str:
    return p_value(found.p if found.p_adjusted is None else found.p_adjusted)


def _clearest(found: Sequence[Row], most: int) -> list[Row]:
    def clarity(number: int) -> tuple[bool, float, float, int]:
        made = found[number].difference
        return made.p is None, made.p or 0.0, -abs(made.estimate or 0.0), number

    return [found[number] for number in sorted(sorted(range(len(found)), key=clarity)[:most])]


def _of(shown: int, count: int) -> str:
    return "" if shown >= count else f" (the {shown} clearest of {count}; all with --json)"
