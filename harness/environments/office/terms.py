"""The words of an office's YAML: addresses, moments, paths, people and spans of time."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from harness.environments.sqlite import office_time

ADDRESS = re.compile(r"[^\s@,;<>\"']+@[^\s@,;<>\"']+\.[^\s@,;<>\"'.]+")
_SPAN = re.compile(r"([0-9]{1,5}) (minute|hour|day)s?")
_MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}


def checked_address(text: str) -> str:
    """`text` as a mail address in lower case. Raises `ValueError`."""
    address = text.strip().lower()
    if not ADDRESS.fullmatch(address):
        raise ValueError(f"'{text[:60]}' is no mail address")
    return address


def checked_path(text: str) -> str:
    """`text` as the path of an office file, such as `notes/rooms.txt`. Raises `ValueError`."""
    path = text.strip().removeprefix("./")
    parts = path.split("/")
    if not path or len(path) > 200 or any(part in ("", ".", "..") for part in parts) or not path.isprintable():
        raise ValueError(f"'{text[:60]}' is no path; write one such as notes/rooms.txt")
    return path


def checked_name(text: str) -> str:
    """`text` as the name of an attachment. Raises `ValueError`."""
    name = checked_path(text)
    if "/" in name or "," in name:
        raise ValueError(f"'{text[:60]}' is no name of a file; it may hold neither / nor a comma")
    return name


def minutes(value: object) -> object:
    """`20 minutes`, `2 hours` or `1 day` as a number of minutes; anything else as it is. Raises `ValueError`."""
    if not isinstance(value, str):
        return value
    found = _SPAN.fullmatch(value.strip())
    if not found:
        raise ValueError(f"'{value[:40]}' is no span of time; write 20 minutes, 2 hours or 1 day")
    return int(found[1]) * _MINUTES[found[2]]


def checked_pattern(text: str) -> str:
    """`text` as a regular expression. Raises `ValueError`."""
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"'{text[:60]}' is no regular expression: {error}") from None
    return text


Address = Annotated[str, AfterValidator(checked_address)]
Moment = Annotated[str, AfterValidator(office_time)]
FilePath = Annotated[str, AfterValidator(checked_path)]
FileName = Annotated[str, AfterValidator(checked_name)]
Pattern = Annotated[str, AfterValidator(checked_pattern)]
Minutes = Annotated[
    int,
    BeforeValidator(minutes),
    Field(ge=0, le=100 * 24 * 60),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0, "maximum": 100 * 24 * 60}, {"type": "string"}]}),
]
"""A number of minutes, or a text such as `2 hours`."""
Who = Annotated[str, Field(min_length=1, max_length=200)]
"""A name from `people`, or an address."""
