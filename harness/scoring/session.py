"""From names on the command line to scenarios and records: what `harness validate` and `harness regrade` do."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from harness.environments import CATALOG, Services
from harness.errors import UserError
from harness.record import Store, find_sweep
from harness.scoring.regrading import Regraded, regrade
from harness.scoring.validation import TaskValidation, validate_scenario
from harness.spec import SpecError, find_file, load_scenario
from harness.spec.base import Problem
from harness.spec.reading.yaml_source import MAX_BYTES
from harness.spec.resolved import LoadedScenario


def validate_all(
    references: Sequence[str], at_once: int, on_each: Callable[[TaskValidation], None] = lambda found: None
) -> list[TaskValidation]:
    """Validate scenarios by file, folder or shipped name, telling what was found about each task as it is found.

    Raises `SpecError` with the problems of all files.
    """
    scenarios = load_all(references)

    async def run(scratch: Path) -> list[TaskValidation]:
        slots = asyncio.Semaphore(at_once)
        async with Services() as services:
            validating = (validate_scenario(scenario, scratch, services, slots, on_each) for scenario in scenarios)
            each = await asyncio.gather(*validating)
        return [task for tasks in each for task in tasks]

    with tempfile.TemporaryDirectory(prefix="harness-validate-", ignore_cleanup_errors=True) as scratch:
        return asyncio.run(run(Path(scratch)))


def load_all(references: Sequence[str]) -> list[LoadedScenario]:
    """The scenarios of files, folders or shipped names. Raises `SpecError` with the problems of all files."""
    return _load([path for reference in references for path in scenario_files(reference)])


def regrade_sweep(
    sweep: str | Path, files: Sequence[str], *, changed_tasks: bool = False, write: bool = True
) -> list[Regraded]:
    """Grade a recorded sweep again with the scenario files as they are now.

    `files` stand in for those the sweep was run with. Raises `UserError` when one of those is gone, and
    `RecordError` when the record cannot be read, or is being written by another process.
    """
    folder = find_sweep(sweep)
    with Store(folder, write=write) as store:
        given = _load([find_file(reference, "scenario", Path.cwd()) for reference in files])
        scenarios = {scenario.spec.name: scenario for scenario in given}
        needed = {row.scenario for row in store.rows()} - scenarios.keys()
        for scenario in _load(_recorded_files(store, needed)):
            scenarios.setdefault(scenario.spec.name, scenario)

        async def run() -> list[Regraded]:
            async with Services() as services:
                return await regrade(store, scenarios, services=services, changed_tasks=changed_tasks, write=write)

        return asyncio.run(run())


def scenario_files(reference: str) -> list[Path]:
    """The scenario files a reference names: those in a folder and below it, or one."""
    folder = Path(reference)
    if not folder.is_dir():
        return [find_file(reference, "scenario", Path.cwd())]
    found = [path for path in sorted(folder.rglob("*.y*ml")) if _field(path.read_bytes(), "kind") == "scenario"]
    if not found:
        raise UserError(f"{reference}: there is no scenario file in this folder")
    return found


def _load(paths: Iterable[Path]) -> list[LoadedScenario]:
    """Load every file once. Raises `SpecError` with the problems of all of them."""
    loaded: list[LoadedScenario] = []
    problems: list[Problem] = []
    for path in dict.fromkeys(paths):
        try:
            loaded.append(load_scenario(path, CATALOG))
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(problems)
    return loaded


def _recorded_files(store: Store, names: set[str]) -> list[Path]:
    """Where the scenarios of these names were when they were last run. Raises `UserError` when one is gone."""
    places: dict[str, Path] = {}
    for path, digest in store.files():
        text = store.file(digest)
        if len(text) > MAX_BYTES or b"scenario" not in text:
            continue  # data, not a scenario
        if _field(text, "kind") == "scenario" and (name := _field(text, "name")) in names:
            places[name] = Path(path)
    for name, place in places.items():
        if not place.is_file():
            raise UserError(f"{place}: the file of scenario {name} is gone; name it with --scenario FILE")
    return list(places.values())


def _field(text: bytes, name: str) -> str:
    """A top-level field of a YAML file that may be anything."""
    import yaml

    try:
        data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError):
        return ""
    value = data.get(name) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""
