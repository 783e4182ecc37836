"""Requests and replies between a page and what stands in for its web server; nothing of it goes over a network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

FORM_CHARACTERS = 100_000
"""Of one form; a longer one is refused."""


@dataclass(frozen=True)
class Request:
    """What a page asks for."""

    method: str
    target: str
    """Path and query as they stand in the address."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: str = ""
    page: bool = True
    """The page itself is asked for, not a picture, a style sheet or what a script fetches."""

    @property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(urlsplit(self.target).path) or "/"

    @property
    def query(self) -> dict[str, str]:
        """The query's values; of a name given twice the last."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The values of a form sent as such; boxes ticked under one name are joined by commas."""
        values: dict[str, str] = {}
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            for name, value in parse_qsl(self.body[:FORM_CHARACTERS], keep_blank_values=True):
                values[name] = f"{values[name]},{value}" if name in values else value
        return values

    @property
    def cookies(self) -> dict[str, str]:
        """What the browser has kept for the site."""
        pairs = (part.strip().partition("=") for part in self.headers.get("cookie", "").split(";"))
        return {name: unquote(value) for name, _, value in pairs if name}


@dataclass(frozen=True)
class Reply:
    """What a page gets."""

    body: bytes = b""
    kind: str = "text/html; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    to: str = ""
    """Where else to go: a path of the site. The browser is led there as by a redirection (303)."""


Serve = Callable[[Request], Awaitable[Reply]]
"""Answers a request. Raises `EnvironmentFault` when the site is broken."""
