"""One database and what may be done with it."""

from __future__ import annotations

import os
import threading

import duckdb

from .statements import CHANGING, DEFINING, aftermath, line_in, line_of, refusal, returns
from .values import Value, plain, shown

FILE = "world.duckdb"


class Refused(Exception):
    """What was not carried out, with the reason."""


class Connection:
    """One database and what may be done with it."""

    def __init__(self, now: str, memory_mb: int) -> None:
        """Open the file in this folder, made when it is not there, and lock the settings."""
        self._folder = os.getcwd()  # noqa: PTH109 - text to take out of messages
        self.spoiled = False
        """Memory or space has run out; DuckDB may then take nothing more, and a new cell goes on from the file."""
        settings: dict[str, str | bool | int | float | list[str]] = {
            "threads": "1", "memory_limit": f"{memory_mb}MB", "enable_external_access": "false",
            "autoload_known_extensions": "false", "autoinstall_known_extensions": "false",
            "allow_community_extensions": "false", "python_enable_replacements": "false", "temp_directory": "",
        }  # fmt: skip
        self.sql = duckdb.connect(FILE, config=settings)
        self.sql.execute("SET TimeZone = 'UTC'")
        for name, value in standing_still(now).items():
            self.sql.execute(f'CREATE TEMP MACRO "{name}"{value}')
        self.sql.execute("SET lock_configuration = true")

    def run(self, asked: dict[str, object]) -> dict[str, object]:
        """Run SQL: what the last statement with rows gave, how many rows were changed."""
        mode, sql = str(asked["mode"]), str(asked["sql"])
        statements = self._statements(sql, int(str(asked["statements"])), mode)
        self.sql.execute("SELECT setseed(?)", [asked["chance"]]).fetchall()
        answer: dict[str, object] = {"columns": [], "rows": [], "more": False, "changed": None}
        stopped = threading.Event()
        timer = threading.Timer(float(str(asked["seconds"])), self._stop, [stopped])
        timer.daemon = True
        timer.start()
        done, line, began = 0, 1, mode == "read"
        try:
            if began:
                self.sql.execute("BEGIN TRANSACTION READ ONLY")
            for statement in statements:
                line = line_of(sql, statement.query, line)
                self._one(statement, asked, answer)
                done += 1
                if stopped.is_set():
                    raise Refused("stopped")
        except Exception as error:  # noqa: BLE001 - whatever DuckDB raises is the statement's fault
            open_before = self._rolled_back() and not began
            if stopped.is_set():
                reason = f"stopped after {float(str(asked['seconds'])):g} seconds; ask for less at once"
            else:
                reason = self._reason(error)
            raise Refused(reason + aftermath(done, len(statements), open_before), line) from None
        finally:
            timer.cancel()
        if self._rolled_back() and not began:
            raise Refused(
                "a transaction was left open, so it was rolled back and nothing in it was kept; "
                "BEGIN and COMMIT belong in one call",
                line,
            )
        return {**answer, "statements": len(statements)}

    def _stop(self, stopped: threading.Event) -> None:
        stopped.set()
        self.sql.interrupt()

    def _statements(self, sql: str, most: int, mode: str) -> list[duckdb.Statement]:
        try:
            statements = self.sql.extract_statements(sql)
        except duckdb.Error as error:
            raise Refused(self._reason(error), line_in(str(error))) from None
        if not statements and mode != "build":
            raise Refused("there is no statement in this")
        most = 1 if mode == "read" else most
        if len(statements) > most:
            raise Refused(f"too many statements; {most} at once is the most")
        for statement in statements:
            refused = refusal(statement.type.name, statement.query, mode)
            if refused:
                raise Refused(refused, line_of(sql, statement.query, 1))
        return statements

    def _one(self, statement: duckdb.Statement, asked: dict[str, object], answer: dict[str, object]) -> None:
        rows, left = int(str(asked["rows"])), int(str(asked["bytes"]))
        put = plain if asked.get("plain") else shown
        kind, text = statement.type.name, statement.query
        self.sql.execute(statement)
        columns = [column[0] for column in self.sql.description or []]
        if kind in CHANGING and not returns(text):
            found = self.sql.fetchone()
            answer["changed"] = int(str(answer["changed"] or 0)) + int(str(found[0] if found else 0))
            return
        if kind in DEFINING or kind == "TRANSACTION":
            self.sql.fetchall()
            return
        kept: list[list[Value]] = []
        count, more = 0, False
        while batch := self.sql.fetchmany(200):
            count += len(batch)
            for row in batch:
                if len(kept) == rows or (left < 0 and kept):
                    more = True
                    break
                kept.append([put(value) for value in row])
                left -= sum(len(value) if isinstance(value, str) else 8 for value in kept[-1])
            if more and kind not in CHANGING:
                break
        if kind in CHANGING:
            answer["changed"] = int(str(answer["changed"] or 0)) + count
        answer.update(columns=columns, rows=kept, more=more)

    def _rolled_back(self) -> bool:
        """End a transaction that is open; whether there was one."""
        try:
            self.sql.execute("ROLLBACK")
        except duckdb.TransactionException:
            return False
        return True

    def _reason(self, error: BaseException) -> str:
        text = str(error)
        full = isinstance(error, duckdb.IOException) and "permission" not in text.lower()
        self.spoiled = full or isinstance(error, duckdb.FatalException | duckdb.OutOfMemoryException | MemoryError)
        if full:
            return "the database is full"
        if self.spoiled:
            return "this needs too much memory; ask for less at once"
        text = text.split("\n\nLINE ")[0].strip()
        return text if self._folder == "/" else text.replace(f"{self._folder}/", "").replace(self._folder, "")

    def tables(self) -> list[list[object]]:
        """(is a view, schema, name, [(column, type, what it refers to)]), by name."""
        targets = {}
        for schema, table, columns, to, at in self.sql.execute(
            "SELECT schema_name, table_name, constraint_column_names, referenced_table, referenced_column_names "
            "FROM duckdb_constraints() WHERE constraint_type = 'FOREIGN KEY' AND database_name = current_database()"
        ).fetchall():
            for column, other in zip(columns, at, strict=False):
                targets[schema, table, column] = f" -> {to}.{other}"
        views = {
            tuple(row)
            for row in self.sql.execute(
                "SELECT schema_name, view_name FROM duckdb_views() "
                "WHERE NOT internal AND database_name = current_database()"
            ).fetchall()
        }
        found: dict[tuple[str, str], list[object]] = {}
        for schema, table, column, kind in self.sql.execute(
            "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() "
            "WHERE NOT internal AND database_name = current_database() ORDER BY 1, 2, column_index"
        ).fetchall():
            entry = found.setdefault((schema, table), [(schema, table) in views, schema, table, []])
            entry[3].append([column, kind, targets.get((schema, table, column), "")])  # type: ignore[attr-defined]
        return list(found.values())

    def data(self, rows: int | None, text: int | None) -> dict[str, object]:
        """Table -> rows as mappings, the first `rows` of each, texts cut at `text` characters."""
        tables: dict[str, object] = {}
        for view, schema, name, _ in self.tables():
            if view:
                continue
            quoted = ".".join('"' + str(part).replace('"', '""') + '"' for part in (schema, name))
            limit = "" if rows is None else f" LIMIT {rows}"
            found = self.sql.execute(f"SELECT * FROM {quoted}{limit}")  # noqa: S608 - a name of the catalog, quoted
            columns = [column[0] for column in self.sql.description or []]
            label = str(name) if schema == "main" else f"{schema}.{name}"
            tables[label] = [
                {column: plain(value, text) for column, value in zip(columns, row, strict=True)}
                for row in found.fetchall()
            ]
        return tables

    def image(self) -> bytes:
        """The database as the bytes of its file."""
        self.sql.execute("CHECKPOINT").fetchall()
        with open(FILE, "rb") as file:  # noqa: PTH123 - the harness's own libraries are not here
            return file.read()


def standing_still(now: str) -> dict[str, str]:
    """What replaces DuckDB's functions of time: name -> parameters and body of a macro."""
    date, time = now.split(" ")
    zoned, plain = f"TIMESTAMPTZ '{now}+00'", f"TIMESTAMP '{now}'"
    names = {
        "now": zoned, "current_timestamp": zoned, "get_current_timestamp": zoned, "transaction_timestamp": zoned,
        "current_localtimestamp": plain, "localtimestamp": plain, "current_date": f"DATE '{date}'",
        "today": f"DATE '{date}'", "current_localtime": f"TIME '{time}'", "localtime": f"TIME '{time}'",
        "current_time": f"TIME '{time}'", "get_current_time": f"TIME '{time}'",
    }  # fmt: skip
    bodies = {name: f"() AS {value}" for name, value in names.items()}
    return {**bodies, "age": f"(a, b := DATE '{date}') AS age(b::TIMESTAMP, a::TIMESTAMP)"}
