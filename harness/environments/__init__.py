"""The worlds trials act in: one protocol, one module per kind.

`load_kind` finds a kind by name without importing the others; `CATALOG` is the same as an object, the
way `harness.spec` asks for it. A kind of one's own is named by dotted path, `package.module:Class`, or by the
name under which a plug-in brings it along (`harness.environments.plugins`).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

from harness.environments.protocol import (
    SUBMIT,
    Environment,
    EnvironmentFault,
    FinalState,
    Observation,
    Opening,
    StateReader,
    Tool,
)
from harness.environments.services import Service, Services, allow_open_files
from harness.spec.resolved import KindLike

if TYPE_CHECKING:
    from harness.environments.plugins import Plugins

BUILT_IN = {
    "workspace": "harness.environments.workspace:Workspace",
    "sql": "harness.environments.sql:SqlDatabase",
    "office": "harness.environments.office:Office",
    "conversation": "harness.environments.conversation:Conversation",
    "browser": "harness.environments.browser:Browser",
    "mcp": "harness.environments.mcp:Mcp",
    "bazaar": "harness.environments.bazaar:Bazaar",
    "pasture": "harness.environments.pasture:Pasture",
    "village": "harness.environments.village:Village",
}
"""Kind -> where its class lives."""

TALK = "conversation+"
"""Before the name of a kind: that kind with talk added (`harness.environments.conversation`)."""

_PARTS = ("Options", "Setup", "tools", "open", "read_state")


def load_kind(kind: str) -> type[Environment]:
    """Return the class of a built-in kind, of one that a plug-in brings, or of a dotted path `package.module:Class`.

    With `conversation+` before any of these: that kind with talk added.
    Raises `LookupError` with one line when there is no such kind or the class is not an environment.
    """
    if kind.startswith(TALK):
        from harness.environments.conversation import talking

        return talking(load_kind(kind.removeprefix(TALK)), kind)
    place = BUILT_IN.get(kind) or (kind if ":" in kind else _brought().kinds.get(kind, ""))
    module, colon, name = place.partition(":")
    if not colon or not all(part.isidentifier() for part in (*module.split("."), name)):
        known = ", ".join([*BUILT_IN, *_brought().kinds])
        broken = "".join(f"; {problem}" for problem in _brought().problems)
        raise LookupError(
            f"unknown environment kind '{kind}'; there are {known}, or package.module:Class of your own{broken}"
        )
    try:
        found = getattr(importlib.import_module(module), name)
    except AttributeError as error:
        raise LookupError(f"environment kind '{kind}': module {module} has no {name}") from error
    except (Exception, SystemExit) as error:  # a module from elsewhere may raise anything
        what = str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
        raise LookupError(f"environment kind '{kind}' cannot be imported: {' '.join(what.split())[:300]}") from error
    missing = [part for part in _PARTS if not hasattr(found, part)]
    if not isinstance(found, type) or missing:
        lacks = f"lacks {', '.join(missing)}" if missing else "is not a class"
        raise LookupError(f"environment kind '{kind}' is not an environment: {name} {lacks}")
    return cast(type[Environment], found)


def _brought() -> Plugins:
    from harness.environments.plugins import plugins

    return plugins(frozenset(BUILT_IN))


def _loads(kind: str) -> bool:
    try:
        load_kind(kind)
    except LookupError:
        return False
    return True


class EnvironmentCatalog:
    """The kinds as the checker of files asks for them (`harness.spec.resolved.Catalog`)."""

    def kinds(self) -> list[str]:
        """Return the names of built-in kinds, some with talk added, and of those of plug-ins that can be imported."""
        with_talk = [TALK + kind for kind in ("sql", "office", "workspace")]
        return [*BUILT_IN, *with_talk, *filter(_loads, _brought().kinds)]

    def load(self, kind: str) -> KindLike:
        """Return the class of a kind or dotted path. Raises `LookupError` with one line."""
        return cast(KindLike, load_kind(kind))

    def source_of(self, kind: str) -> str | None:
        """Return where the code of somebody else's kind is, with talk added or without; None for the harness's own."""
        name = kind.removeprefix(TALK)
        place = name if name in BUILT_IN or ":" in name else _brought().kinds.get(name, "")
        return place if ":" in place and not place.startswith("harness.") else None


CATALOG = EnvironmentCatalog()
"""Stateless, and so shared."""

__all__ = [
    "BUILT_IN",
    "CATALOG",
    "SUBMIT",
    "Environment",
    "EnvironmentCatalog",
    "EnvironmentFault",
    "FinalState",
    "Observation",
    "Opening",
    "Service",
    "Services",
    "StateReader",
    "Tool",
    "allow_open_files",
    "load_kind",
]
