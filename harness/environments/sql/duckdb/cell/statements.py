"""Which kinds of statement are carried out, and what is said of those that are not."""

from __future__ import annotations

import re

READING = {"SELECT", "EXPLAIN"}
CHANGING = {"INSERT", "UPDATE", "DELETE", "MERGE_INTO"}
DEFINING = {"CREATE", "DROP", "ALTER"}
_OBJECTS = {"TABLE", "VIEW", "INDEX", "SEQUENCE", "TYPE", "SCHEMA"}
_BUILDING_OBJECTS = _OBJECTS | {"MACRO", "FUNCTION"}
_BETWEEN = {"OR", "REPLACE", "UNIQUE", "PERSISTENT"}
"""Words between CREATE and what is created."""


def refusal(kind: str, text: str, mode: str) -> str | None:
    """Why a statement of this kind is not carried out in this mode; None where it is."""
    words = re.findall(r"[A-Z_]+", without_comments(text).upper()[:200])
    first = words[0] if words else kind
    if kind == "EXPLAIN" and {"ANALYZE", "ANALYSE"} & set(words):
        return "EXPLAIN ANALYZE is not allowed here"
    if kind in READING:
        return None
    if kind == "MULTI":
        return "PIVOT needs its values named here: PIVOT t ON c IN ('a', 'b')"
    if kind in CHANGING | DEFINING | {"TRANSACTION"} and mode == "read":
        return f"this only reads; {first} is not allowed here"
    if kind in ("CREATE", "DROP"):
        named = next((word for word in words[1:] if word not in _BETWEEN), "")
        if named not in (_BUILDING_OBJECTS if mode == "build" else _OBJECTS):
            return f"{first} {named} is not allowed here"
        return None
    return None if kind in CHANGING | DEFINING | {"TRANSACTION"} else f"{first} is not allowed here"


def without_comments(sql: str) -> str:
    """The text with comments, which may hold others, put as spaces; strings are not looked for."""
    kept, depth, at = [], 0, 0
    while at < len(sql):
        two = sql[at : at + 2]
        if two == "/*":
            depth, at = depth + 1, at + 2
        elif depth and two == "*/":
            depth, at = depth - 1, at + 2
            kept.append(" ")
        elif two == "--" and not depth:
            end = sql.find("\n", at)
            at = len(sql) if end < 0 else end
        else:
            if not depth:
                kept.append(sql[at])
            at += 1
    return "".join(kept)


def returns(text: str) -> bool:
    """Whether a statement that changes rows also hands them out; its own text may say so falsely."""
    return re.search(r"\breturning\b", without_comments(text), re.IGNORECASE) is not None


def aftermath(done: int, of: int, rolled_back: bool) -> str:
    """What became of the statements before the one that failed, `done` in number."""
    if rolled_back:
        return " (the open transaction was rolled back)"
    if of == 1:
        return ""
    before = "" if done == 0 else f"; the {done} before it {'was' if done == 1 else 'were'} carried out"
    return f" (statement {done + 1} of {of}{before})"


def line_of(script: str, statement: str, at_least: int) -> int:
    """Line of the script on which a statement begins; its text may stand there more than once."""
    start = 0
    for _ in range(at_least - 1):
        start = script.find("\n", start) + 1
    place = script.find(statement.strip(), start)
    return script.count("\n", 0, place) + 1 if place >= 0 else at_least


def line_in(message: str) -> int:
    """The line that a message of DuckDB names; 0 when it names none."""
    found = re.search(r"LINE (\d+):", message)
    return int(found[1]) if found else 0
