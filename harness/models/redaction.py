"""Keeps keys out of whatever is written down: errors, attempts, logs, records.

Two kinds of secret: the values of environment variables whose names say so, which are replaced by
`[redacted NAME]` wherever they appear; and texts that look like keys whatever their origin (`sk-...`,
`Bearer ...`), which are replaced in error messages only, because a task may well be about such texts.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from typing import TypeVar, cast
from urllib.parse import quote

T = TypeVar("T")
_MARKS = ("KEY", "TOKEN", "SECRET", "PASSWORD")
_SHORTEST = 8
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("bearer token", r"(?i)(?<=\bbearer )(?!\[redacted)[^\s\"',;}\]]{6,}"),
        ("key", r"\bsk-[A-Za-z0-9_*.-]{6,}"),
        ("key", r"\b(?:gsk_|hf_|xai-|pplx-|r8_|ghp_|github_pat_|glpat-|csk-|nvapi-|fw_)[A-Za-z0-9_-]{8,}"),
        ("key", r"\bAIza[A-Za-z0-9_-]{20,}"),
        ("key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
        ("key", r"(?i)(?<=[?&]key=)[^&\s\"']{6,}"),
        ("key", r"(?i)(?<=api[-_]key)([\"']?\s*[:=]\s*[\"']?)(?!\[redacted)[A-Za-z0-9_.-]{8,}"),
    )
)


def secrets(variables: Iterable[str] = (), keys: Iterable[str] = ()) -> dict[str, str]:
    """Secret value -> its name, longest first, from the environment as it is now.

    `variables` are further names that hold keys, `keys` further keys that no variable holds.
    """
    named = set(variables)
    found = {
        value: name
        for name, value in os.environ.items()
        if len(value) >= _SHORTEST and (name in named or any(mark in name.upper() for mark in _MARKS))
    }
    found = {key: "key" for key in keys if key} | found
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))


def redact(text: str, variables: Iterable[str] = (), keys: Iterable[str] = ()) -> str:
    """For errors and logs: without the environment's secrets and without anything that looks like a key."""
    text = _without(text, secrets(variables, keys))
    for name, pattern in _PATTERNS:
        text = pattern.sub(lambda found, name=name: f"{(found.groups() or ('',))[0]}[redacted {name}]", text)  # type: ignore[misc]
    return text


def redact_data(value: T, variables: Iterable[str] = ()) -> T:
    """For records: the same nested data with the environment's secrets replaced in every text, keys included.

    Nothing else changes, and data without a secret is returned as it is, not copied.
    """
    known = secrets(variables)
    return cast(T, _data_without(value, known)) if known else value


def _without(text: str, known: dict[str, str]) -> str:
    for secret, name in known.items():
        for spelling in {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}:
            if spelling in text:
                text = text.replace(spelling, f"[redacted {name}]")
    return text


def _data_without(value: object, known: dict[str, str]) -> object:
    if isinstance(value, str):
        return _without(value, known)
    if isinstance(value, dict):
        changed = {_data_without(key, known): _data_without(item, known) for key, item in value.items()}
        same = all(a is b and value[a] is changed[b] for a, b in zip(value, changed, strict=True))
        return value if same else changed
    if isinstance(value, (list, tuple)):
        items = [_data_without(item, known) for item in value]
        return value if all(a is b for a, b in zip(value, items, strict=True)) else type(value)(items)
    return value
