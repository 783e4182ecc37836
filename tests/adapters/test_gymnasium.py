"""Gymnasium through the adapter is Gymnasium: the same seeds and actions give the same returns."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from adapters.parts import needs, run_bounded

from harness.adapters.catalog import program_of
from harness.adapters.gymnasium import Gymnasium
from harness.adapters.gymnasium.environment import PACKAGES, GymnasiumOptions, GymnasiumReader, GymnasiumSetup
from harness.adapters.worker import Program, worker_of
from harness.conformance import examine
from harness.environments import CATALOG, Opening, Services
from harness.scoring import validate_scenario
from harness.spec import load_scenario

pytestmark = [pytest.mark.adapters, needs(PACKAGES, "gymnasium")]

SCENARIOS = Path(__file__).parents[2] / "scenarios" / "adapters"
WORLDS = ("FrozenLake-v1", "FrozenLake8x8-v1", "Taxi-v4", "CliffWalking-v1", "CliffWalkingSlippery-v1", "Blackjack-v1")


async def compare(services: Services, world: str, seed: int) -> tuple[Any, Any]:
    opening = Opening(GymnasiumOptions(id=world), GymnasiumSetup(seed=seed), ("one",), 1, Path(), False, services)
    names = Gymnasium.tools(opening.options, "one")[1].parameters["properties"]["action"]["enum"]  # type: ignore
    chance = random.Random(f"{world} {seed}")
    actions = [chance.randrange(len(names)) for _ in range(40)]
    episode = await Gymnasium.open(opening)
    for action in actions:
        if episode.finished():
            break
        await episode.call("one", "act", {"action": names[action]})
    reader = await Gymnasium.read_state(await episode.final_state(), opening)
    ours = await reader.as_data()
    await episode.close()
    program = program_of("gymnasium", PACKAGES, Path())
    script = Path(__file__).with_name("gymnasium_directly.py")
    worker = await worker_of(services, Program("directly", program.python, script))
    theirs = await worker.ask("run_through", world=world, seed=seed, actions=actions)
    return (ours["return"], ours["steps"], ours["over"] == "ended"), tuple(theirs)


def test_returns_are_those_of_gymnasium_itself(capsys: pytest.CaptureFixture[str]) -> None:
    async def all_of_them() -> list[tuple[Any, Any]]:
        async with Services() as services:
            return [await compare(services, world, seed) for world in WORLDS for seed in range(1, 11)]

    pairs = run_bounded(all_of_them())
    agreed = sum(ours == theirs for ours, theirs in pairs)
    with capsys.disabled():
        print(f"\nGymnasium: {agreed} of {len(pairs)} episodes ({len(WORLDS)} worlds) return the same")
    assert [pair for pair in pairs if pair[0] != pair[1]] == []


@pytest.mark.parametrize("name", ["gymnasium-frozen-lake", "gymnasium-taxi"])
def test_the_scenarios_are_fair_and_keep_the_promises(name: str, tmp_path: Path) -> None:
    scenario = load_scenario(SCENARIOS / f"{name}.yaml", CATALOG)

    async def validate() -> list[Any]:
        async with Services() as services:
            return await validate_scenario(scenario, tmp_path, services)

    found = run_bounded(validate())
    assert [(task.gold, task.null, task.problems, task.notes) for task in found] == [(1.0, 0.0, [], [])] * 5
    assert [finding for finding in asyncio.run(examine(scenario)) if finding.outcome == "broken"] == []


@pytest.mark.parametrize(
    ("over", "total", "best", "share"),
    [("ended", 9, 9, 1.0), ("ended", 0, 9, 0.0), ("ended", 4.5, 9, 0.5), ("", 9, 9, 0.0), ("ended", -26, -13, 0.0),
     ("ended", -13, -13, 1.0), ("ended", 0, 1, 0.0), ("cut", 1, 1, 0.0)],
)  # fmt: skip
def test_the_share_of_the_best_return(over: str, total: float, best: float, share: float) -> None:
    reader = GymnasiumReader({"over": over, "return": total, "best": best})
    assert run_bounded(reader.reward("share", None)) == pytest.approx(share)
