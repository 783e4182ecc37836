"""The kind `browser`: a real page in a real browser, and behind it a site of the trial's own.

    environment:
      kind: browser
      site: market-stall
      host: stall.example
      cookies: {visitor: kit}
      now: 2026-03-02 09:00

Several roles have a page each, on the same site.

A snapshot is what was done so far, which with the seed makes the same world again: the database, cookies, the page with
what is half filled in, and the pages before it. The database is compared when it has been brought back.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self, cast

from pydantic import BaseModel, JsonValue

from harness.environments.browser.chromium import Chromium, chromium_of
from harness.environments.browser.deeds import DEEDS
from harness.environments.browser.options import BOUNDS, BrowserOptions, BrowserSetup
from harness.environments.browser.reading import Eyes
from harness.environments.browser.serving import Reply, Request
from harness.environments.browser.site import Site, read_site
from harness.environments.browser.tab import Place, RefusedActionError, Tab
from harness.environments.browser.tools import TOOLS
from harness.environments.protocol import Environment, EnvironmentFault, FinalState, Observation, Opening, Tool
from harness.environments.sqlite import Database, SqliteReader, Worker, build_image
from harness.environments.sqlite.template import Script

_OWN_TABLES = Script(
    "the browser's own tables",
    """CREATE TABLE browser_visits (id INTEGER PRIMARY KEY, role, method, path, query, status);
    CREATE TABLE browser_pages (role PRIMARY KEY, path);""",
)
"""Every page that was asked for, and where each role's page stood at the end. A site has no tables of these names."""


@dataclass
class _World:
    """What the pages of one trial share."""

    site: Site
    database: Database
    worker: Worker
    first: bytes
    """The database's image before anything was done."""
    calls: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    """Role, tool and arguments of everything done so far."""


class Browser(Environment):
    """One trial's browser and site."""

    kind: ClassVar[str] = "browser"
    Options: ClassVar[type[BaseModel]] = BrowserOptions
    Setup: ClassVar[type[BaseModel]] = BrowserSetup

    def __init__(self, opening: Opening, chromium: Chromium, world: _World) -> None:
        """Take over an opened site."""
        self._opening, self._chromium, self._world = opening, chromium, world
        self._options = cast(BrowserOptions, opening.options)
        self._setup = cast(BrowserSetup, opening.setup)
        self._eyes: dict[str, Eyes] = {}
        self._turn = asyncio.Lock()
        self._closed = False

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """Return the tools; the same for every role."""
        return list(TOOLS)

    @classmethod
    async def open(cls, opening: Opening) -> Self:
        """Build the site's database and have the browser ready. Raises `EnvironmentFault`."""
        options, setup = cast(BrowserOptions, opening.options), cast(BrowserSetup, opening.setup)
        chromium = await chromium_of(opening.services)
        site = await asyncio.to_thread(read_site, Path(options.site))
        building = Worker("database being built", lambda: None)
        scripts = (site.script, Script("setup.sql", setup.sql), _OWN_TABLES)
        try:
            image = await building.call(lambda: build_image(scripts, BOUNDS, options.now))
        finally:
            await building.close(lambda: None)
        database = Database(image, BOUNDS, now=options.now, seed=opening.seed)
        return cls(opening, chromium, _World(site, database, Worker("site", database.interrupt), image))

    @property
    def facts(self) -> dict[str, JsonValue]:
        """Return the browser's version, what keeps it from the network, and whether its own sandbox is on."""
        return {"chromium": self._chromium.version, **self._chromium.facts}

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        """Use the page. Raises `EnvironmentFault` when page, site or browser break."""
        if self._closed:
            raise EnvironmentFault("the browser is closed")
        if role not in self._opening.roles:
            return Observation(f"There is no role '{role}' here.", error=True)
        names = [one.name for one in TOOLS]
        if tool not in names:
            return Observation(f"There is no tool '{tool}'; there are {', '.join(names)}.", error=True)
        async with self._turn:
            return await self._call(role, tool, arguments)

    async def _call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        self._world.calls.append((role, tool, dict(arguments)))
        eyes = self._eyes.get(role) or await self._opened(role)
        if tool == "look":
            await eyes.read()
            return eyes.told(first=int(arguments.get("from", 1)))
        eyes.tab.agrees = bool(arguments.get("agree"))
        problem = ""
        try:
            work = DEEDS[tool](eyes, arguments)
            await eyes.tab.do(work)
        except RefusedActionError as refusal:
            problem = str(refusal)
        except KeyError as missing:
            problem = f"{tool} needs {missing}."
        await eyes.read()
        return eyes.told(problem)

    async def _opened(self, role: str) -> Eyes:
        """A role's page, at its start. Opened when it is first used: many roles never do."""
        options, setup = self._options, self._setup
        place = Place(
            f"https://{options.host}", options.now, self._opening.seed, options.cookies | setup.cookies, options.seconds
        )
        started = False

        async def serve(request: Request) -> Reply:
            return await self._serve(role, request, told=started)

        tab = await Tab.open(self._chromium, place, serve)
        eyes = self._eyes[role] = Eyes(tab, options.characters)
        await tab.do(lambda: tab.go(setup.start or options.start))
        started = True
        await eyes.read()
        return eyes

    async def _serve(self, role: str, request: Request, *, told: bool) -> Reply:
        """Answer from the site, and note what a role asked for; the page it starts on is not its doing."""

        def answer() -> Reply:
            database = self._world.database
            reply = self._world.site.answer(request, database, self._options.now)
            if told and request.page:
                path, _, query = request.target.partition("?")
                database.query(
                    "INSERT INTO browser_visits (role, method, path, query, status) VALUES (?, ?, ?, ?, ?)",
                    (role, request.method, path[:1000], query[:1000], 303 if reply.to else reply.status),
                )
            return reply

        return await self._world.worker.call(answer, seconds=self._options.seconds)

    async def snapshot(self) -> bytes:
        """Return what was done so far, and a hash of the database it led to."""
        async with self._turn:
            return json.dumps({"calls": self._world.calls, "state": await self._hash()}).encode()

    async def restore(self, snapshot: bytes) -> None:
        """Do what a snapshot holds once more, from the beginning. Raises `EnvironmentFault` when it ends elsewhere."""
        kept = json.loads(snapshot)
        async with self._turn:
            await self._close_tabs()
            world = self._world
            await world.worker.call(lambda: world.database.load(world.first))
            world.calls = []
            for role, tool, arguments in kept["calls"]:
                await self._call(role, tool, arguments)
            if await self._hash() != kept["state"]:
                raise EnvironmentFault(
                    "the snapshot was not arrived at again: the site depends on more than what is done"
                )

    async def _hash(self) -> str:
        world = self._world
        dump = await world.worker.call(lambda: world.database.image())
        return hashlib.sha256(dump).hexdigest()

    async def final_state(self) -> FinalState:
        """Return the site's database, with where the pages stood."""
        start = self._setup.start or self._options.start
        stood = [(r, self._eyes[r].tab.target if r in self._eyes else start) for r in sorted(self._opening.roles)]

        def image() -> bytes:
            database = self._world.database
            database.query("DELETE FROM browser_pages")
            for row in stood:
                database.query("INSERT INTO browser_pages (role, path) VALUES (?, ?)", row)
            return database.image()

        return FinalState(self.kind, await self._world.worker.call(image))

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> SqliteReader:
        """Open a recorded site for checks; needs no browser."""
        return SqliteReader(state, now=cast(BrowserOptions, opening.options).now, seed=opening.seed)

    async def close(self) -> None:
        """Close the pages and the database; may be called twice."""
        self._closed = True
        await self._close_tabs()
        world = self._world
        world.database.interrupt()
        await world.worker.close(world.database.close)

    async def _close_tabs(self) -> None:
        eyes, self._eyes = self._eyes, {}
        for one in eyes.values():
            await one.tab.close()
