"""What the tests of worlds of several seats share: opening one, acting in it, noting all that each seat is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.environments import Environment, Observation, Opening, StateReader, load_kind

LAMP: dict[str, Any] = {
    "ada": {"plays": "buyer", "cash": 30, "values": {"lamp": 22}},
    "ben": {"plays": "seller", "goods": {"lamp": 1}, "values": {"lamp": 12}},
    "cid": {"plays": "trader", "cash": 30, "goods": {"pot": 2}, "values": {"lamp": 15, "pot": [9, 4]}},
}
HERD: dict[str, Any] = {name: {"most": 9, "coins": 5} for name in ("ada", "ben", "cid")}
HAMLET: dict[str, Any] = {
    "ada": {"plays": "lord", "sacks": 4},
    "ben": {"plays": "farmer", "sacks": 6},
    "cid": {"plays": "bandit", "sacks": 1},
}
WORLDS: dict[str, dict[str, Any]] = {
    "bazaar": {"seats": LAMP, "facts": {"crack": {"text": "The lamp is cracked.", "known_to": ["ben"],
                                                  "values": {"ada": {"lamp": 3}}}}},
    "pasture": {"seats": HERD, "sanctions": {}},
    "village": {"seats": HAMLET},
}  # fmt: skip
ROLES = ("ada", "ben", "cid")


@dataclass
class Table:
    """An open world and what was shown to whom."""

    world: Environment
    opening: Opening
    shown: dict[str, list[str]] = field(default_factory=dict)

    async def act(self, role: str, tool: str, **arguments: Any) -> Observation:
        """Hear, then act, as a scaffold does."""
        await self.hear(role)
        seen = await self.world.call(role, tool, arguments)
        self.shown.setdefault(role, []).append(seen.text)
        return seen

    async def hear(self, role: str) -> str:
        """What there is to hear; "" for nothing."""
        news = await self.world.news(role) or ""
        self.shown.setdefault(role, []).append(news)
        return news

    def all_shown_to(self, role: str) -> str:
        return "\n".join(self.shown.get(role, []))

    async def reader(self) -> StateReader:
        return await type(self.world).read_state(await self.world.final_state(), self.opening)

    async def data(self) -> dict[str, Any]:
        return await (await self.reader()).as_data()


async def seat(
    kind: str, options: dict[str, Any] | None = None, setup: dict[str, Any] | None = None, *,
    roles: Sequence[str] = ROLES, seed: int = 7,
) -> Table:  # fmt: skip
    """Open a world of a kind; WORLDS has one for each, `options` go over it."""
    chosen = load_kind(kind)
    given = chosen.Options.model_validate({**WORLDS[kind], **(options or {})})
    opening = Opening(given, chosen.Setup.model_validate(setup or {}), tuple(roles), seed, Path())
    return Table(await chosen.open(opening), opening)
