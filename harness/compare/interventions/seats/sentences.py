"""Traded seats in plain English."""

from __future__ import annotations

from collections.abc import Sequence

from harness.compare.interventions.seats.effects import ACTOR, PARTNER, SELF_PLAY, SHARED, Effect, Interaction
from harness.compare.interventions.seats.others import OTHERS, Moved, Mover
from harness.compare.interventions.seats.relations import Component, RatingPair
from harness.compare.interventions.seats.result import SeatedScenario, Seats
from harness.compare.sentences import amount, chance_of, counted, oriented, p_value, points
from harness.compare.statistics import MIN_CLUSTERS_TESTED, Difference

MOST = 3
"""Findings of a kind that are told one by one."""


def told(result: Seats) -> list[str]:
    """Scenario by scenario."""
    found: list[str] = []
    for scenario in result.scenarios:
        head = f"{scenario.scenario}: " if len(result.scenarios) > 1 else ""
        found += [head + text for text in _scenario(result, scenario)]
    return found


def _scenario(result: Seats, scenario: SeatedScenario) -> list[str]:
    name = scenario.scenario
    effects = [each for each in result.effects if each.scenario == name]
    interactions = [each for each in result.interactions if each.scenario == name]
    found = _effects(effects, scenario)
    found += _interactions(interactions, scenario)
    found += _relations([each for each in result.components if each.scenario == name])
    found += _ratings([each for each in result.rating_pairs if each.scenario == name])
    moved = [each for each in result.moved if each.scenario == name]
    return found + _moved(moved, [each for each in result.movers if each.scenario == name])


def size(difference: Difference, scenario: SeatedScenario) -> str:
    """`12.0 points more, 3.1 to 20.9`, or in the outcome's own measure."""
    show = points if scenario.shares else amount
    unit = " points" if scenario.shares else ""
    if difference.low is None or difference.high is None:
        return f"{show(difference.estimate)}{unit} more"
    return f"{show(difference.estimate)}{unit} more, {show(difference.low)} to {show(difference.high)}"


def _effects(found: Sequence[Effect], scenario: SeatedScenario) -> list[str]:
    known = [each for each in found if each.difference.estimate is not None]
    if not known:
        return ["No task has all seatings that a comparison takes."]
    if scenario.tasks < MIN_CLUSTERS_TESTED:
        listed = [each for each in known if each.role != SELF_PLAY]
        largest = max(listed, key=lambda each: abs(each.difference.estimate or 0.0))
        nothing = not any(each.difference.estimate for each in listed)
        most = "None differs" if nothing else f"The largest difference: {_effect(largest, scenario, tested=False)}"
        return [
            f"Too few tasks to tell effects of seats from chance: {counted(scenario.tasks, 'independent task')}, and "
            f"it takes {MIN_CLUSTERS_TESTED}. {most}."
        ]
    shown = sorted((each for each in known if each.difference.shown), key=_clarity)
    told = []
    for role in (ACTOR, PARTNER, SHARED, SELF_PLAY):
        here = [each for each in shown if each.role == role]
        told += [f"{_effect(each, scenario)}." for each in here[:MOST]]
        if len(here) > MOST:
            told.append(f"{counted(len(here) - MOST, f'further {role} difference')} can be told from chance.")
    for role, text in (
        (ACTOR, "No model is shown to get more than another in its own seat"),
        (PARTNER, "No model is shown to leave others more or less than another does"),
        (SHARED, "It is not shown to matter who sits where"),
    ):
        here = [each for each in known if each.role == role]
        if here and not any(each.difference.shown for each in here):
            told.append(f"{text} ({_largest(here, scenario)}).")
    return told


def _clarity(found: Effect | Interaction | RatingPair) -> tuple[float, float]:
    return found.difference.p or 0.0, -abs(found.difference.estimate or 0.0)


def _effect(effect: Effect, scenario: SeatedScenario, tested: bool = True) -> str:
    chance = f"; {chance_of(effect.difference)}" if tested else ""
    if effect.role == SELF_PLAY:
        first, second, difference = oriented(effect.first, effect.second, effect.difference)
        whose = "all together get" if effect.outcome == "all" else f"{effect.outcome} gets"
        return f"When models meet: {whose} more {first} than {second} ({size(difference, scenario)}{chance})"
    better, worse, difference = oriented(effect.first, effect.second, effect.difference)
    told = f"({size(difference, scenario)}{chance})"
    if effect.role == ACTOR:
        return f"As {effect.seat}, {better} gets more than {worse} {told}"
    if effect.role == PARTNER:
        return f"{effect.outcome} gets more when {better} is {effect.seat} than when {worse} is {told}"
    return f"Scores are higher with {better} as {effect.seat} than with {worse} {told}"


def _largest(found: Sequence[Effect], scenario: SeatedScenario) -> str:
    reach = [each.difference.detectable for each in found if each.difference.detectable is not None]
    if not reach:
        return "too little varies to say what would have shown"
    show = f"{points(max(reach))} points" if scenario.shares else amount(max(reach))
    return f"{show} or more would have shown"


def _interactions(found: Sequence[Interaction], scenario: SeatedScenario) -> list[str]:
    if scenario.tasks < MIN_CLUSTERS_TESTED or not any(each.difference.p is not None for each in found):
        return []
    shown = sorted((each for each in found if each.difference.shown), key=_clarity)
    if not shown:
        return ["Who gets what is not shown to depend on who meets whom."]
    told = []
    for each in shown[: MOST - 1]:
        whose = "the score" if each.outcome == "all" else f"what {each.outcome} gets"
        (third, fourth), difference = (each.third, each.fourth), each.difference
        if (difference.estimate or 0.0) < 0:
            (fourth, third), (_, _, difference) = (third, fourth), oriented("", "", difference)
        told.append(
            f"In {whose}, {each.first} as {each.seat} is further ahead of {each.second} with {third} as {each.other} "
            f"than with {fourth} ({size(difference, scenario)}; {chance_of(difference)})."
        )
    if len(shown) > MOST - 1:
        told.append(
            f"{counted(len(shown) - MOST + 1, 'further interaction')} of who meets whom can be told from chance."
        )
    return told


def _relations(found: Sequence[Component]) -> list[str]:
    shares = [each for each in found if each.share is not None]
    if not shares:
        return []
    listed = ", ".join(f"{100 * (each.share or 0):.0f}% {each.name}" for each in shares)
    told = [f"Of what lasts from task to task in who gets what, {listed} (variance of the social relations model)."]
    for each in found:
        if each.share is None and each.lasting.low is not None and each.lasting.high is not None:
            sign = 1 if each.lasting.low > 0 else -1 if each.lasting.high < 0 else 0
            if sign and each.name == "actor_partner":
                told.append(f"Who gets more leaves others {'more' if sign > 0 else 'less'}.")
            if sign and each.name == "dyadic":
                told.append(
                    f"What is special in a pair is {'the same' if sign > 0 else 'the opposite'} for both sides."
                )
    return told


def _ratings(found: Sequence[RatingPair]) -> list[str]:
    known = [each for each in found if each.difference.p is not None]
    if not known:
        return []
    shown = sorted((each for each in known if each.difference.shown), key=_clarity)
    if not shown:
        reach = max((each.difference.detectable or 0.0 for each in known), default=0.0)
        return [f"No model is shown to win more often than another ({amount(reach)} logits or more would have shown)."]
    told = []
    for each in shown[:MOST]:
        better, worse, difference = oriented(each.first, each.second, each.difference)
        wins = max(each.wins, 1 - each.wins)
        told.append(
            f"{better} wins against {worse}: {100 * wins:.0f}% of what is decided on equal seats "
            f"({chance_of(difference)})."
        )
    if len(shown) > MOST:
        told.append(f"{counted(len(shown) - MOST, 'further pair')} can be told apart by who wins.")
    return told


def _moved(moved: Sequence[Moved], movers: Sequence[Mover]) -> list[str]:
    shown = sorted((each for each in moved if each.shown), key=lambda each: -(each.distance - each.floor))
    if not shown:
        return ["No model is shown to act otherwise for who sits opposite."] if moved else []
    told = []
    for each in shown[:MOST]:
        who = f"{each.partner} as {each.by}" if each.by != OTHERS else each.partner
        by = each.by if each.by != OTHERS else "with it"
        told.append(
            f"{each.model} as {each.seat} acts differently for who is {by}: with {who}, "
            f"{100 * each.with_partner:.0f}% of its actions are {each.action}, else "
            f"{100 * each.with_others:.0f}% (distance {each.distance:.2f}, by chance {each.floor:.2f}; p {_p(each)})."
        )
    if len(shown) > MOST:
        told.append(f"{counted(len(shown) - MOST, 'further model')} in a seat act differently for who sits elsewhere.")
    clear = sorted((each for each in movers if each.shown), key=lambda each: -(each.distance - each.floor))
    if clear:
        most = clear[0]
        told.append(
            f"{most.model} as {most.by} changes most what {most.seat} does: {most.action} "
            f"{100 * most.with_partner:.0f}% against {100 * most.with_others:.0f}% (p {_p(most)})."
        )
    return told


def _p(found: Moved | Mover) -> str:
    text = p_value(found.p if found.p_adjusted is None else found.p_adjusted)
    return text.replace("<", "< ") if text.startswith("<") else f"= {text}"
