"""Loading a scenario: its environment's options, its references, its templates, its digests."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import UserError
from harness.spec.base import DataFile, Problem, PythonSource, SpecError
from harness.spec.digests import data_digest, data_files, digest
from harness.spec.library import data_path, did_you_mean
from harness.spec.loading.kinds import sound, tools_of
from harness.spec.loading.marked import Marked, replace_marked
from harness.spec.loading.own_tasks import own_tasks
from harness.spec.loading.references import check_scenario
from harness.spec.python_source import python_digest, source_file
from harness.spec.reading.source import Source
from harness.spec.resolved import Catalog, KindLike, LoadedScenario
from harness.spec.scenario import Scenario

B = TypeVar("B", bound=BaseModel)
MAX_FOLDER_FILES = 20_000
MAX_FOLDER_BYTES = 1024 * 2**20


def load_scenario(path: str | Path, catalog: Catalog) -> LoadedScenario:
    """The scenario in the file at `path`. Raises `SpecError` with all its problems."""
    problems: list[Problem] = []
    loaded = read_scenario(Path(path), catalog, problems)
    if loaded is None or problems:
        raise SpecError(problems)
    return loaded


def load_environment(path: str | Path, catalog: Catalog) -> tuple[str, BaseModel]:
    """The environment kind of a scenario and its options, without looking at tools or tasks. Raises `SpecError`.

    For what must be known before a kind's packages are installed.
    """
    problems: list[Problem] = []
    source = Source(Path(path).absolute(), problems)
    spec = source.best(Scenario) if source.read() and source.is_a("scenario") else None
    kind = _environment(source, spec, catalog) if spec is not None else None
    options = source.best(kind.Options, ("environment",), without="kind") if kind is not None else None
    options = options and _Settled(source, set()).absolute(options, ("environment",))
    if spec is None or options is None or problems:
        raise SpecError(problems)
    return spec.environment.kind, options


def read_scenario(
    path: Path, catalog: Catalog, problems: list[Problem], data: set[Path] | None = None
) -> LoadedScenario | None:
    """Like `load_scenario`, adding to `problems`; None when there are any. `data` gathers its data folders."""
    before = len(problems)
    source = Source(path.absolute(), problems)
    if not source.read() or not source.is_a("scenario"):
        return None
    spec = source.best(Scenario)
    if spec is None:
        return None
    written = [name for name in source.keys("roles") if name in spec.roles]
    spec = spec.model_copy(update={"roles": {name: spec.roles[name] for name in written}})
    kind = _environment(source, spec, catalog)
    if kind is None:
        check_scenario(source, spec, None, None)
        return None
    options = source.best(kind.Options, ("environment",), without="kind")
    settled = _Settled(source, set() if data is None else data)
    spec = settled.absolute(spec, ())
    options = options and settled.absolute(options, ("environment",))
    setups: dict[str, BaseModel] = {}
    for index, task in enumerate(spec.tasks):
        setup = _setup(source, kind, index)
        if setup is not None:
            setups[task.id] = settled.absolute(setup, ("tasks", index, "setup"))
    # Packages that are not installed are known here, before anything else looks at the tools.
    roles = list(spec.roles)
    name = spec.environment.kind
    known = options and source.attempt(("environment",), lambda: tools_of(name, kind, options, roles) or None)
    check_scenario(source, spec, kind if known else None, options)
    if options is None or len(problems) > before:
        return None
    if spec.own_tasks is not None:
        brought = source.attempt(("own_tasks",), partial(own_tasks, spec, kind, options))
        if brought is None:
            return None
        spec = spec.model_copy(update={"tasks": [*spec.tasks, *brought[0]]})
        setups.update(brought[1])
    elif not spec.tasks:
        source.problem(("tasks",), "there are no tasks: write some, or take those of the kind with `own_tasks`")
        return None
    return _loaded(source, spec, options, setups, catalog)


def _environment(source: Source, spec: Scenario, catalog: Catalog) -> KindLike | None:
    name = spec.environment.kind
    try:
        kind = catalog.load(name)
        return source.attempt(("environment", "kind"), partial(sound, name, kind))
    except LookupError as error:
        message = str(error.args[0]) if error.args else f"unknown environment {spec.environment.kind!r}"
        if "did you mean" not in message:
            message += did_you_mean(spec.environment.kind, catalog.kinds())
        source.problem(("environment", "kind"), message)
        return None


def _setup(source: Source, kind: KindLike, index: int) -> BaseModel | None:
    if "setup" in source.root.at(("tasks", index)).children:
        return source.best(kind.Setup, ("tasks", index, "setup"))
    try:
        return kind.Setup()
    except ValidationError:
        source.problem(
            ("tasks", index), f"key 'setup' is missing: {kind.Setup.__name__} has no defaults for all it needs"
        )
        return None


class _Settled:
    """Makes the data and Python files of a file's models absolute, noting those that are not there."""

    def __init__(self, source: Source, folders: set[Path]) -> None:
        self.source = source
        self.folders = folders

    def absolute(self, model: B, at: tuple[Any, ...]) -> B:
        """The model, which stands at `at`, with what it points at made absolute."""
        return replace_marked(model, lambda item: self._one(item, at))

    def _one(self, item: Marked, at: tuple[Any, ...]) -> str:
        work: Callable[[], str] | None = None
        if isinstance(item.mark, DataFile):
            folder = item.mark.folder
            work = lambda: _data(item.value, self.source.folder, folder=folder)  # noqa: E731
        elif isinstance(item.mark, PythonSource):
            work = lambda: absolute_python(item.value, self.source.folder)  # noqa: E731
        if work is None:
            return item.value
        result = self.source.attempt((*at, *item.path), work)
        if result is not None and isinstance(item.mark, DataFile) and Path(result).is_dir():
            self.folders.add(Path(result).resolve())
        return result if result is not None else item.value


def _data(reference: str, base: Path, *, folder: bool) -> str:
    path = data_path(reference, base)
    if path.is_dir():
        if not folder:
            raise UserError(f"{reference!r} is a folder; a file is wanted here")
        _check_folder(path, reference)
    elif not path.is_file():
        raise UserError(f"{reference!r} is neither a file nor a folder")
    if not os.access(path, os.R_OK):
        raise UserError(f"{reference!r} cannot be read: permission denied")
    return str(path)


def _check_folder(path: Path, reference: str) -> None:
    """Plain files only, so that what is hashed is what a trial gets, and not without bound."""
    size = 0
    for count, (relative, file) in enumerate(data_files(path), 1):
        if file.is_symlink() or not file.is_file():
            what = "a link" if file.is_symlink() else "no plain file"
            raise UserError(f"{reference!r} holds {what}, {relative!r}: data folders hold plain files only")
        size += file.stat().st_size
        if size > MAX_FOLDER_BYTES or count > MAX_FOLDER_FILES:
            bound = f"{MAX_FOLDER_FILES} files or {MAX_FOLDER_BYTES // 2**20} MiB"
            raise UserError(f"{reference!r} holds more than {bound}: name a smaller folder")


def absolute_python(reference: str, base: Path) -> str:
    """A Python reference that no longer depends on where it was written. Raises `UserError`."""
    path, name = source_file(reference, base)
    return f"{path}:{name}" if reference.rpartition(":")[0].endswith(".py") else reference


def _loaded(
    source: Source, spec: Scenario, options: BaseModel, setups: dict[str, BaseModel], catalog: Catalog
) -> LoadedScenario:  # fmt: skip
    shared = {
        "scenario": content(spec.model_copy(update={"summary": "", "measures": {}, "tasks": [], "own_tasks": None})),
        "environment": content(options),
    }
    shared["scenario"].pop("environment", None)
    kind = spec.environment.kind
    python = catalog.source_of(kind)
    own = python_digest(python, source.folder) if python is not None else []
    shared["scenario"].update(kind="scenario", environment=[kind, *own], **role_order(spec))
    whole = digest(shared)
    tasks = {}
    for task in spec.tasks:
        by_solution = any(check.kind == "same_state" for check in (*task.checks, *spec.checks))
        bare = task.model_copy(update={"setup": {}, "solution": task.solution if by_solution else []})
        of_task = content(bare)
        tasks[task.id] = digest([whole, of_task, content(setups[task.id])])
    measures = digest(content(spec)["measures"] if spec.measures else {})
    return LoadedScenario(spec, source.path, options, setups, whole, tasks, measures)


def role_order(spec: Scenario) -> dict[str, list[str]]:
    """The order of the roles for hashing, where it is not that of their names: worlds let roles take turns in it."""
    roles = list(spec.roles)
    return {} if roles == sorted(roles) else {"role_order": roles}


def content(model: BaseModel) -> dict[str, Any]:
    """A model as plain data for hashing: defaults left out, data files and Python sources by content."""

    def by_content(item: Marked) -> str:
        if isinstance(item.mark, DataFile):
            return data_digest(Path(item.value), named=item.mark.folder)
        if isinstance(item.mark, PythonSource):
            return digest(python_digest(item.value, Path("/")))
        return item.value

    return replace_marked(model, by_content).model_dump(mode="json", by_alias=True, exclude_defaults=True)
