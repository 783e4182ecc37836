"""AgentDojo through the adapter is AgentDojo: its ground truths solve its tasks, and every verdict is the same."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from adapters.parts import needs, run_bounded

from harness.adapters.agentdojo import AgentDojo, AgentDojoOptions, AgentDojoSetup
from harness.adapters.agentdojo.environment import PACKAGES, system_message
from harness.adapters.catalog import program_of
from harness.adapters.worker import Program, Worker, worker_of
from harness.conformance import PROMISES, Case, Deed, look
from harness.environments import CATALOG, Opening, Services
from harness.spec import load_scenario

pytestmark = [pytest.mark.adapters, needs(PACKAGES, "agentdojo")]

SUITES = {"banking": (16, 9), "slack": (21, 5), "travel": (20, 7), "workspace": (40, 14)}
"""Suite -> its user tasks and its injection tasks, as its paper and its documentation count them for v1.2.2."""
ATTACK = "important_instructions"
SCENARIOS = Path(__file__).parents[2] / "scenarios" / "adapters"
Steps = list[dict[str, Any]]


def options(suite: str, attack: str = "none") -> AgentDojoOptions:
    return AgentDojoOptions.model_validate({"suite": suite, "attack": attack})


async def directly(services: Services) -> Worker:
    """AgentDojo without the adapter, in a process of its own."""
    python = program_of("agentdojo", PACKAGES, Path()).python
    return await worker_of(services, Program("directly", python, Path(__file__).with_name("agentdojo_directly.py")))


async def scores(
    services: Services, given: AgentDojoOptions, task: dict[str, Any], steps: Steps, answer: str
) -> tuple[bool, bool | None]:
    """Utility and security of a task after these steps through the adapter."""
    setup = AgentDojoSetup.model_validate(task["setup"])
    opening = Opening(given, setup, ("agent",), 1, Path(), False, services)
    environment = await AgentDojo.open(opening)
    try:
        for step in steps:
            await environment.call("agent", step["tool"], step["arguments"])
        state = await environment.final_state()
    finally:
        await environment.close()
    reader = await AgentDojo.read_state(state, opening)
    utility = await reader.reward("utility", answer)
    return bool(utility), bool(await reader.reward("security", answer)) if setup.injection_task else None


def gold(task: dict[str, Any]) -> tuple[Steps, str]:
    *calls, submit = task["solution"]
    return calls, submit["arguments"]["answer"]


def test_ground_truths_solve_all_97_user_tasks_and_doing_nothing_solves_few(capsys: pytest.CaptureFixture[str]) -> None:
    async def solved(services: Services, suite: str) -> tuple[int, int, int]:
        tasks = AgentDojo.own_tasks(options(suite))
        golds = [await scores(services, options(suite), task, *gold(task)) for task in tasks]
        nulls = [await scores(services, options(suite), task, [], "") for task in tasks]
        return len(tasks), sum(utility for utility, _ in golds), sum(utility for utility, _ in nulls)

    async def all_of_them() -> dict[str, tuple[int, int, int]]:
        async with Services() as services:
            return {suite: await solved(services, suite) for suite in SUITES}

    found = run_bounded(all_of_them())
    with capsys.disabled():
        for suite, (tasks, golds, nulls) in found.items():
            print(f"\nagentdojo {suite}: ground truths {golds}/{tasks}, doing nothing {nulls}/{tasks}", end="")
    assert {suite: tasks for suite, (tasks, _, _) in found.items()} == {s: users for s, (users, _) in SUITES.items()}
    assert sum(golds for _, golds, _ in found.values()) == 97
    assert found["banking"][2] == 5


async def agreement(suite: str, pairs: int | None, seed: int) -> Counter[str]:
    """How often the adapter and AgentDojo agree on pairs: by who acts, and what was found."""
    given, counts = options(suite, ATTACK), Counter[str]()
    tasks = [task for task in AgentDojo.own_tasks(given) if task["setup"]["injection_task"]]
    assert len(tasks) == SUITES[suite][0] * SUITES[suite][1]
    chosen = tasks if pairs is None else random.Random(seed).sample(tasks, pairs)
    async with Services() as services:
        alone = await directly(services)
        for task in chosen:
            named = {key: task["setup"][key] for key in ("user_task", "injection_task")}
            where = {"suite": suite, "version": given.version, **named}
            of_injection: Any = await alone.ask("ground_truth", **where, injections=task["setup"]["injections"])
            acting = {
                "user": gold(task),
                "injection": (of_injection["calls"], of_injection["answer"]),
                "nobody": ([], ""),
            }
            for who, (steps, answer) in acting.items():
                ours = await scores(services, given, task, steps, answer)
                theirs: Any = await alone.ask(
                    "run", **where, attack=ATTACK, addressed_as=given.addressed_as, who=who, seconds=300
                )
                if isinstance(theirs, str):
                    counts[f"{who}: AgentDojo's own run raises {theirs[:80]}"] += 1
                else:
                    verdict = "agree" if list(ours) == theirs else f"DIFFER on {task['id']}"
                    counts[f"{who}: {verdict}"] += 1
                    counts[f"{who}: utility"] += ours[0]
                    counts[f"{who}: injection succeeded"] += bool(ours[1])
    return counts


def told(suite: str, counts: Counter[str], capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\nagentdojo {suite}: " + "; ".join(f"{what} {n}" for what, n in sorted(counts.items())), end="")


@pytest.mark.parametrize("suite", SUITES)
def test_verdicts_on_injected_runs_are_agentdojos_own(suite: str, capsys: pytest.CaptureFixture[str]) -> None:
    counts = run_bounded(agreement(suite, 12, seed=20261122))
    told(suite, counts, capsys)
    assert sum(counts[f"{who}: agree"] for who in ("user", "injection", "nobody")) == 36


@pytest.mark.slow
@pytest.mark.parametrize("suite", SUITES)
def test_verdicts_on_all_949_injected_pairs_are_agentdojos_own(suite: str, capsys: pytest.CaptureFixture[str]) -> None:
    counts = run_bounded(agreement(suite, None, seed=0), minutes=60)
    told(suite, counts, capsys)
    assert not [what for what in counts if "DIFFER" in what]
    assert (
        sum(n for what, n in counts.items() if "agree" in what or "raises" in what)
        == 3 * SUITES[suite][0] * SUITES[suite][1]
    )


@pytest.mark.parametrize("suite", SUITES)
def test_the_environment_begins_as_agentdojos_own(suite: str) -> None:
    async def both() -> tuple[Any, Any]:
        async with Services() as services:
            theirs = await (await directly(services)).ask("default_environment", suite=suite, version="v1.2.2")
            opening = Opening(options(suite), AgentDojoSetup(), ("agent",), 1, Path(), False, services)
            environment = await AgentDojo.open(opening)
            state = await environment.final_state()
            await environment.close()
            return theirs, (await (await AgentDojo.read_state(state, opening)).as_data())

    theirs, ours = run_bounded(both())
    assert ours["after"] == ours["before"]
    assert ours["after"] == theirs


@pytest.mark.parametrize("suite", SUITES)
def test_every_promise_of_the_protocol_is_kept(suite: str) -> None:
    given = options(suite, "none")
    task = max(AgentDojo.own_tasks(given)[:8], key=lambda task: len(task["solution"]))
    deeds = [Deed("agent", step["tool"], step["arguments"]) for step in gold(task)[0]]
    setup = AgentDojoSetup.model_validate(task["setup"])
    case = Case(f"agentdojo/{suite}", "harness.adapters.agentdojo:AgentDojo", given, setup, ("agent",), deeds)
    promises = PROMISES if suite == "banking" else [promise for promise in PROMISES if promise.per_task]

    async def found() -> dict[str, str]:
        looked = [await look(case, promise, many=20) for promise in promises]
        return {finding.promise: finding.detail for finding in looked if finding.outcome == "broken"}

    assert run_bounded(found()) == {}


def test_errors_read_as_agentdojo_tells_its_models() -> None:
    async def seen() -> list[Any]:
        async with Services() as services:
            opening = Opening(options("banking"), AgentDojoSetup(), ("agent",), 1, Path(), False, services)
            environment = await AgentDojo.open(opening)
            try:
                return [
                    await environment.call("agent", "read_file", {"file_path": "nothing.txt"}),
                    await environment.call("agent", "update_scheduled_transaction", {"id": 99, "amount": 1.0}),
                    await environment.call("agent", "rob_bank", {}),
                ]
            finally:
                await environment.close()

    missing, unknown, robbed = run_bounded(seen())
    assert missing.text == "" and not missing.error  # as AgentDojo has it
    assert unknown.error and unknown.text == "ValueError: Transaction with ID 99 not found."
    assert robbed.error and "There is no tool 'rob_bank'; there are get_balance" in robbed.text


def test_where_nothing_is_injected_no_injection_succeeds() -> None:
    async def asked() -> None:
        async with Services() as services:
            opening = Opening(options("banking"), AgentDojoSetup(), ("agent",), 1, Path(), False, services)
            environment = await AgentDojo.open(opening)
            state = await environment.final_state()
            await environment.close()
            reader = await AgentDojo.read_state(state, opening)
            assert await reader.reward("security", "") == 0.0
            with pytest.raises(LookupError, match="there are utility, security"):
                await reader.reward("beauty", "")

    run_bounded(asked())


@pytest.mark.parametrize("suite", SUITES)
def test_the_scenario_tells_models_what_agentdojo_tells_them(suite: str) -> None:
    scenario = load_scenario(SCENARIOS / f"agentdojo-{suite}.yaml", CATALOG)
    (role,) = scenario.spec.roles.values()
    assert role.brief.split() == system_message(options(suite)).split()
    users, injections = SUITES[suite]
    assert len(scenario.spec.tasks) == users * (1 + injections)
