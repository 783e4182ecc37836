"""MiniWoB++ through the adapter is MiniWoB++: what is done earns the rewards that the pages give by themselves."""

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest
from adapters.miniwob_solver import SOLUTIONS, SOLVERS, way
from adapters.parts import needs, run_bounded

from harness.adapters.miniwob import MiniWob
from harness.adapters.miniwob.environment import (
    PACKAGES,
    MiniWobOptions,
    MiniWobReader,
    MiniWobSetup,
    pages_folder,
)
from harness.conformance import examine
from harness.environments import CATALOG, Observation, Opening, Services
from harness.environments.browser.chromium import find_program
from harness.environments.browser.outline import Element, Outline
from harness.scoring import validate_scenario
from harness.spec import load_scenario

pytestmark = [pytest.mark.adapters, needs(PACKAGES, "miniwob")]

SCENARIO = Path(__file__).parents[2] / "scenarios" / "adapters" / "miniwob.yaml"
WAYS: dict[str, dict[str, list[dict[str, Any]]]] = json.loads(SOLUTIONS.read_text())
Deed = tuple[str, str, int, str]
"""Tool, role of the element, its place among those of that role, and text."""


async def episode(services: Services, page: str, seed: int) -> MiniWob:
    opening = Opening(MiniWobOptions(), MiniWobSetup(page=page, seed=seed), ("one",), 1, Path(), False, services)
    return await MiniWob.open(opening)


def page_of(world: MiniWob) -> Outline:
    assert world._eyes is not None
    return world._eyes._page


def as_deed(page: Outline, tool: str, arguments: dict[str, Any]) -> Deed:
    """A step in terms that do not depend on our references."""
    element = page.elements[arguments["element"]]
    alike = [ref for ref, other in page.elements.items() if other.role == element.role]
    return tool, element.role, alike.index(element.ref), arguments.get("text") or arguments.get("choice") or ""


async def ours(services: Services, page: str, seed: int, chance: random.Random | None) -> tuple[list[Deed], Any]:
    """What was done through the adapter, and what it earned: the known way, or whatever comes by chance."""
    world = await episode(services, page, seed)
    deeds: list[Deed] = []
    try:
        await world.call("one", "look", {})
        steps = WAYS[page][str(seed)] if chance is None else None
        for nth in range(len(steps) if steps is not None else 8):
            outline = page_of(world)
            if world.finished():
                break
            step = steps[nth] if steps is not None else by_chance(outline, chance)
            if step is None:
                break
            deeds.append(as_deed(outline, step["tool"], step["arguments"]))
            seen = await world.call("one", step["tool"], step["arguments"])
            assert not seen.error, seen.text
        data = json.loads((await world.final_state()).data)
        return deeds, (data["reward"], data["done"])
    finally:
        await world.close()


def by_chance(page: Outline, chance: random.Random | None) -> dict[str, Any] | None:
    assert chance is not None
    plain = [e for e in page.elements.values() if e.role != "item" and not e.disabled]
    usable: list[Element] = [element for element in plain if element.role in ("button", "textbox", "checkbox", "radio")]
    if not usable:
        return None
    element = chance.choice(usable)
    if element.role == "textbox":
        return {
            "tool": "fill",
            "arguments": {"element": element.ref, "text": chance.choice(["1", "red", "2011-10-11"])},
        }
    return {"tool": "click", "arguments": {"element": element.ref}}


async def theirs(browser: Any, page: str, seed: int, deeds: list[Deed]) -> Any:
    """The same on the page as the package ships it, opened as a file, with nothing of ours around it."""
    context = await browser.new_context(viewport={"width": 1000, "height": 800})
    try:
        tab = await context.new_page()
        await tab.goto((pages_folder() / "miniwob" / f"{page}.html").as_uri())
        await tab.evaluate("(s) => { core.EPISODE_MAX_TIME = 1e9; Math.seedrandom(s); core.startEpisodeReal(); }", seed)
        for tool, role, nth, text in deeds:
            # Animations run here, and so what they bring may take a moment to come.
            part = tab.get_by_role(role).nth(nth)
            if tool == "fill":
                await part.fill(text, timeout=10_000)
            elif tool == "select":
                await part.select_option(label=text, timeout=10_000)
            else:
                await part.click(timeout=10_000)
        return tuple(await tab.evaluate("[WOB_RAW_REWARD_GLOBAL, WOB_DONE_GLOBAL]"))
    finally:
        await context.close()


def test_rewards_are_those_the_pages_give_by_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    from playwright.async_api import async_playwright

    # An item has no role by which it could be found without us; these pages have buttons instead.
    pages = [page for page in sorted(WAYS) if page not in ("multi-orderings",)]

    async def compare() -> list[tuple[str, Any, Any]]:
        found = []
        async with Services() as services, async_playwright() as driver:
            browser = await driver.chromium.launch(executable_path=find_program(), args=["--no-sandbox"])
            for page in pages:
                for chance in (None, random.Random(page)):
                    deeds, earned = await ours(services, page, 1, chance)
                    found.append((page, earned, await theirs(browser, page, 1, deeds)))
            await browser.close()
        return found

    found = run_bounded(compare())
    agreed = sum(mine == other for _, mine, other in found)
    wrong = sum(mine[0] < 1 for _, mine, _ in found)
    with capsys.disabled():
        print(
            f"\nMiniWoB++: {agreed} of {len(found)} episodes on {len(pages)} pages earn the same ({wrong} less than 1)"
        )
    assert [one for one in found if one[1] != one[2]] == []
    assert len(pages) >= 12
    assert wrong >= 12


def test_the_ways_that_are_kept_are_those_that_are_found() -> None:
    async def some() -> None:
        async with Services() as services:
            for page in ("click-test", "read-table", "search-engine"):
                steps, reward = await way(services, page, 2)
                assert (steps, reward) == (WAYS[page]["2"], 1), page

    run_bounded(some())
    assert sorted(WAYS) == sorted(SOLVERS)
    assert {len(seeds) for seeds in WAYS.values()} == {5}


def test_an_episode_ends_with_its_reward_and_nothing_can_be_done_after_it() -> None:
    async def play() -> tuple[list[Observation], Any]:
        async with Services() as services:
            world = await episode(services, "click-test-2", 1)
            try:
                seen = [await world.call("one", "look", {}), await world.call("one", "click", {"element": "TWO"})]
                assert world.finished()
                seen.append(await world.call("one", "click", {"element": "ONE"}))
                return seen, await world.final_state()
            finally:
                await world.close()

    seen, state = run_bounded(play())
    assert seen[0].text.split("\n\n")[1] == 'Click button ONE.\n[e1] button "ONE"\n[e2] button "TWO"'
    assert [one.text for one in seen[1:]] == ["The episode has ended.", "The episode is over."]
    reader = MiniWobReader(json.loads(state.data))
    assert run_bounded(reader.reward("reward", None)) == -1
    assert run_bounded(reader.reward("done", None)) == 1
    with pytest.raises(LookupError, match="no reward 'speed'; there are reward, done"):
        run_bounded(reader.reward("speed", None))


def test_the_scenario_is_fair_and_keeps_the_promises(tmp_path: Path) -> None:
    text = SCENARIO.read_text().replace(
        "  seeds: 1\n", "  seeds: 1\n  pages: [click-button, login-user, odd-or-even]\n"
    )
    (tmp_path / "few.yaml").write_text(text)
    scenario = load_scenario(tmp_path / "few.yaml", CATALOG)

    async def validate() -> list[Any]:
        async with Services() as services:
            return await validate_scenario(scenario, tmp_path, services)

    found = run_bounded(validate())
    assert [(task.gold, task.null, task.problems, task.notes) for task in found] == [(1.0, 0.0, [], [])] * 3
    assert [finding for finding in asyncio.run(examine(scenario)) if finding.outcome == "broken"] == []


@pytest.mark.slow
def test_every_way_that_is_kept_is_a_solution(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(SCENARIO.read_text().replace("  seeds: 1\n", "  seeds: 5\n"))
    scenario = load_scenario(tmp_path / "all.yaml", CATALOG)

    async def validate() -> list[Any]:
        async with Services() as services:
            return await validate_scenario(scenario, tmp_path, services)

    found = asyncio.run(validate())
    assert len(found) == 5 * len(WAYS)
    assert [(task.task, task.gold, task.problems) for task in found if task.gold != 1.0 or task.problems] == []


def test_the_whole_scenario_loads_with_a_task_for_every_page() -> None:
    scenario = load_scenario(SCENARIO, CATALOG)
    assert [task.id for task in scenario.spec.tasks] == [f"{page}-1" for page in sorted(WAYS)]
