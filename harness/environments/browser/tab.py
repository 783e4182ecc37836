"""One page of one trial: goes, clicks and types, waits until all is quiet, and sees that nothing comes from elsewhere.

Every request of the page is answered by the trial's own site or refused; none leaves the machine, or this process.
What a page does by itself (a redirection, a script that fetches something) is waited for, so that what is seen depends
on what was done and not on how fast the machine is.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import quote, urljoin, urlsplit

from pydantic import JsonValue

from harness.environments.browser.chromium import Chromium
from harness.environments.browser.serving import Reply, Request, Serve
from harness.environments.protocol import EnvironmentFault

if TYPE_CHECKING:
    from playwright._impl._api_structures import SetCookieParam
    from playwright.async_api import BrowserContext, Dialog, Frame, Locator, Page, Route, WebSocketRoute

T = TypeVar("T")
ACTION_MILLISECONDS = 5_000
"""How long an element may take to be ready for a click."""
_POLICY = "default-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'"
_BEFORE = Path(__file__).with_name("before.js")
"""Runs in every page before its own scripts: chance from the seed, one window, no way to speak around requests."""
_QUIET = '() => (window[Symbol.for("quiet")] || (async () => 0))()'


@dataclass(frozen=True)
class Place:
    """How a tab is opened."""

    origin: str
    """Such as `https://stall.example`."""
    now: str
    seed: int
    cookies: Mapping[str, str]
    seconds: float
    """Of one action, all that it brings about included."""


class RefusedActionError(Exception):
    """Something that cannot be done on this page; the message is meant for the model."""


class Tab:
    """A page in a profile of its own."""

    def __init__(self, chromium: Chromium, context: BrowserContext, place: Place, serve: Serve) -> None:
        """Take over an empty profile; `open` makes one."""
        self.notes: list[str] = []
        """What happened beside the page: dialogs, addresses that were refused. Whoever tells it takes it."""
        self.agrees = False
        """How questions of the page are answered."""
        self._chromium, self._context, self._place, self._serve = chromium, context, place, serve
        self._page: Page | None = None
        self._fault: str | None = None
        self._under_way, self._seen = 0, 0
        self._idle, self._led = asyncio.Event(), asyncio.Event()
        self._answering: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, chromium: Chromium, place: Place, serve: Serve, script: str = "") -> Tab:
        """Open a profile and an empty page in it; `script` runs in every page. Raises `EnvironmentFault`."""
        from playwright.async_api import Error

        try:
            async with chromium.slots, asyncio.timeout(place.seconds):
                context = await chromium.context(place.now)
                tab = cls(chromium, context, place, serve)
                await tab._furnish(script)
        except (Error, TimeoutError) as error:
            raise EnvironmentFault(f"the browser opens no page: {_first_line(error)}") from None
        return tab

    async def _furnish(self, script: str) -> None:
        kept: list[SetCookieParam] = [
            {"name": name, "value": quote(value), "url": self._place.origin}
            for name, value in self._place.cookies.items()
        ]
        if kept:
            await self._context.add_cookies(kept)
        before = _BEFORE.read_text(encoding="utf-8").replace("SEED", str(self._place.seed & 0x7FFFFFFF))
        await self._context.add_init_script(before + script)
        await self._context.route("**/*", self._answer)
        await self._context.route_web_socket("**/*", self._refuse_socket)
        page = await self._context.new_page()
        page.on("dialog", self._ask)
        page.on("crash", lambda _: self._break("the page crashed"))
        page.on("close", lambda _: self._break("the page was closed"))
        self._page = page
        self._idle.set()
        self._led.set()

    @property
    def page(self) -> Page:
        """Playwright's page."""
        if self._page is None:
            raise EnvironmentFault("the page is closed")
        return self._page

    @property
    def origin(self) -> str:
        """The site's."""
        return self._place.origin

    @property
    def target(self) -> str:
        """Path and query of the page that is shown."""
        address = urlsplit(self.page.url)
        return (address.path or "/") + (f"?{address.query}" if address.query else "")

    async def do(self, work: Callable[[], Awaitable[None]]) -> None:
        """Act on the page and wait until all is quiet. Raises `RefusedActionError` and `EnvironmentFault`."""
        from playwright.async_api import Error
        from playwright.async_api import TimeoutError as LateError

        problem: Error | None = None
        try:
            async with self._chromium.slots, asyncio.timeout(self._place.seconds):
                try:
                    await work()
                except Error as error:
                    problem = error
                await self._settle()
        except TimeoutError:
            self._break(f"the page did not come to rest within {self._place.seconds:g} seconds")
        self._whole()
        if isinstance(problem, LateError):
            raise RefusedActionError("This cannot be used now: it is covered, hidden or switched off.")
        if problem is not None:
            raise RefusedActionError(_first_line(problem))

    async def go(self, target: str) -> None:
        """Open a path of the site."""
        await self._navigate(lambda: self.page.goto(urljoin(self._place.origin, target), wait_until="commit"))

    async def back(self) -> None:
        """To the page before, if there is one."""
        await self._navigate(lambda: self.page.go_back(wait_until="commit"))

    async def _navigate(self, move: Callable[[], Awaitable[object]]) -> None:
        """Where the site leads on, another page is reached than was asked for, which Playwright takes for a failure."""
        from playwright.async_api import Error

        try:
            await move()
        except Error as error:
            if "interrupted by another navigation" not in str(error) and "ERR_ABORTED" not in str(error):
                raise

    def part(self, given: str) -> Locator:
        """The element of Playwright's reference."""
        return self.page.locator(f"aria-ref={given}")

    async def tree(self) -> tuple[str, str]:
        """Title and accessibility tree of the page, as Playwright writes it. Raises `EnvironmentFault`."""

        async def read() -> tuple[str, str]:
            return await self.page.title(), await self.page.locator("body").aria_snapshot(mode="ai")

        return await self._read(read)

    async def ask(self, script: str) -> dict[str, JsonValue]:
        """What a function of a script comes to in the page. Raises `EnvironmentFault`."""

        async def read() -> dict[str, JsonValue]:
            return cast(dict[str, JsonValue], await self.page.evaluate(script))

        return await self._read(read)

    async def _read(self, work: Callable[[], Awaitable[T]]) -> T:
        from playwright.async_api import Error

        try:
            async with self._chromium.slots, asyncio.timeout(self._place.seconds):
                return await work()
        except (Error, TimeoutError) as error:
            self._whole()
            raise EnvironmentFault(f"the page cannot be read: {_first_line(error)}") from None

    async def close(self) -> None:
        """Close the profile with all that is in it; may be called twice."""
        from playwright.async_api import Error

        page, self._page = self._page, None
        for task in self._answering:
            task.cancel()
        if page is not None:
            try:
                await self._context.close()
            except Error:
                return  # it went down with its browser

    def _break(self, why: str) -> None:
        self._fault = self._fault or why

    def _whole(self) -> None:
        """Raise `EnvironmentFault` when the page, the site or the browser has broken."""
        if not self._chromium.alive:
            raise EnvironmentFault("the browser has died")
        if self._fault is not None:
            raise EnvironmentFault(self._fault)

    async def _settle(self) -> None:
        """Wait until the page is loaded and nothing is under way that it has asked for."""
        from playwright.async_api import Error

        while self._fault is None and self._chromium.alive:
            seen = self._seen
            await self._led.wait()
            await self._idle.wait()
            try:
                await self.page.wait_for_load_state("load")
                await self.page.evaluate(_QUIET)
            except Error:
                if not self._chromium.alive or self.page.is_closed():
                    return
                await asyncio.sleep(0)
                continue  # the page gave way to the next one
            if self._answering:
                await asyncio.wait(list(self._answering))
            if self._seen == seen and self._led.is_set() and self._idle.is_set():
                return

    async def _answer(self, route: Route) -> None:
        """Answer or refuse one request."""
        from playwright.async_api import Error

        self._under_way += 1
        self._seen += 1
        self._idle.clear()
        try:
            await self._answered(route)
        except EnvironmentFault as fault:
            self._break(str(fault))
            await route.abort()
        except Error:
            return  # the page that asked is gone
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def _answered(self, route: Route) -> None:
        request = route.request
        own = request.url.startswith(f"{self._place.origin}/")
        if not own or self._frame(route) is None:
            if request.is_navigation_request():
                self.notes.append(f"{request.url[:200]} was not opened: only pages of this site can be.")
            await route.abort("aborted")
            return
        whole = request.is_navigation_request() and self._frame(route) == self.page.main_frame
        if whole:
            self._led.set()
        asked = Request(
            request.method, request.url[len(self._place.origin) :], await request.all_headers(),
            (request.post_data_buffer or b"").decode(errors="replace"), whole,
        )  # fmt: skip
        reply = await self._serve(asked)
        if reply.to and whole:
            self._led.clear()
        headers = {"content-type": reply.kind, "cache-control": "no-store", "content-security-policy": _POLICY}
        body = _leading(reply) if reply.to else reply.body
        await route.fulfill(status=reply.status, headers={**headers, **reply.headers}, body=body)

    def _frame(self, route: Route) -> Frame | None:
        """The frame of this page that asks; None for another window, which must not come to anything."""
        from playwright.async_api import Error

        try:
            frame = route.request.frame
        except Error:
            return None
        return frame if self._page is not None and frame.page == self._page else None

    async def _refuse_socket(self, socket: WebSocketRoute) -> None:
        await socket.close(code=1008, reason="refused")

    def _ask(self, dialog: Dialog) -> None:
        task = asyncio.ensure_future(self._reply_to(dialog))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _reply_to(self, dialog: Dialog) -> None:
        from playwright.async_api import Error

        agrees = self.agrees or dialog.type in ("alert", "beforeunload")
        if dialog.type != "beforeunload":
            answer = "closed" if dialog.type == "alert" else "answered with yes" if agrees else "answered with no"
            hint = "" if agrees else ' (to say yes, do it again with "agree": true)'
            self.notes.append(f'The page said in a box: "{dialog.message[:500]}"; it was {answer}{hint}.')
        try:
            await (dialog.accept() if agrees else dialog.dismiss())
        except Error:
            return  # the page is gone


def _leading(reply: Reply) -> bytes:
    """A page that leads on: a route does not see the request of a real redirection, and could not answer it."""
    to = json.dumps(reply.to).replace("<", "\\u003c")
    return f"<!doctype html><script>location.replace({to})</script>".encode()


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else "it took too long"
