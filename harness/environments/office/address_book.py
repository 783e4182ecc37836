"""The desk `address_book`: contacts with notes, and keeping them up to date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.environments.office.desk import Answer, ComplaintError, Desk
from harness.environments.office.terms import checked_address
from harness.environments.sqlite import table_text

_MOST = 1000


def search_contacts(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """People whose name, address or note holds a text, with their notes."""
    text = str(arguments["text"]).strip().lower()
    rows = desk.ask(
        "SELECT name, address, note FROM people WHERE instr(lower(name || ' ' || address || ' ' || note), ?) > 0 "
        "ORDER BY name, address", text,
    )  # fmt: skip
    if not rows:
        return Answer(f"No contact holds '{text[:60]}'.", {"rows": 0})
    listing, shown = table_text(("name", "address", "note"), rows, False, desk.characters)
    return Answer(listing, {"rows": shown})


def add_contact(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Put somebody into the contacts."""
    address, name = _address(arguments["email"]), _name(arguments["name"])
    if desk.ask("SELECT 1 FROM people WHERE address = ?", address):
        raise ComplaintError(f"{address} is in the contacts already, as {desk.called(address)}; use update_contact.")
    if len(desk.ask("SELECT 1 FROM people")) >= _MOST:
        raise ComplaintError(f"There are too many contacts; {_MOST} is the most.")
    desk.ask("INSERT INTO people VALUES (?, ?, ?)", address, name, str(arguments.get("note") or "").strip())
    return Answer(f"{name} <{address}> is in the contacts now.", {})


def update_contact(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Change what is given of a contact."""
    address = desk.address(str(arguments["who"]))
    if not desk.ask("SELECT 1 FROM people WHERE address = ?", address):
        raise ComplaintError(f"{address} is not in the contacts; use add_contact.")
    if not set(arguments) - {"who"}:
        raise ComplaintError("There is nothing to change in this; give a name, email or note.")
    if "name" in arguments:
        desk.ask("UPDATE people SET name = ? WHERE address = ?", _name(arguments["name"]), address)
    if "note" in arguments:
        desk.ask("UPDATE people SET note = ? WHERE address = ?", str(arguments["note"]).strip(), address)
    new = _address(arguments.get("email", address))
    if new != address:
        if desk.ask("SELECT 1 FROM people WHERE address = ?", new):
            raise ComplaintError(f"{new} is in the contacts already, as {desk.called(new)}.")
        desk.ask("UPDATE people SET address = ? WHERE address = ?", new, address)
    return Answer(f"The contact is now {desk.called(new)} <{new}>.", {})


def _address(value: object) -> str:
    try:
        return checked_address(str(value))
    except ValueError as error:
        raise ComplaintError(f"{error}.") from None


def _name(value: object) -> str:
    name = " ".join(str(value).split())
    if not name:
        raise ComplaintError("The contact needs a name.")
    return name
