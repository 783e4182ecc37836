"""The tasks that an environment kind brings along, chosen and validated as those of a file are.

They come from code, not from a file, so what is wrong with one is the kind's fault and names the task. Their
content belongs to the identity of a cell like that of any other task.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from pydantic import BaseModel, ValidationError

from harness.errors import UserError
from harness.spec.loading.kinds import asked
from harness.spec.resolved import KindLike
from harness.spec.scenario import OwnTasks, Scenario, Task


def own_tasks(spec: Scenario, kind: KindLike, options: BaseModel) -> tuple[list[Task], dict[str, BaseModel]]:
    """The tasks a scenario takes of its kind's own, and their set-ups by task id.

    Raises `UserError` when there are none, a task is not sound, or its id is taken.
    """
    bring = getattr(kind, "own_tasks", None)  # a kind of one's own need not inherit from the protocol
    name = spec.environment.kind
    given = asked(name, "own tasks", lambda: list(bring(options) or ())) if bring is not None else []
    if wrong := next((task for task in given if not isinstance(task, Mapping)), None):
        raise UserError(
            f"environment kind {name!r} is broken: its own tasks hold {repr(wrong)[:100]}, which is no task"
        )
    if not given:
        raise UserError(f"environment kind {spec.environment.kind!r} brings no tasks along")
    wanted = spec.own_tasks or OwnTasks()
    ids = [str(task.get("id")) for task in given]
    chosen = [task for task, name in zip(given, ids, strict=True) if _wanted(wanted, name)]
    if not chosen:
        raise UserError(f"`only` and `skip` leave none of the kind's {len(ids)} tasks, such as {ids[0]}")
    tasks: list[Task] = []
    setups: dict[str, BaseModel] = {}
    for data in chosen[: wanted.first]:
        task, setup = _sound(spec.environment.kind, kind, data)
        if task.id in setups or any(task.id == written.id for written in spec.tasks):
            raise UserError(f"task id {task.id!r} is given twice")
        tasks.append(task)
        setups[task.id] = setup
    return tasks, setups


def _wanted(wanted: OwnTasks, name: str) -> bool:
    among = not wanted.only or any(fnmatchcase(name, pattern) for pattern in wanted.only)
    return among and not any(fnmatchcase(name, pattern) for pattern in wanted.skip)


def _sound(name: str, kind: KindLike, data: Mapping[str, object]) -> tuple[Task, BaseModel]:
    try:
        task = Task.model_validate(data)
        return task, kind.Setup.model_validate(task.setup)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = f"task {data.get('id')!r} of environment kind {name!r} is not sound: {place}: {first['msg']}"
        raise UserError(message) from error
