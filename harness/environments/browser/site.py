"""A site: a folder with a database, a Python file that answers, and pages as templates.

    site.sql       builds the database
    site.py        def routes() -> dict[str, Handler]: "GET /goods/{id}" -> a function of a `Visit`
    *.html         Jinja2 templates; values are escaped, and what is not there is an error
    static/...     style sheets, pictures, scripts, served as they are

A handler looks into the trial's database and returns a page, another address, or a refusal:

    def goods(visit):
        row = visit.row("SELECT * FROM goods WHERE id = ?", visit.parts["id"])
        return visit.page("goods.html", goods=row) if row else visit.refuse(404, "There are no such goods.")

    def routes():
        return {"GET /goods/{id}": goods}

Each request is one transaction; one that is refused, or fails, leaves no trace in the database. A site's Python is
trusted like a scenario's checks are: it comes with the scenario, and what a model sends is data to it.
"""

from __future__ import annotations

import functools
import json
import mimetypes
import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from harness.environments.browser.serving import FORM_CHARACTERS, Reply, Request
from harness.environments.protocol import EnvironmentFault
from harness.environments.sqlite import Database, Script
from harness.errors import UserError
from harness.spec.digests import data_digest
from harness.spec.python_source import load_python

if TYPE_CHECKING:
    from jinja2 import Environment as Templates

Value = str | int | float | bytes | None
"""What SQLite stores."""
Row = dict[str, Value]
FIELD_CHARACTERS = 5_000
"""Of one value in a form or query; a longer one is cut, as a browser's `maxlength` would."""
BODY_BYTES = 2_000_000
_PLAIN = """<!doctype html><html lang="en"><title>{{ status }}</title>
<main><h1>{{ status }}</h1><p>{{ words }}</p><p><a href="/">Start page</a></p></main></html>"""


class _Refused(Exception):
    def __init__(self, reply: Reply) -> None:
        self.reply = reply


@dataclass
class Visit:
    """One request, as a handler sees it, and the ways to answer it."""

    method: str
    path: str
    parts: Mapping[str, str]
    """What stands in the path for `{name}` in the route."""
    query: Mapping[str, str]
    form: Mapping[str, str]
    """Empty but for requests by POST."""
    cookies: Mapping[str, str]
    now: str
    """`YYYY-MM-DD HH:MM:SS`; the site's time stands still."""
    _connection: sqlite3.Connection
    _templates: Templates
    _kept: dict[str, str] = field(default_factory=dict)

    @property
    def today(self) -> str:
        """`YYYY-MM-DD`."""
        return self.now[:10]

    def rows(self, sql: str, *values: Value) -> list[Row]:
        """All rows of a query, by column."""
        cursor = self._connection.execute(sql, values)
        columns = [column[0] for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor]

    def row(self, sql: str, *values: Value) -> Row | None:
        """The first row of a query; None where there is none."""
        return next(iter(self.rows(sql, *values)), None)

    def value(self, sql: str, *values: Value) -> Value:
        """The first value of a query; None where there is none."""
        row = self.row(sql, *values)
        return next(iter(row.values())) if row else None

    def change(self, sql: str, *values: Value) -> int:
        """Insert, update or delete; returns the id of the row that was inserted last."""
        return self._connection.execute(sql, values).lastrowid or 0

    def keep(self, cookie: str, value: str) -> None:
        """Have the browser keep a cookie; `""` takes it away."""
        self._kept[cookie] = value

    def page(self, template: str, status: int = 200, **names: object) -> Reply:
        """A page made from a template, which also sees `visit`."""
        text = self._templates.get_template(template).render(visit=self, **names)
        return Reply(text.encode(), status=status, headers=self._cookies())

    def go(self, path: str) -> Reply:
        """On to another path of the site, as after a form that was filled in well."""
        return Reply(to=path if path.startswith("/") and not path.startswith("//") else "/", headers=self._cookies())

    def data(self, value: object, status: int = 200) -> Reply:
        """JSON, for a script of the page."""
        return Reply(json.dumps(value).encode(), "application/json", status, self._cookies())

    def refuse(self, status: int, words: str) -> Reply:
        """A page that says no; what the request has changed is taken back. Made from `refused.html` if there is one."""
        name = "refused.html" if "refused.html" in self._templates.list_templates() else ""
        template = self._templates.get_template(name) if name else self._templates.from_string(_PLAIN)
        body = template.render(visit=self, status=status, words=words).encode()
        raise _Refused(Reply(body, status=status, headers=self._cookies()))

    def _cookies(self) -> dict[str, str]:
        given = [
            f"{quote(name)}={quote(value)}; Path=/; HttpOnly; SameSite=Lax" + ("" if value else "; Max-Age=0")
            for name, value in self._kept.items()
        ]
        return {"set-cookie": "\n".join(given)} if given else {}


Handler = Callable[[Visit], Reply]


@dataclass(frozen=True)
class Site:
    """A site's folder, read."""

    name: str
    script: Script
    routes: tuple[tuple[str, re.Pattern[str], Handler], ...]
    """Method, path, handler; the first that fits answers."""
    templates: Templates
    files: Mapping[str, bytes]
    """Path below `static/` -> content."""

    def answer(self, request: Request, database: Database, now: str) -> Reply:
        """Answer a request; blocking. Raises `EnvironmentFault` when the site itself fails."""
        if request.method == "GET" and request.path.startswith("/static/"):
            return self._file(request.path.removeprefix("/static/"))
        handler, parts, others = self._route(request)
        connection = database.connection
        connection.set_authorizer(None)  # the site's own statements; what a model sends are values in them
        visit = Visit(
            request.method, request.path, parts, _cut(request.query), _cut(request.form), request.cookies, now,
            connection, self.templates,
        )  # fmt: skip
        connection.execute("BEGIN")
        done = False
        try:
            if len(request.body) > FORM_CHARACTERS:
                visit.refuse(413, "This is too long.")
            if handler is None:
                visit.refuse(
                    405 if others else 404, "This page cannot be used so." if others else "There is no such page."
                )
                raise AssertionError
            reply = handler(visit)
            if not isinstance(reply, Reply) or len(reply.body) > BODY_BYTES:
                raise TypeError(f"no Reply, or one of more than {BODY_BYTES} bytes")
            done = True
        except _Refused as refusal:
            reply = refusal.reply
        except Exception as error:  # a scenario's own code may raise anything, and it is the world's failure
            raise EnvironmentFault(
                f"site {self.name}: {request.method} {request.path[:100]}: {type(error).__name__}: {str(error)[:300]}"
            ) from error
        finally:
            connection.execute("COMMIT" if done else "ROLLBACK")
        return reply

    def _route(self, request: Request) -> tuple[Handler | None, dict[str, str], bool]:
        others = False
        for method, pattern, handler in self.routes:
            match = pattern.fullmatch(request.path)
            if match and method == ("GET" if request.method == "HEAD" else request.method):
                return handler, match.groupdict(), False
            others = others or match is not None
        return None, {}, others

    def _file(self, path: str) -> Reply:
        content = self.files.get(path)
        if content is None:
            return Reply(b"There is no such file.", "text/plain", 404)
        return Reply(content, mimetypes.guess_type(path)[0] or "application/octet-stream")


def read_site(folder: Path) -> Site:
    """Read a site's folder; kept while its content stays the same. Raises `EnvironmentFault`."""
    return _read(folder, data_digest(folder))


@functools.lru_cache(maxsize=16)
def _read(folder: Path, digest: str) -> Site:
    from jinja2 import DictLoader, StrictUndefined, TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    try:
        script = Script("site.sql", (folder / "site.sql").read_text(encoding="utf-8"))
        pages = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.html"))}
        static = folder / "static"
        files = {p.relative_to(static).as_posix(): p.read_bytes() for p in sorted(static.rglob("*")) if p.is_file()}
        routes = load_python(f"{folder}/site.py:routes", folder)()
        templates = ImmutableSandboxedEnvironment(
            loader=DictLoader(pages), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        for name in pages:
            templates.get_template(name)
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault(f"site {folder.name} cannot be read: {error}; it needs site.sql and site.py") from None
    except (UserError, TemplateError) as error:
        raise EnvironmentFault(f"site {folder.name}: {error}") from None
    return Site(folder.name, script, tuple(_pattern(at, handler) for at, handler in routes.items()), templates, files)


def _pattern(at: str, handler: Handler) -> tuple[str, re.Pattern[str], Handler]:
    method, _, path = at.partition(" ")
    if method not in ("GET", "POST") or not path.startswith("/"):
        raise EnvironmentFault(f"route {at!r}: write it as 'GET /path/{{name}}' or 'POST /path'")
    parts = re.split(r"\{([a-z_]+)\}", path)
    text = "".join(f"(?P<{part}>[^/]+)" if number % 2 else re.escape(part) for number, part in enumerate(parts))
    return method, re.compile(text), handler


def _cut(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value[:FIELD_CHARACTERS] for name, value in values.items()}
