"""Loading a scaffold: what it uses inlined, its graph, roles and templates checked, its digest."""

from __future__ import annotations

import keyword
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.spec.base import Problem, PythonSource, SpecError
from harness.spec.digests import digest
from harness.spec.library import did_you_mean, find_file
from harness.spec.loading.graph import check_edges, check_flow, check_lanes
from harness.spec.loading.inline import flatten, role_for
from harness.spec.loading.marked import Marked, replace_marked
from harness.spec.loading.names import LAST, OBSERVATION, Names, check_expression, check_template
from harness.spec.loading.scenarios import absolute_python, content
from harness.spec.reading.source import Source
from harness.spec.resolved import LoadedScaffold
from harness.spec.scaffold import TURN, GenerateNode, JoinNode, RouteNode, SayNode, Scaffold, UseNode

MAX_NODES = 500
"""Nodes of a flat scaffold."""
RESERVED = frozenset(
    {"input", "task", "opening", "role", "last", "observation", "turns", "visits", "loop", "range", "self"}
)
"""Names that templates see anyway; no variable may be called so."""
_JINJA_WORDS = frozenset({"true", "false", "none", "True", "False", "None"})


def load_scaffold(path: str | Path) -> LoadedScaffold:
    """The scaffold in the file at `path`. Raises `SpecError` with all its problems."""
    problems: list[Problem] = []
    loaded = read_scaffold(Path(path), problems)
    if loaded is None or problems:
        raise SpecError(problems)
    return loaded


@dataclass(frozen=True)
class _Uses:
    """How a scaffold came to be read: the files on the way to it, and those already read for the same one."""

    way: tuple[Path, ...] = ()
    done: dict[Path, LoadedScaffold | None] = field(default_factory=dict)


def read_scaffold(path: Path, problems: list[Problem]) -> LoadedScaffold | None:
    """Like `load_scaffold`, adding to `problems`; None when there are any."""
    return _read(path, problems, _Uses())


def _read(path: Path, problems: list[Problem], uses: _Uses) -> LoadedScaffold | None:
    before = len(problems)
    source = Source(path.absolute(), problems)
    if not source.read() or not source.is_a("scaffold"):
        return None
    spec = source.best(Scaffold)
    if spec is None:
        return None
    whole = len(problems) == before
    uses = _Uses((*uses.way, source.path.resolve()), uses.done)
    used = {name: _used(source, name, node, uses) for name, node in spec.nodes.items() if isinstance(node, UseNode)}
    settled = replace_marked(spec, lambda item: _python(source, item))
    _check_roles(source, spec, used)
    _check_variables(source, spec)
    _check_texts(source, spec)
    if check_edges(source, spec) and whole:
        check_flow(source, spec)
    if len(problems) > before:
        return None
    flat = flatten(settled, {name: inner.flat for name, inner in used.items() if inner is not None})
    if len(flat.nodes) > MAX_NODES:
        source.problem(
            ("nodes",), f"with what it uses, this scaffold has {len(flat.nodes)} nodes; {MAX_NODES} are the most"
        )
    else:
        check_lanes(source, flat)
    return LoadedScaffold(spec, flat, source.path, _digest(flat)) if len(problems) == before else None


def _used(source: Source, name: str, node: UseNode, uses: _Uses) -> LoadedScaffold | None:
    at = ("nodes", name, "scaffold")
    try:
        path = find_file(node.scaffold, "scaffold", source.path).resolve()
    except UserError as error:
        source.problem(at, str(error))
        return None
    if path in uses.way:
        chain = " uses ".join(file.name for file in [*uses.way[uses.way.index(path) :], path])
        source.problem(at, f"scaffolds use each other in a circle: {chain}")
        return None
    before = len(source.problems)
    if path not in uses.done:
        uses.done[path] = _read(path, source.problems, uses)
    inner = uses.done[path]
    if inner is None and len(source.problems) == before:
        source.problem(at, f"scaffold {node.scaffold!r} cannot be used: see its own problems")
    return inner


def _python(source: Source, item: Marked) -> str:
    if not isinstance(item.mark, PythonSource):
        return item.value
    if item.path[-1] == "pick" and ":" not in item.value:
        hint = did_you_mean(item.value, ["vote", "first"])
        source.problem(item.path, f"should be vote, first or a function (`file.py:name`), not {item.value!r}{hint}")
        return item.value
    result: str | None = source.attempt(item.path, lambda: absolute_python(item.value, source.folder))
    return item.value if result is None else result


def _check_roles(source: Source, spec: Scaffold, used: dict[str, LoadedScaffold | None]) -> None:
    known = source.keys("roles") or list(spec.roles)
    seats = [name for name, role in spec.roles.items() if role.seat]
    if spec.roles and not seats and len(known) == len(spec.roles) and not any(used):
        source.problem(("roles",), "no role has a seat: somebody must act in the scenario", on_key=True)
    for name, role in spec.roles.items():
        if "." in name:
            message = f"a dot in the name of role {name!r}: dots are kept for the roles of used scaffolds"
            source.problem(("roles", name), message, on_key=True)
        if role.model_of is not None:
            _known_role(source, ("roles", name, "model_of"), role.model_of, known)
            if role.model_of in _speakers(spec, role.model_of) or role.model_of == name:
                source.problem(("roles", name, "model_of"), f"role {name!r} speaks through itself in the end")
        if role.every and (not role.seat or role.model_of is not None):
            source.problem(("roles", name, "every"), f"role {name!r} stands for seats: no `seat: false`, no `model_of`")
        if role.every and [other for other, told in spec.roles.items() if told.every] != [name]:
            source.problem(("roles", name, "every"), "only one role may stand for every seat")
        if not role.seat and role.brief is None:
            source.problem(("roles", name), f"role {name!r} is an inner voice and needs a brief", on_key=True)
    for name, node in spec.nodes.items():
        speaker = getattr(node, "role", None)
        if isinstance(speaker, str) and (speaker != TURN or isinstance(node, JoinNode)):
            _known_role(source, ("nodes", name, "role"), speaker, known)
            if speaker in spec.roles and spec.roles[speaker].every:
                message = (
                    f"role {speaker!r} stands for every seat: write {TURN!r} (in quotes), the seat whose turn it is"
                )
                source.problem(("nodes", name, "role"), message)
        if isinstance(node, UseNode):
            _check_use(source, spec, name, node, used[name])
        if isinstance(node, GenerateNode) and node.tools == []:
            source.problem(("nodes", name, "tools"), "must not be empty: write false to offer none")
    if spec.protocol.kind == "native" and (spec.protocol.thought or spec.protocol.reply):
        key = "thought" if spec.protocol.thought else "reply"
        source.problem(("protocol", key), f"`{key}` does not go with the native protocol: the API has its own form")
    if spec.protocol.kind == "text" and spec.protocol.reply:
        source.problem(("protocol", "reply"), "`reply` goes with the json protocol only")


def _speakers(spec: Scaffold, role: str) -> set[str]:
    """The roles through whose model `role` speaks, one through the other."""
    seen: set[str] = set()
    source = spec.roles[role].model_of if role in spec.roles else None
    while source is not None and source not in seen:
        seen.add(source)
        source = spec.roles[source].model_of if source in spec.roles else None
    return seen


def _known_role(source: Source, at: tuple[Any, ...], role: str, known: list[str]) -> None:
    if role not in known:
        hint = did_you_mean(role, known)
        source.problem(at, f"unknown role {role!r}; this scaffold has {', '.join(known)}{hint}")


def _check_use(source: Source, spec: Scaffold, name: str, node: UseNode, inner: LoadedScaffold | None) -> None:
    at = ("nodes", name)
    for role, outer in node.roles.items():
        _known_role(source, (*at, "roles", role), outer, source.keys("roles") or list(spec.roles))
        if inner is not None and role not in inner.flat.roles:
            known = list(inner.flat.roles)
            hint = did_you_mean(role, known)
            message = f"scaffold {inner.spec.name!r} has no role {role!r}; it has {', '.join(known)}{hint}"
            source.problem((*at, "roles", role), message, on_key=True)
    if inner is None:
        return
    if inner.flat.protocol != spec.protocol:
        source.problem(
            (*at, "scaffold"),
            f"scaffold {inner.spec.name!r} speaks another protocol: a protocol belongs to the whole scaffold, "
            "so write the same in both",
        )
    for role, told in inner.flat.roles.items():
        here = spec.roles.get(role_for(role, node, spec.roles, f"{name}."))
        if here is not None and here.seat != told.seat and role not in node.roles:
            kinds = ("a seat", "an inner voice") if here.seat else ("an inner voice", "a seat")
            message = f"role {role!r} is {kinds[0]} here and {kinds[1]} in {inner.spec.name!r}: map it under `roles`"
            source.problem((*at, "scaffold"), message)


def _check_variables(source: Source, spec: Scaffold) -> None:
    known = source.keys("variables")
    for name in spec.variables:
        if name in RESERVED or name in _JINJA_WORDS or keyword.iskeyword(name):
            source.problem(
                ("variables", name), f"{name!r} is taken: choose another name for this variable", on_key=True
            )
        elif "." in name:
            message = f"a dot in the name of variable {name!r}: dots are kept for the variables of used scaffolds"
            source.problem(("variables", name), message, on_key=True)
    for name, node in spec.nodes.items():
        if isinstance(node, GenerateNode) and node.save is not None and node.save not in known:
            listed = f"there are {', '.join(known)}" if known else "there are none"
            hint = did_you_mean(node.save, known) or ": declare it under `variables` with its first value"
            source.problem(("nodes", name, "save"), f"unknown variable {node.save!r}; {listed}{hint}")


def _check_texts(source: Source, spec: Scaffold) -> None:
    nodes, variables = source.keys("nodes"), source.keys("variables")
    names = Names(
        frozenset(variables) | {"input", "task", "opening", "role", "last", "observation", "turns", "visits"},
        {"last": LAST, "observation": OBSERVATION, "visits": frozenset(nodes)},
    )
    for name, role in spec.roles.items():
        if role.brief is not None:
            check_template(source, ("roles", name, "brief"), role.brief, Names(frozenset({"input", "task", "role"})))
    for name, node in spec.nodes.items():
        if isinstance(node, SayNode):
            check_template(source, ("nodes", name, "text"), node.text, names)
        elif isinstance(node, RouteNode):
            for index, case in enumerate(node.cases):
                check_expression(source, ("nodes", name, "cases", index, "when"), case.when, names)


def _digest(flat: Scaffold) -> str:
    """Of the flat graph: neither its name nor its summary counts, nor how it was put together from files."""
    whole = content(flat)
    whole.pop("summary", None)
    whole.pop("name", None)
    return digest(whole)
