"""Probes: what each model would do in the same recorded states, against what it does itself when asked again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.compare.evidence import Evidence
from harness.compare.interventions.probe import distances
from harness.compare.interventions.probe.makers import conduct, matched, own_foreign, spreads
from harness.compare.interventions.probe.replies import ARGUMENTS, Probed, probed
from harness.compare.interventions.probe.result import Apart, Conduct, Deed, OwnForeign, Probe, Spread, StateApart
from harness.compare.interventions.probe.sentences import nothing_to_say, told
from harness.compare.statistics import benjamini_hochberg

__all__ = ["Apart", "Conduct", "Deed", "OwnForeign", "Probe", "Spread", "StateApart", "probe"]

TRIALS = 8
"""Ids of replies kept for each choice."""


def probe(evidence: Evidence) -> Probe:
    """What the replies of evidence of kind `probe` say of pairs of models, nodes, states and their makers."""
    found = probed(evidence)
    models = list(evidence.models)
    pairs = [(models[a], models[b]) for a, b in evidence.pairs]
    result = Probe(
        by=evidence.by, models=models, states=len(found.states),
        replies=sum(state.asked(model) for state in found.states for model in models),
        tasks=len({(state.scenario, state.task) for state in found.states}), levels=found.levels,
        spreads=spreads(found, models), conduct=conduct(found, models), deeds=_deeds(found, models),
        cautions=_cautions(evidence, found),
    )  # fmt: skip
    result = _compared(evidence, found, result, pairs)
    if not result.pairs:
        return replace(result, too_few=nothing_to_say(result))
    result = replace(result, notes=_notes(evidence, found, pairs))
    return replace(result, told=told(result))


def _compared(evidence: Evidence, found: Probed, result: Probe, pairs: list[tuple[str, str]]) -> Probe:
    chance = evidence.chance("probe")
    whole: list[Apart] = []
    parts: dict[str, list[Apart]] = {"node": [], "role": [], "maker": [], "depth": []}
    groups = {
        "node": distances.node_of(found), "role": lambda state: state.role or None, "maker": distances.maker,
        "depth": distances.depth,
    }  # fmt: skip
    for level in found.levels:
        for first, second in pairs:
            listed = distances.places(found, level, first, second)
            if not listed:
                continue
            whole.append(distances.apart(listed, first, second, level, chance))
            for by, group in groups.items():
                if level == ARGUMENTS or by in ("node", "role"):
                    for value, inside in distances.grouped(listed, group):
                        parts[by].append(distances.apart(inside, first, second, level, chance, by, value))
    contrasts = own_foreign(found, pairs)
    return replace(
        result, pairs=distances.corrected(whole, evidence.declared),
        nodes=distances.corrected_strictly(parts["node"]), roles=distances.corrected_strictly(parts["role"]),
        makers=distances.corrected(parts["maker"], declared=False),
        depths=sorted(distances.corrected(parts["depth"], declared=False), key=_by_depth),
        in_states=distances.in_states(found, pairs), own_foreign=_corrected(contrasts),
    )  # fmt: skip


def _by_depth(row: Apart) -> tuple[str, str, bool, int]:
    value = row.value or ""
    return row.first, row.second, not value.isdecimal(), int(value) if value.isdecimal() else 0


def _corrected(rows: list[OwnForeign]) -> list[OwnForeign]:
    known = [n for n, row in enumerate(rows) if row.difference.p is not None]
    adjusted = benjamini_hochberg([rows[n].difference.p or 0.0 for n in known])
    made = list(rows)
    for n, p in zip(known, adjusted, strict=True):
        difference = replace(rows[n].difference, p_adjusted=p, adjusted_by=f"Benjamini-Hochberg over {len(known)}")
        made[n] = replace(rows[n], difference=difference)
    return made


def _deeds(found: Probed, models: list[str]) -> list[Deed]:
    rows = []
    for state in found.states:
        keys, counts = state.counts(ARGUMENTS, models)
        for place, model in enumerate(models):
            choices = state.choices.get(model, {}).get(ARGUMENTS, [])
            for column, key in enumerate(keys):
                if counts[place, column]:
                    trials = [
                        trial for trial, choice in zip(state.trials[model], choices, strict=True) if choice == key
                    ]
                    rows.append(Deed(
                        state.name, state.task, state.node, model, found.shown[key], int(counts[place, column]),
                        len(choices), trials[:TRIALS],
                    ))  # fmt: skip
    return rows


def _notes(evidence: Evidence, found: Probed, pairs: list[tuple[str, str]]) -> list[str]:
    family = "Holm" if evidence.declared else "Benjamini-Hochberg"
    notes = [
        "A choice is the whole reply in canonical form: tools with normalised arguments, or say, submit, refuse, "
        "malformed; what is said counts on the level of words alone. Nothing was executed.",
        "Averages are over the states of a trial, the trials of a task, and the tasks; intervals are clustered by task "
        "or family. They hold for the states asked about: those chosen because models part are no sample of all.",
        f"p: replies exchanged between the two models within each state, one-sided; exact for single states (corrected "
        f"by Benjamini-Hochberg over pairs and states), {distances.DRAWS:,} draws elsewhere ({family} over pairs, Holm "
        "over nodes and over roles). States where all replies are the same, or all different, tell nothing.",
        "Distances of small samples are too large. The floor is that of halves of one model's own replies, held "
        "against halves of two models': alike models come out equal on average, but few replies understate large "
        "distances. Points of disagreement beyond their own have no bias.",
    ]
    if any(state.made_by for state in found.states):
        count = sum(len(matched(found, first, second)) for first, second in pairs)
        notes.append(
            "Own states differ from foreign ones in what is in them too. Only matched pairs tell these apart (one "
            f"state by each of two models, same world and call: {count} here), and only for what is counted in both: "
            "whether it is the maker or a course like one's own that matters cannot be seen."
        )
    return notes


def _cautions(evidence: Evidence, found: Probed) -> list[str]:
    cautions = [*evidence.few]
    if found.left_out:
        cautions.append(f"Replies left out, because their state is not known or their way drifted: {found.left_out}.")
    missing = len(evidence.trials) - len(evidence.results)
    if missing:
        by_model = evidence.trials[~evidence.trials["is_result"]][evidence.by].astype(str).value_counts()
        listed = ", ".join(f"{model} {count}" for model, count in by_model.items())
        cautions.append(
            f"{missing} calls were not answered (faults of a provider, or stopped): {listed}; they are missing."
        )
    counts = [state.asked(model) for state in found.states for model in evidence.models]
    once = sum(count == 1 for count in counts)
    if once:
        cautions.append(f"In {once} cases a model has one reply to a state: there is no floor there.")
    never = sum(count == 0 for count in counts)
    if never:
        cautions.append(f"In {never} cases a model has no reply to a state; such a state is compared without it.")
    least = min((count for count in counts if count), default=0)
    if 2 <= least < 4 and np.isfinite(least):
        cautions.append(f"With {least} replies a state no single state can be told from chance; together they can.")
    return cautions
