"""Rights table by table, as SQLite's authoriser can keep them."""

from __future__ import annotations

from collections.abc import Iterable

from harness.environments.sqlite.database import Database
from harness.environments.sqlite.guard import TableAccess
from harness.environments.sqlite.statements import tokens


def table_access(database: Database, read: Iterable[str], write: Iterable[str]) -> TableAccess:
    """What may be named by somebody who reads and writes these tables and views, and all that follows from it.

    Views and triggers do what they do for whoever may use them. Keys that refer from table to table are checked for
    whoever changes one of the two, which shows what keys there are, and no more.
    """
    writes = {name.lower() for name in write}
    reads = writes | {name.lower() for name in read}
    views: dict[str, list[str]] = {}
    through: set[str] = set()
    for name, kind, sql in database.query("SELECT lower(name), type, sql FROM sqlite_schema"):
        if kind == "view":
            views[str(name)] = tokens(str(sql))
        elif kind == "trigger":
            through.add(str(name))
    pending = [name for name in reads if name in views]
    while pending:
        name = pending.pop()
        if name not in through:
            through.add(name)
            pending += [word for word in views[name] if word in views]
    return TableAccess(frozenset(reads), frozenset(writes), frozenset(through), frozenset(_keys(database, writes)))


def _keys(database: Database, writes: set[str]) -> Iterable[tuple[str, str]]:
    referring = database.query(
        'SELECT lower(t.name), lower(f."from"), lower(f."table"), lower(f."to") '
        "FROM pragma_table_list AS t, pragma_foreign_key_list(t.name) AS f WHERE t.schema = 'main'"
    )
    for table, column, target, key in referring:
        if str(table) in writes:
            own = "SELECT lower(name) FROM pragma_table_info(?) WHERE pk"
            keys = [(key,)] if key else database.query(own, (target,))
            yield from ((str(target), str(name)) for (name,) in keys)
        if str(target) in writes:
            yield str(table), str(column)
