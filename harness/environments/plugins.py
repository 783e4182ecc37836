"""Kinds of environment that other packages bring along, found through their entry points of the group `harness`.

A package names a module there, and the module says which kinds it has:

    [project.entry-points.harness]
    mine = "my_package.plugin"

    from harness.environments.plugins import hookimpl

    @hookimpl
    def harness_environments():
        return {"balance": "my_package.balance:Balance"}

Nothing of it is imported before a kind is named that is not built in, or all kinds are listed. A plug-in that
is broken is a line in `Plugins.problems`, and takes nothing from the others.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import cast

import pluggy

GROUP = "harness"
"""Of the entry points, and the name of the project in pluggy."""

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)
"""Marks a plug-in's function that answers a hook."""


@hookspec
def harness_environments() -> dict[str, str]:  # type: ignore[empty-body]
    """Kinds of environment: name -> where its class lives, as `package.module:Class`."""


@dataclass(frozen=True)
class Plugins:
    """What the plug-ins that are installed here bring along."""

    kinds: Mapping[str, str]
    """Kind -> `package.module:Class`."""
    problems: tuple[str, ...]
    """One line for each plug-in or kind that cannot be taken, naming it."""


def plugins(taken: frozenset[str]) -> Plugins:
    """What the plug-ins bring along; kinds whose names are `taken` stay with those who have them."""
    return _plugins(taken, tuple(sys.path))


@functools.lru_cache(maxsize=8)
def _plugins(taken: frozenset[str], path: tuple[str, ...]) -> Plugins:
    """As `plugins`; what there is depends on `path` alone, and a trial must not look for it anew."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(sys.modules[__name__])
    problems = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: (_origin(point), point.name)):
        try:
            module = point.load()
            if not manager.is_registered(module):  # two names for one plug-in do no harm
                manager.register(module, name=f"'{point.name}' of {_origin(point)}")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a module from elsewhere may raise anything
            problems.append(f"plug-in '{point.name}' of {_origin(point)} is broken: {_reason(error)}")
    kinds: dict[str, str] = {}
    # In the order of registration: the first by name keeps a kind that two bring along.
    for hook in manager.hook.harness_environments.get_hookimpls():
        try:
            brought = dict(cast(Mapping[object, object], hook.function()))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - likewise
            problems.append(f"plug-in {hook.plugin_name} is broken: {_reason(error)}")
            continue
        for kind, place in brought.items():
            wrong = _wrong(kind, place, taken, kinds)
            if wrong:
                problems.append(f"plug-in {hook.plugin_name}: {wrong}")
            else:
                kinds[str(kind)] = str(place)
    return Plugins(kinds, tuple(problems))


def _wrong(kind: object, place: object, taken: frozenset[str], kinds: Mapping[str, str]) -> str | None:
    """Why a kind cannot be taken."""
    if not isinstance(kind, str) or not isinstance(place, str) or ":" in kind or ":" not in place:
        return f"{kind!r}: {place!r} is no kind's name with its package.module:Class"
    if kind in taken:
        return f"'{kind}' is a built-in kind; it needs another name"
    if kinds.get(kind, place) != place:
        return f"'{kind}' is already {kinds[kind]}"
    return None


def _origin(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text[:300] if isinstance(error, ImportError) and text else f"{type(error).__name__}: {text}"[:300]
