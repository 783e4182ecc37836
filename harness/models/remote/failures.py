"""What went wrong with one attempt, read off whatever litellm raised: kind, status, and whether trying again can help.

litellm renames errors differently on each route, so this looks through the chain of causes for the facts: the HTTP
response with its status and headers, the broken connection, the body that was no JSON. Kinds:

- tried again: `rate_limit` (429), `overloaded` (503, 529), `server` (other 5xx), `timeout`, `connection`,
  `truncated` (a body that breaks off, is no JSON, or holds no reply);
- not tried again: `auth` (401, 403), `quota` (402, or a 429 that says the money is used up), `not_found` (404),
  `bad_request` (other 4xx), `setup` (refused before anything was sent);
- no fault at all: `context` (the thread is too long), `content_filter`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

RETRIED = frozenset({"rate_limit", "overloaded", "server", "timeout", "connection", "truncated"})
_STATUS_KINDS = {401: "auth", 402: "quota", 403: "auth", 404: "not_found", 408: "timeout", 429: "rate_limit"}
_QUOTA = re.compile(r"insufficient_quota|insufficient balance|exceeded your current quota|billing_hard_limit", re.I)
_CONTEXT = re.compile(
    r"context_length_exceeded|exceed_context_size|maximum context length|exceeds? the (available |model'?s )?context"
    r"|context (window|length|size) (of|is|was|exceeded)|prompt is too long|input is too long|too many tokens in",
    re.I,
)
_FILTERED = re.compile(
    r"content_filter|content management policy|content_policy_violation|ContentPolicyViolation", re.I
)


@dataclass
class Failure(Exception):
    """One attempt that did not succeed."""

    kind: str
    message: str
    """One line, not redacted yet."""
    status: int | None = None
    retry_after: float | None = None
    """Seconds the provider asks to wait."""

    @property
    def worth_retrying(self) -> bool:
        """Whether the same call may well succeed later."""
        return self.kind in RETRIED


def failure_of(error: BaseException, *, sent: bool) -> Failure:
    """The failure behind an exception of litellm; `sent` tells whether a request had gone out."""
    chain = list(_chain(error))
    status, headers, text = _response(chain)
    message = " ".join((text or str(error)).split())
    said = f"{message} {type(error).__name__} {error}"
    retry_after = _retry_after(headers)
    if status is not None:
        return Failure(_kind(status, said), message, status, retry_after)
    if broken := _broken(chain):
        return Failure(broken, message)
    if not sent:
        kind = "auth" if "Authentication" in type(error).__name__ else "setup"
        return Failure(kind, message)
    claimed = getattr(error, "status_code", None)
    if isinstance(claimed, int) and claimed not in (200, 500) and claimed >= 400:
        return Failure(_kind(claimed, said), message, claimed, retry_after)
    if _CONTEXT.search(said):
        return Failure("context", message, 200)
    return Failure("truncated", f"the reply cannot be read: {message}", 200)


def _kind(status: int, said: str) -> str:
    if status in (400, 413, 422, 500) and _CONTEXT.search(said):
        return "context"
    if status in (400, 403, 422) and _FILTERED.search(said):
        return "content_filter"
    if status == 429 and _QUOTA.search(said):
        return "quota"
    if status in (503, 529):
        return "overloaded"
    return _STATUS_KINDS.get(status) or ("server" if status >= 500 else "bad_request")


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _response(chain: list[BaseException]) -> tuple[int | None, Mapping[str, str], str | None]:
    """Status, headers and text of the HTTP error response in the chain, the innermost being the real one."""
    import httpx

    for error in reversed(chain):
        if isinstance(error, httpx.HTTPStatusError):
            return error.response.status_code, error.response.headers, _text(error.response)
    for error in chain:
        headers = getattr(error, "litellm_response_headers", None)
        if headers is not None:
            return None, headers, None
    return None, {}, None


def _text(response: httpx.Response) -> str | None:
    import httpx

    try:
        return str(response.text) or None
    except httpx.StreamError:
        return None


def _broken(chain: list[BaseException]) -> str | None:
    """The kind of a broken connection or unreadable body; None when the chain tells of neither."""
    import json

    import aiohttp
    import httpx

    for error in reversed(chain):
        if isinstance(
            error, (aiohttp.ClientPayloadError, json.JSONDecodeError, UnicodeDecodeError, httpx.DecodingError)
        ):
            return "truncated"
        if isinstance(error, httpx.RemoteProtocolError) and "peer closed" in str(error):
            return "truncated"
        if isinstance(error, (httpx.TimeoutException, TimeoutError)):
            return "timeout"
        if isinstance(error, (httpx.TransportError, aiohttp.ClientError, ConnectionError)):
            return "connection"
    return None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from `retry-after-ms` or `Retry-After` (seconds or HTTP date); None when absent or unreadable."""
    lower = {str(name).lower(): str(value).strip() for name, value in headers.items()}
    try:
        if "retry-after-ms" in lower:
            return max(0.0, float(lower["retry-after-ms"]) / 1000)
        return max(0.0, float(lower["retry-after"])) if "retry-after" in lower else None
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(lower["retry-after"])
    except (KeyError, ValueError):
        return None
    return max(0.0, ((date if date.tzinfo else date.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())
