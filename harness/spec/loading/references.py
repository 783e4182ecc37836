"""Cross-references of a scenario: roles, tools, solutions, checks, measures, templates."""

from __future__ import annotations

from pydantic import BaseModel

from harness.spec.loading.source import Source
from harness.spec.resolved import KindLike
from harness.spec.scenario import Scenario


def check_scenario(source: Source, spec: Scenario, kind: KindLike | None, options: BaseModel | None) -> None:
    """Note every reference that leads nowhere."""
    seen: dict[str, int] = {}
    for index, task in enumerate(spec.tasks):
        if task.id in seen:
            source.problem(("tasks", index, "id"), f"task id {task.id!r} is given twice")
        seen[task.id] = index
