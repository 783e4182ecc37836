"""`harness probe`: ask every model what it would do at recorded moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from harness.cli.intervene.common import common, common_options, conclude, origin_of

if TYPE_CHECKING:
    from pydantic import JsonValue


@click.command
@click.argument("sweep")
@click.option(
    "--states", default="first-divergence", show_default=True, metavar="WHICH",
    help="first-divergence, pivotal (of recorded forks), every:N, or a CSV or JSONL file with columns trial and at.",
)  # fmt: skip
@click.option("--most", type=click.IntRange(1, 1_000_000), default=None, help="Of the states, at most so many.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of which states are taken where --most bounds.")
@common_options(5)
def command(sweep: str, states: str, most: int | None, seed: int, **options: object) -> None:
    """Ask every model what it would do next at recorded moments of SWEEP; nothing is executed.

    The exact messages, tools, response format and parameters of the recorded calls are asked again, -n times of each
    model, and what they would do is compared state by state: how far apart two models are, against how far each is
    from itself. What is asked is recorded as a sweep of its own, SWEEP-probe unless --name says otherwise; other states
    asked for under the same name take the place of those before.
    """
    from harness.intervene.probing import Wishes, probe_states
    from harness.intervene.states import select_states

    asked = common(**options)
    with origin_of(sweep, asked) as origin:
        chosen = select_states(origin, states, asked.results_dir, most=most, seed=seed)
        wishes = Wishes(
            models=asked.models, repeats=asked.repeats, budget=asked.budget, name=asked.name,
            models_file=asked.models_file, concurrency=asked.concurrency,
        )  # fmt: skip
        kept: dict[str, JsonValue] = {"states": states, "seed": seed, **({} if most is None else {"most": most})}
        conclude(probe_states(origin, chosen, wishes, kept), asked)
