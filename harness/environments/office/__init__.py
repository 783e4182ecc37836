"""The kind `office`: a mailbox, a calendar, contacts and files over SQLite, in this process."""

from __future__ import annotations

from harness.environments.office.contents import Event, Mail, OfficeContents, Person
from harness.environments.office.office import Office, OfficeOptions, OfficeSetup
from harness.environments.office.state import OfficeReader

__all__ = ["Event", "Mail", "Office", "OfficeContents", "OfficeOptions", "OfficeReader", "OfficeSetup", "Person"]
