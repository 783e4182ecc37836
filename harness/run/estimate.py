"""What a plan is expected to take in tokens and money, before any is spent.

Where trials of the same scenario and scaffold are recorded already, with whatever model, their mean is taken;
otherwise the guess is made from the texts and the turn limit, and called a guess. A model without a known price
has an unknown cost, never none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from harness.models import price_of
from harness.record import TrialRow
from harness.run.plan import Cell, Plan

CHARACTERS_PER_TOKEN = 4
REPLY_TOKENS = 80
OBSERVATION_TOKENS = 120
GUESSED_TURNS = 8
"""Of a trial that nothing is known of, where the turn limit allows so many."""


@dataclass(frozen=True)
class ModelEstimate:
    """What one model's share of a plan is expected to take."""

    model: str
    trials: int
    prompt_tokens: float
    completion_tokens: float
    cost: float | None
    """US dollars; None when the price is unknown."""
    basis: str
    """`recorded`, `guess`, or `partly guess`."""


def estimate(plan: Plan, recorded: Iterable[TrialRow] = ()) -> list[ModelEstimate]:
    """Expected tokens and cost of what a plan has to do, per crossed model.

    Roles that speak through another model are counted on the crossed one's account; the cost is then a guess too.
    """
    seen = _means(recorded)
    found = []
    for name in plan.sweep.spec.models:
        trials = [trial for trial in plan.to_run if trial.cell.model == name]
        prompt = completion = 0.0
        bases = set()
        for trial in trials:
            key = (trial.cell.scenario.spec.name, trial.cell.scaffold.spec.name)
            used = seen.get((*key, name)) or seen.get((*key, ""))
            bases.add("guess" if used is None else "recorded")
            used = used or _guess(trial.cell)
            prompt += used[0]
            completion += used[1]
        price = price_of(plan.sweep.models[name])
        cost = None if price is None else (prompt * price.prompt + completion * price.completion) / 1e6
        basis = "partly guess" if len(bases) == 2 else next(iter(bases), "recorded")
        found.append(ModelEstimate(name, len(trials), prompt, completion, cost, basis))
    return found


def unheld_costs(plan: Plan) -> list[str]:
    """A line for each model that no limit or budget of cost can hold, because its price is not known beforehand."""
    budget = plan.sweep.spec.budget.cost is not None
    bounded = {
        loaded.name: loaded
        for trial in plan.to_run
        if budget or trial.cell.limits.cost is not None
        for loaded in trial.cell.models.values()
    }
    return [
        f"model {name}: its price is unknown, so limits of cost do not hold it; give it a `price` in the models file"
        for name, loaded in bounded.items()
        if price_of(loaded) is None
    ]


def _means(recorded: Iterable[TrialRow]) -> dict[tuple[str, str, str], tuple[float, float]]:
    """(scenario, scaffold, model or '' for all) -> mean prompt and completion tokens of recorded results."""
    lists: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
    for row in recorded:
        if row.is_result and row.prompt_tokens is not None and row.completion_tokens is not None:
            for model in (row.model, ""):
                lists.setdefault((row.scenario, row.scaffold, model), []).append(
                    (row.prompt_tokens, row.completion_tokens)
                )
    return {key: (fmean(p for p, _ in used), fmean(c for _, c in used)) for key, used in lists.items()}


def _guess(cell: Cell) -> tuple[float, float]:
    """Prompt and completion tokens of a trial whose thread grows by a reply and an observation each turn."""
    task = cell.scenario.task(cell.task)
    texts = [role.brief for role in cell.scenario.spec.roles.values()] + [task.brief]
    schemas = [str(tool.parameters) + tool.description for tools in cell.tools.values() for tool in tools]
    start = sum(map(len, texts + schemas)) / CHARACTERS_PER_TOKEN
    turns = min(cell.limits.turns or GUESSED_TURNS, GUESSED_TURNS)
    growth = (REPLY_TOKENS + OBSERVATION_TOKENS) * turns * (turns - 1) / 2
    return turns * start + growth, float(turns * REPLY_TOKENS)
