"""Every shipped scenario's environment, held to every promise with the gold solutions of all its tasks.

Those that take minutes, because each look starts a browser page, a server of somebody else's or a build, are slow;
`tests/environments/test_conformance.py` holds their kinds to every promise with a small scenario each time.
"""

from __future__ import annotations

import asyncio

import pytest

from harness.conformance import PROMISES, case_of_task, look
from harness.conformance.examine import looked_at
from harness.environments import CATALOG
from harness.spec import library, load_scenario

SCENARIOS = sorted(library().glob("*.yaml"))
SCENARIOS = [path for path in SCENARIOS if "\nkind: scenario\n" in path.read_text()]
MINUTES = ("market-stall", "council", "tollhouse", "auditor", "archive", "chronicler", "millwright")
MARKED = [
    pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem in MINUTES else []) for path in SCENARIOS
]


@pytest.mark.parametrize("path", MARKED)
def test_every_promise_is_kept(path) -> None:
    scenario = load_scenario(path, CATALOG)

    async def examine() -> list[str]:
        broken = []
        for task, promise in looked_at(scenario):
            found = await look(case_of_task(scenario, task), promise, many=20)
            if found.outcome == "broken":
                broken.append(f"{found.case}: {found.promise}: {found.detail}")
        return broken

    broken = asyncio.run(examine())
    if broken and all("harness install" in text for text in broken):
        pytest.skip(broken[0])
    assert broken == []


def test_every_scenario_says_what_it_is_for() -> None:
    for path in SCENARIOS:
        spec = load_scenario(path, CATALOG).spec
        assert len(spec.tasks) >= 5, path.name
        assert len(spec.measures) >= 3, path.name
        assert all(task.solution and task.family for task in spec.tasks), path.name


def test_the_library_is_as_large_as_it_should_be() -> None:
    kinds = [load_scenario(path, CATALOG).spec.environment.kind for path in SCENARIOS]
    assert len(kinds) >= 15
    for kind in ("workspace", "sql", "office", "browser", "mcp", "bazaar", "pasture", "village"):
        assert kinds.count(kind) >= 2, kind
    assert sum(kind.startswith("conversation") for kind in kinds) >= 2
    assert len(PROMISES) == 12
