"""The desk that the tools work at: questions to the tables, and people by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from harness.environments.office.diary.clock import now
from harness.environments.office.house import House
from harness.environments.office.mail.letters import Letter
from harness.environments.office.terms import checked_address
from harness.environments.sqlite import Database

Rights = Literal["read", "comment", "change"]


class ComplaintError(ValueError):
    """Something the office worker got wrong; the message is meant for them."""


@dataclass(frozen=True)
class Answer:
    """What a tool comes to."""

    text: str
    data: dict[str, JsonValue]


@dataclass(frozen=True)
class Desk:
    """One worker's office."""

    database: Database
    house: House
    user: str
    """The worker's address."""
    characters: int
    """Length of one observation."""
    rights: Rights = "change"
    """What the worker may do with tickets."""
    carrier: Callable[[Letter], Letter] | None = None
    """What carries letters, where servers do: returns them as they came out at the other end."""

    @property
    def now(self) -> str:
        """What the clock shows."""
        return now(self.database)

    def ask(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """All rows of one of our own statements."""
        return self.database.query(sql, values)

    def name(self, address: str) -> str:
        """How someone is called: `you`, the name in the contacts, or the address itself."""
        if address == self.user:
            return "you"
        return self.called(address)

    def called(self, address: str) -> str:
        """The same without `you`, for others to read."""
        found = self.ask("SELECT name FROM people WHERE address = ?", address)
        return str(found[0][0]) if found else address

    def sender(self, address: str, name: str) -> str:
        """How the sender of a mail is called in a list: as he calls himself, where he does."""
        return name or self.name(address)

    def names(self, addresses: Sequence[str]) -> str:
        """Several, separated by commas."""
        return ", ".join(self.name(address) for address in addresses)

    def address(self, text: str) -> str:
        """Find the address of one person given by name, address, or both. Raises `ComplaintError`."""
        inner = re.fullmatch(r"[^<>]*<([^<>]+)>", text.strip())
        who = (inner[1] if inner else text).strip().strip("\"'")
        if "@" in who:
            try:
                return checked_address(who)
            except ValueError as error:
                raise ComplaintError(str(error)) from None
        if who.lower() in ("me", "you", "myself"):
            return self.user
        people = [(str(address), str(name)) for address, name in self.ask("SELECT address, name FROM people")]
        exact = [address for address, name in people if name.lower() == who.lower()]
        found = exact or [address for address, name in people if who.lower() in name.lower().split()]
        if not found:
            raise ComplaintError(f"There is nobody called '{who[:60]}' in the contacts; give an address.")
        if len(found) > 1:
            raise ComplaintError(f"There are several called '{who[:60]}': {', '.join(sorted(found))}.")
        return found[0]

    def addresses(self, text: str) -> list[str]:
        """Several, separated by commas or semicolons, each once. Raises `ComplaintError`."""
        return list(dict.fromkeys(self.address(part) for part in re.split(r"[,;]", text) if part.strip()))

    def strangers(self, addresses: Sequence[str]) -> list[str]:
        """Those that are not in the contacts."""
        known = {str(address) for (address,) in self.ask("SELECT address FROM people")} | {self.user}
        return [address for address in addresses if address not in known]
