"""A small shop in SQL for the tests, and ways to act in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.environments import FinalState, Observation, Opening
from harness.environments.sql import SqlDatabase, SqlOptions, SqlSetup

SHOP = """
-- a shop; with a semicolon in a comment
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), total REAL, at TEXT DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE log (what TEXT);
CREATE INDEX by_total ON orders (total);
CREATE TRIGGER logged AFTER INSERT ON orders BEGIN INSERT INTO log VALUES ('order ' || new.id); END;
CREATE VIEW sums AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY customer_id;
INSERT INTO customers VALUES (1, 'Ann; O''Neill'), (2, 'Bob');
INSERT INTO orders (customer_id, total) VALUES (1, 10.5), (2, 20.0);
"""
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"


def shop_openings(tmp_path: Path) -> Callable[..., Opening]:
    """Makes openings of a small shop whose script is in `tmp_path`."""
    script = tmp_path / "shop.sql"
    script.write_text(SHOP)

    def opening(
        setup: str = "", seed: int = 5, roles: tuple[str, ...] = ("clerk", "auditor"), **options: Any
    ) -> Opening:
        chosen = SqlOptions.model_validate({"database": str(script), **options})
        return Opening(chosen, SqlSetup(sql=setup), roles, seed, tmp_path)

    return opening


def do(opening: Opening, *calls: tuple[str, str], role: str = "clerk") -> list[Observation]:
    """What a trial observes that makes these calls (tool, SQL)."""

    async def whole() -> list[Observation]:
        database = await SqlDatabase.open(opening)
        try:
            return [await database.call(role, tool, {"sql": sql} if sql else {}) for tool, sql in calls]
        finally:
            await database.close()

    return asyncio.run(whole())


def one(opening: Opening, tool: str, sql: str = "", role: str = "clerk") -> Observation:
    return do(opening, (tool, sql), role=role)[0]


def ended(opening: Opening, *calls: str) -> tuple[FinalState, list[Observation]]:
    async def whole() -> tuple[FinalState, list[Observation]]:
        database = await SqlDatabase.open(opening)
        try:
            seen = [await database.call("clerk", "execute", {"sql": sql}) for sql in calls]
            return await database.final_state(), seen
        finally:
            await database.close()

    return asyncio.run(whole())


def asked(opening: Opening, state: FinalState, sql: str) -> list[list[Any]]:
    async def whole() -> list[list[Any]]:
        reader = await SqlDatabase.read_state(state, opening)
        try:
            return await reader.query(sql)
        finally:
            await reader.close()

    return asyncio.run(whole())
