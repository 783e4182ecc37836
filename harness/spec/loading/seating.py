"""How the roles of a scaffold sit in a scenario, once both are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.spec.scaffold import Scaffold


def seated(flat: Scaffold, seats: Iterable[str]) -> Scaffold:
    """`flat` with the role that stands for every seat replaced by one role a seat, under the seat's name.

    `seats` are the scaffold roles of a binding (the keys of `bind_seats`), in the scenario's order.
    """
    every = every_seat(flat)
    if every is None:
        return flat
    one = flat.roles[every].model_copy(update={"every": False})
    own = {name: role for name, role in flat.roles.items() if name != every}
    return flat.model_copy(update={"roles": {**own, **{seat: one for seat in seats if seat not in own}}})


def every_seat(flat: Scaffold) -> str | None:
    """The role that stands for every seat, if there is one."""
    return next((name for name, role in flat.roles.items() if role.every), None)


def roles_known(flat: Scaffold, scenario_roles: Mapping[str, object]) -> list[str]:
    """The roles a sweep may give a model: the scaffold's own, and the seats one of them stands for."""
    every = every_seat(flat)
    own = [name for name in flat.roles if name != every]
    return own if every is None else list(dict.fromkeys([*own, *scenario_roles]))
