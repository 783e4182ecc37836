"""What an office holds beside mail and appointments: attachments, tickets, documents and spreadsheets, as in YAML."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from harness.environments.office.terms import FileName, Moment, Who
from harness.spec.base import DataPath, Spec

Entry = float | int | bool | str | None
"""What is written into a cell: a text that starts with `=` is a formula."""
Rows = list[list[Entry]]


class Attachment(Spec):
    """A file that comes with a mail: given as text, as rows of a sheet, or as a file beside the scenario."""

    name: FileName
    text: str | None = Field(None, max_length=1_000_000)
    rows: Rows | None = None
    """For a name that ends with `.xlsx` or `.csv`."""
    data: DataPath | None = None
    """Any file; only in the scenario file itself, as what a contents file points at is not part of the identity."""
    type: str | None = Field(None, pattern=r"^[a-z]+/[a-z0-9.+-]+$", max_length=100)
    """Its media type; by the end of the name when left out."""

    @model_validator(mode="after")
    def _one_source(self) -> Attachment:
        if sum(given is not None for given in (self.text, self.rows, self.data)) != 1:
            raise ValueError(f"the attachment '{self.name}' needs one of `text`, `rows` and `data`")
        if self.rows is not None and not self.name.lower().endswith((".xlsx", ".csv")):
            raise ValueError(f"the attachment '{self.name}' is given as rows: its name ends with .xlsx or .csv")
        return self


class Comment(Spec):
    """A word on a ticket."""

    by: Who
    text: str = Field(min_length=1, max_length=10_000)
    at: Moment | None = None
    """The office's `now` when left out."""
    arrives: Moment | None = None
    """When it is written, where that is after the office's `now`."""


class Ticket(Spec):
    """Something to be done, in the house's list of such things."""

    id: int | None = Field(None, ge=1, le=9999)
    """Counted on from the highest one before it when left out."""
    title: str = Field(min_length=1, max_length=200)
    body: str = Field("", max_length=20_000)
    state: Literal["open", "pending", "closed"] = "open"
    priority: Literal["low", "normal", "high", "urgent"] = "normal"
    by: Who | None = None
    """Who opened it; the office worker when left out."""
    assignee: Who | None = None
    at: Moment | None = None
    """When it was opened; the office's `now` when left out."""
    arrives: Moment | None = None
    """When it is opened, where that is after the office's `now`."""
    comments: list[Comment] = Field(default_factory=list)


class Revision(Spec):
    """A document as it was from some moment on."""

    text: str = Field("", max_length=200_000)
    by: Who | None = None
    """The office worker when left out."""
    at: Moment | None = None
    """The office's `now` when left out."""
    note: str = Field("", max_length=200)
    """What was done in it, in a few words."""


class Document(Spec):
    """A text that people write together; every change of it is kept."""

    text: str | None = Field(None, max_length=200_000)
    """The text, where it has one revision only."""
    data: DataPath | None = None
    """The same from a text file; only in the scenario file itself."""
    revisions: list[Revision] = Field(default_factory=list)
    """The first one first."""

    @model_validator(mode="after")
    def _one_source(self) -> Document:
        if sum((self.text is not None, self.data is not None, bool(self.revisions))) != 1:
            raise ValueError("a document needs one of `text`, `data` and `revisions`")
        return self


class Spreadsheet(Spec):
    """Sheets of cells, given as rows or as an .xlsx or .csv file beside the scenario."""

    sheets: dict[str, Rows] = Field(default_factory=dict)
    """Name -> rows."""
    data: DataPath | None = None
    """Only in the scenario file itself."""

    @model_validator(mode="after")
    def _one_source(self) -> Spreadsheet:
        if bool(self.sheets) == (self.data is not None):
            raise ValueError("a spreadsheet needs one of `sheets` and `data`")
        for name in self.sheets:
            if not name.isprintable() or not 1 <= len(name) <= 31 or set(name) & set("[]:*?/\\'!"):
                raise ValueError(f"'{name[:40]}' is no name of a sheet: 31 characters at most, none of []:*?/\\'!")
        return self
