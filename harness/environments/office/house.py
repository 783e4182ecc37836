"""Who works in an office, and how its mail is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.environments.office.terms import checked_address
from harness.environments.sqlite import Database


@dataclass(frozen=True)
class House:
    """What is settled about an office before it is furnished."""

    user: str
    """The office worker; with several seats the first of them, to whom all goes that names nobody."""
    now: str
    """When the trial starts."""
    closes: str
    """The moment beyond which nobody waits."""
    hidden: bool = True
    """Whether mail is shown with what a reader would not see in it."""
    seats: Mapping[str, str] = field(default_factory=dict)
    """Role -> address, where roles have mailboxes of their own."""

    @property
    def workers(self) -> tuple[str, ...]:
        """The addresses that have a mailbox here, each once."""
        return tuple(dict.fromkeys(self.seats.values())) or (self.user,)


def person(database: Database, who: str, what: str) -> str:
    """The address of someone named in the contents. Raises `ValueError` naming `what` it stands in."""
    if "@" in who:
        return checked_address(who)
    found = database.query("SELECT address FROM people WHERE lower(name) = lower(?)", (who.strip(),))
    if len(found) != 1:
        raise ValueError(f"{what}: {'nobody' if not found else 'more than one'} called '{who}' is among the people")
    return str(found[0][0])
