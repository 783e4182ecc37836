"""From evidence to what traded seats show, scenario by scenario."""

from __future__ import annotations

import numpy as np

from harness.compare.cautions import cautions
from harness.compare.evidence import Evidence
from harness.compare.interventions.seats.effects import effects, interactions, meetings, seat_means, share_bounds
from harness.compare.interventions.seats.layout import JOINT, Game, games
from harness.compare.interventions.seats.others import others
from harness.compare.interventions.seats.relations import components, ratings
from harness.compare.interventions.seats.result import SeatedScenario, Seats
from harness.compare.sentences import counted, would_show
from harness.compare.statistics import MIN_CLUSTERS_TESTED
from harness.compare.statistics.round_robin.ratings import SPREAD
from harness.compare.statistics.round_robin.social_relations import FEWEST

NOTHING = (
    "No trial has a result of two models that sit in the same seat (and an orthogonal array is told as a whole: leave "
    "out --models)."
)
FEW_MODELS = 8
"""Models below which variances among models are said to be of these models."""


def seats(evidence: Evidence) -> Seats:
    """Actor, partner and interaction effects, social relations, ratings, and what changes others."""
    told = [caution.text for caution in cautions(evidence)]
    found = games(evidence)
    if not found:
        return Seats(too_few=NOTHING, cautions=told)
    declared = evidence.contrasts if evidence.by == "model" else None
    made = Seats()
    notes: list[str] = []
    for game in found:
        rated = ratings(game, declared)
        moved, movers, said = others(evidence, game)
        notes += [*said, *_notes(game, rated is not None and rated.regularised)]
        told += _cautions(game)
        made.scenarios.append(_summary(game))
        made.means.extend(seat_means(game))
        made.effects.extend(effects(game, declared))
        made.interactions.extend(interactions(game))
        made.meetings.extend(meetings(game))
        made.components.extend(components(game))
        made.ratings.extend(rated.ratings if rated else [])
        made.seat_advantages.extend(rated.seats if rated else [])
        made.rating_pairs.extend(rated.pairs if rated else [])
        made.moved.extend(moved)
        made.movers.extend(movers)
    shares = {each.scenario for each in made.scenarios if each.shares}
    return Seats(
        scenarios=made.scenarios, means=made.means, effects=made.effects, interactions=made.interactions,
        meetings=made.meetings, components=made.components, ratings=made.ratings,
        seat_advantages=made.seat_advantages, rating_pairs=made.rating_pairs, moved=made.moved, movers=made.movers,
        notes=[
            *_general(declared is not None), *notes,
            *would_show(row.difference for row in made.effects if row.scenario in shares),
        ],
        cautions=list(dict.fromkeys(told)),
    )  # fmt: skip


def _summary(game: Game) -> SeatedScenario:
    return SeatedScenario(
        game.scenario, game.of, game.seats, game.models, dict(game.sources), game.roles, len(game.seatings), game.full,
        share_bounds(game) is not None, len(game.rows), len(np.unique(game.cluster)),
    )  # fmt: skip


def _general(declared: bool) -> list[str]:
    how = "Holm, as pairs were declared" if declared else "Benjamini and Hochberg"
    return [
        "Repeats are averaged first. actor: what a model gets in its seat; partner: what it leaves the others; each is "
        "averaged over whoever sits elsewhere, the same for all models. 95% intervals: standard errors clustered by "
        f"task or family. p: sign flips of tasks, or t, corrected by {how} over the pairs of a seat; interactions over "
        "all of a scenario (Benjamini and Hochberg).",
        "Changes others: total variation between a model's action names with one partner and with the others, on the "
        "same task and repeat; floor: the same with partners' names exchanged there, from which p is; corrected after "
        "Benjamini and Hochberg.",
    ]


def _notes(game: Game, regularised: bool) -> list[str]:
    name = game.scenario
    sources = ", ".join(f"{seat}: {source}" for seat, source in game.sources.items())
    what = f"the outcome is {next(iter(game.sources.values()))}" if game.joint else f"outcomes are {sources}"
    notes = [
        f"{name}: {what}. In all other sections `model` is who sits as {game.seats[0]}, whoever sits "
        "elsewhere being held still; --by model.ROLE compares those of another role."
    ]
    if game.joint:
        notes.append(
            f"{name}: seats share the score, so that there is no winner, no rating and no partner apart from the "
            "actor; --outcome ROLE=MEASURE gives seats outcomes of their own."
        )
    elif len(game.models) < FEWEST:
        notes.append(
            f"{name}: it takes {FEWEST} models to tell the variances of the social relations model apart; there are "
            f"{len(game.models)}."
        )
    else:
        few = (
            f", of {len(game.models)} models: of others they may be quite different"
            if len(game.models) < FEW_MODELS
            else ""
        )
        notes.append(
            f"{name}: social relations (Warner, Kenny and Stoto 1979): self-play left out, seats averaged; lasting is "
            f"what tasks have in common, passing the rest; jackknife intervals over tasks{few}."
        )
    if not game.joint:
        prior = ""
        if regularised:
            prior = (
                f"; held by a normal prior of {SPREAD} logits, as some never lost or never won: how far they are ahead "
                "is the prior's doing, and intervals are too narrow there"
            )
        notes.append(
            f"{name}: ratings are Bradley and Terry's with Davidson's ties and seats; of two seats of a trial that "
            f"with the larger outcome won; jackknife intervals over tasks{prior}."
        )
    if not game.full:
        notes.append(
            f"{name}: an orthogonal array of {len(game.seatings)} of {len(game.models) ** len(game.seats)} seatings: "
            "effects of single seats are free of each other, but may hold interactions of other seats; interactions "
            "cannot be told, and other seats change together."
        )
    return notes


def _cautions(game: Game) -> list[str]:
    found = []
    tasks = len(np.unique(game.cluster))
    if tasks < MIN_CLUSTERS_TESTED:
        found.append(
            f"{game.scenario}: {counted(tasks, 'independent task')} (a family of tasks counts once); to tell of others "
            f"it takes {MIN_CLUSTERS_TESTED} or more, and what changes others holds for these trials."
        )
    if game.lacking:
        found.append(
            f"{game.scenario}: {counted(game.lacking, 'seating')} of the orthogonal array have no result: effects of "
            "single seats are not free of each other."
        )
    if game.drifted:
        found.append(f"{game.scenario}: {counted(game.drifted, 'trial')} drifted and are left out.")
    if game.unseated:
        found.append(
            f"{game.scenario}: {counted(game.unseated, 'trial')} with a model that is not compared are left out."
        )
    found += [
        f"{game.scenario}: what {seat} got ({source}) is known of no trial, so that the score is taken for all seats."
        for seat, source in game.wanted.items()
    ]
    for outcome, values in game.outcomes.items():
        unknown = int(np.isnan(values).sum())
        if unknown:
            what = "the score" if outcome == JOINT else f"what {outcome} got ({game.sources[outcome]})"
            found.append(
                f"{game.scenario}: {what} is unknown of {unknown} of {len(values)} trials; seatings without it on a "
                "task are left out there, with those they would be compared with."
            )
    return found
