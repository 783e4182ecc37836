"""Inlining: a scaffold with `use` nodes becomes one flat graph.

Nodes, variables and unmapped roles of a used scaffold get the name of the `use` node as a prefix
(`review.critic`); its `end` becomes where the `use` node leads. Templates and functions stay as they are
written: each inlined node keeps its `scope`, and sees the variables and visits of that scope by their own
names (`in_scope`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from harness.spec.scaffold import END, BranchNode, GenerateNode, Node, RouteNode, Scaffold, ScaffoldRole, UseNode

V = TypeVar("V")


def in_scope(scope: str, values: Mapping[str, V]) -> dict[str, V]:
    """The values (variables, visits) that a node of this scope sees, by the names it knows them by."""
    if not scope:
        return dict(values)
    return {name.removeprefix(scope): value for name, value in values.items() if name.startswith(scope)}


def out_of_scope(scope: str, values: Mapping[str, V]) -> dict[str, V]:
    """What a node of this scope wrote, by flat names; the reverse of `in_scope`."""
    return {scope + name: value for name, value in values.items()}


@dataclass
class Flat:
    """What has been gathered of the flat scaffold."""

    nodes: dict[str, Any] = field(default_factory=dict)
    roles: dict[str, ScaffoldRole] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)


def flatten(spec: Scaffold, used: Mapping[str, Scaffold]) -> Scaffold:
    """`spec` with each `use` node replaced by the scaffold that `used` holds for it, itself already flat."""
    flat = Flat(roles=dict(spec.roles), variables=dict(spec.variables))
    starts = {name: f"{name}.{inner.start}" for name, inner in used.items()}

    def target(name: str) -> str:
        return starts.get(name, name)

    for name, node in spec.nodes.items():
        if isinstance(node, UseNode):
            _inline(flat, name, node, used[name], target(node.next), spec.roles)
        else:
            flat.nodes[name] = redirected(node, target)
    update = {"nodes": flat.nodes, "roles": flat.roles, "variables": flat.variables, "start": target(spec.start)}
    return spec.model_copy(update=update)


def _inline(
    flat: Flat, name: str, use: UseNode, inner: Scaffold, after: str, outer_roles: Mapping[str, ScaffoldRole]
) -> None:
    prefix = f"{name}."
    roles = {role: role_for(role, use, outer_roles, prefix) for role in inner.roles}
    for role, told in inner.roles.items():
        if roles[role] not in flat.roles:
            model_of = roles.get(told.model_of, told.model_of) if told.model_of else None
            flat.roles[roles[role]] = told.model_copy(update={"model_of": model_of})
    flat.variables.update(out_of_scope(prefix, inner.variables))

    def target(inner_name: str) -> str:
        return after if inner_name == END else prefix + inner_name

    for inner_name, node in inner.nodes.items():
        moved = redirected(node, target)
        update: dict[str, Any] = {"scope": prefix + node.scope}
        if hasattr(node, "role"):
            update["role"] = roles.get(node.role, node.role)
        if isinstance(node, GenerateNode) and node.save is not None:
            update["save"] = prefix + node.save
        flat.nodes[prefix + inner_name] = moved.model_copy(update=update)


def role_for(role: str, use: UseNode, outer: Mapping[str, ScaffoldRole], prefix: str) -> str:
    """Name in the using scaffold of a role of the used one."""
    if role in use.roles:
        return use.roles[role]
    return role if role in outer else prefix + role


def redirected(node: Node, target: Callable[[str], str]) -> Node:
    """The node with every edge led through `target`."""
    if isinstance(node, RouteNode):
        cases = [case.model_copy(update={"to": target(case.to)}) for case in node.cases]
        return node.model_copy(update={"cases": cases, "otherwise": target(node.otherwise)})
    if isinstance(node, BranchNode):
        return node.model_copy(update={"to": target(node.to), "join": target(node.join)})
    return node.model_copy(update={"next": target(node.next)})
