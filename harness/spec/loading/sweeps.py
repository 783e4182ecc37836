"""Loading a sweep: everything it names, and how the roles of each scaffold sit in each scenario."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from harness.errors import UserError
from harness.spec.base import Problem, SpecError
from harness.spec.library import Findable, did_you_mean, find_file, listed
from harness.spec.loading.models import find_model, models_path, read_models
from harness.spec.loading.scaffolds import read_scaffold
from harness.spec.loading.scenarios import read_scenario
from harness.spec.loading.seating import every_seat, roles_known
from harness.spec.reading.source import Source
from harness.spec.resolved import Catalog, LoadedModel, LoadedScaffold, LoadedScenario, ResolvedSweep
from harness.spec.scaffold import GenerateNode
from harness.spec.sweep import Sweep

L = TypeVar("L", LoadedScenario, LoadedScaffold)


def load_sweep(path_or_name: str | Path, catalog: Catalog) -> ResolvedSweep:
    """The sweep in a file, or shipped under a name. Raises `SpecError` with all problems of all its files."""
    problems: list[Problem] = []
    loaded = read_sweep(find_file(path_or_name, "sweep", Path.cwd()), catalog, problems)
    if loaded is None or problems:
        raise SpecError(problems)
    return loaded


def read_sweep(path: Path, catalog: Catalog, problems: list[Problem]) -> ResolvedSweep | None:
    """Like `load_sweep`, adding to `problems`."""
    before = len(problems)
    source = Source(path.absolute(), problems)
    if not source.read() or not source.is_a("sweep"):
        return None
    spec = source.best(Sweep)
    if spec is None:
        return None
    reading = _Reading(source, spec, catalog)
    scenarios = reading.files("scenario", spec.scenarios, partial(read_scenario, catalog=catalog, problems=problems))
    scaffolds = reading.files("scaffold", spec.scaffolds, partial(read_scaffold, problems=problems))
    models = reading.models()
    reading.equal_models(models)
    reading.contrasts()
    if len(scaffolds) == len(spec.scaffolds) and len(scenarios) == len(spec.scenarios):
        reading.roles(scaffolds, scenarios)
    if len(scenarios) == len(spec.scenarios):
        reading.tasks(scenarios)
    seats = reading.seats(scenarios, scaffolds)
    if len(problems) > before:
        return None
    return ResolvedSweep(
        spec, source.path, [item for _, item in scenarios], [item for _, item in scaffolds], models, seats
    )


class _Reading:
    """The parts of one sweep as they come in."""

    def __init__(self, source: Source, spec: Sweep, catalog: Catalog) -> None:
        self.source, self.spec, self.catalog = source, spec, catalog

    def files(self, kind: Findable, references: Sequence[str], read: Callable[[Path], L | None]) -> list[tuple[int, L]]:
        """The files of a list that can be used, with their index in it."""
        found: list[tuple[int, L]] = []
        names: dict[str, str] = {}
        contents: dict[str, str] = {}
        for index, reference in enumerate(references):
            at = (f"{kind}s", index)
            path = self.source.attempt(at, partial(find_file, reference, kind, self.source.path))
            before = len(self.source.problems)
            loaded = read(path) if path is not None else None
            if loaded is None:
                if path is not None and len(self.source.problems) == before:
                    self.source.problem(at, f"{reference!r} cannot be used: see its own problems")
                continue
            name = loaded.spec.name
            if name in names:
                twin = "listed twice" if names[name] == reference else f"also the name in {names[name]!r}"
                self.source.problem(at, f"{kind} {name!r} is {twin}: names must differ within a sweep")
            elif isinstance(loaded, LoadedScaffold) and loaded.digest in contents:
                self.source.problem(
                    at, f"scaffold {name!r} is the same, but for its name, as {contents[loaded.digest]!r}"
                )
            names.setdefault(name, reference)
            contents.setdefault(loaded.digest, name)
            found.append((index, loaded))
        return found

    def models(self) -> dict[str, LoadedModel]:
        """Every model named anywhere in the sweep."""
        source, spec = self.source, self.spec
        path = source.attempt(("models_file",), lambda: models_path(spec.models_file, source.path))
        known = read_models(path, source.problems) if path is not None else {}
        if known is None:
            return {}
        found: dict[str, LoadedModel] = {}
        for at, name in self.named_models():
            model = source.attempt(at, partial(find_model, name, known, source.path))
            if model is not None:
                found[name] = model
        return found

    def named_models(self) -> list[tuple[tuple[Any, ...], str]]:
        """(place, name) of every model named."""
        named: list[tuple[tuple[Any, ...], str]] = [(("models", i), name) for i, name in enumerate(self.spec.models)]
        for role, names in self.spec.roles.items():
            if isinstance(names, str):
                named.append((("roles", role), names))
            else:
                named += [(("roles", role, index), name) for index, name in enumerate(names)]
        return named

    def equal_models(self, models: dict[str, LoadedModel]) -> None:
        """One model under two names is told apart by `variant` only; one name stands once in a list."""
        lists: set[tuple[tuple[Any, ...], str]] = set()
        first: dict[str, str] = {}
        for at, name in self.named_models():
            if (at[:-1], name) in lists and isinstance(at[-1], int):
                self.source.problem(at, f"model {name!r} is listed twice")
            lists.add((at[:-1], name))
            if name not in models:
                continue
            twin = first.setdefault(models[name].digest, name)
            if twin != name:
                self.source.problem(
                    at,
                    f"model {name!r} is the same model as {twin!r}: as a null test, "
                    "tell them apart with `variant` in the models file",
                )

    def contrasts(self) -> None:
        """Declared pairs are of two models that are crossed, each pair once."""
        seen: dict[frozenset[str], int] = {}
        known = self.spec.models
        for index, pair in enumerate(self.spec.contrasts):
            for place, name in enumerate(pair):
                if name not in known:
                    message = (
                        f"unknown model {name!r}; the sweep compares {', '.join(known)}{did_you_mean(name, known)}"
                    )
                    self.source.problem(("contrasts", index, place), message)
            if pair[0] == pair[1]:
                self.source.problem(("contrasts", index), f"model {pair[0]!r} is contrasted with itself")
            elif seen.setdefault(frozenset(pair), index) != index:
                self.source.problem(("contrasts", index), f"{pair[0]!r} and {pair[1]!r} are contrasted twice")

    def roles(
        self, scaffolds: list[tuple[int, LoadedScaffold]], scenarios: list[tuple[int, LoadedScenario]]
    ) -> None:  # fmt: skip
        """Roles given a model of their own exist in some scaffold, or are a seat that one stands for."""
        there = {role: None for _, scenario in scenarios for role in scenario.spec.roles}
        known = sorted({role for _, scaffold in scaffolds for role in roles_known(scaffold.flat, there)})
        for role, names in self.spec.roles.items():
            if role not in known:
                message = f"unknown role {role!r}; the scaffolds have {', '.join(known)}{did_you_mean(role, known)}"
                self.source.problem(("roles", role), message, on_key=True)
            if names == []:
                self.source.problem(("roles", role), "must not be empty")

    def tasks(self, scenarios: list[tuple[int, LoadedScenario]]) -> None:
        """Task ids exist, and leave no scenario without a task."""
        if self.spec.tasks is None:
            return
        known = sorted({task.id for _, scenario in scenarios for task in scenario.spec.tasks})
        for index, task in enumerate(self.spec.tasks):
            if task not in known:
                message = f"unknown task {task!r}; there are {listed(known)}{did_you_mean(task, known)}"
                self.source.problem(("tasks", index), message)
        for index, scenario in scenarios:
            if not {task.id for task in scenario.spec.tasks} & set(self.spec.tasks):
                self.source.problem(("scenarios", index), f"`tasks` leaves nothing of scenario {scenario.spec.name!r}")

    def seats(
        self, scenarios: list[tuple[int, LoadedScenario]], scaffolds: list[tuple[int, LoadedScaffold]]
    ) -> dict[tuple[str, str], dict[str, str]]:
        """How each scaffold sits in each scenario; also whether the tools it names are there."""
        seats: dict[tuple[str, str], dict[str, str]] = {}
        for _, scenario in scenarios:
            for index, scaffold in scaffolds:
                bound = self.source.attempt(("scaffolds", index), partial(bind_seats, scenario, scaffold, self.catalog))
                if bound is not None:
                    seats[scenario.spec.name, scaffold.spec.name] = bound
        return seats


def bind_seats(scenario: LoadedScenario, scaffold: LoadedScaffold, catalog: Catalog) -> dict[str, str]:
    """Scaffold role -> scenario role, by name; a single seat binds to a single role whatever the names.

    A role that stands for every seat is bound under the name of each (`harness.spec.loading.seating.seated`).

    Raises `UserError` when a seat or a role is left over, or a node offers a tool that is not there.
    """
    there = list(scenario.spec.roles)
    wanted = [name for name, role in scaffold.flat.roles.items() if role.seat and not role.every]
    pair = f"scaffold {scaffold.spec.name!r} does not fit scenario {scenario.spec.name!r}"
    if every_seat(scaffold.flat) is not None:
        bound = {name: name for name in there}
    elif len(there) == 1 and len(wanted) == 1:
        bound = {wanted[0]: there[0]}
    else:
        bound = {name: name for name in wanted if name in there}
    unbound = [name for name in wanted if name not in bound]
    if unbound:
        raise UserError(f"{pair}: seat {unbound[0]!r} is no role there (roles: {', '.join(there)})")
    empty = [name for name in there if name not in bound.values()]
    if empty:
        raise UserError(f"{pair}: nobody plays role {empty[0]!r} (seats: {', '.join(wanted) or 'none'})")
    _tools_there(scenario, scaffold, bound, catalog, pair)
    return bound


def _tools_there(
    scenario: LoadedScenario, scaffold: LoadedScaffold, bound: dict[str, str], catalog: Catalog, pair: str
) -> None:
    kind = catalog.load(scenario.spec.environment.kind)
    offered: dict[str, list[str]] = {}
    for name, role in scenario.spec.roles.items():
        every = [tool.name for tool in kind.tools(scenario.options, name)]
        offered[name] = [*(tool for tool in every if role.tools is None or tool in role.tools), "submit"]
    for name, node in scaffold.flat.nodes.items():
        if not isinstance(node, GenerateNode) or not isinstance(node.tools, list):
            continue
        seat = bound.get(node.role)
        known = offered[seat] if seat else sorted({tool for tools in offered.values() for tool in tools})
        for tool in node.tools:
            if tool not in known:
                hint = did_you_mean(tool, known)
                raise UserError(
                    f"{pair}: node {name!r} offers unknown tool {tool!r}; there are {', '.join(known)}{hint}"
                )
