"""The kind `miniwob`: one episode of a MiniWoB++ page, in the browser of the run.

    environment: {kind: miniwob, seeds: 3}
    roles: {visitor: {brief: You use web pages.}}
    own_tasks: {}

The package's pages are taken as they are; its own driver (Selenium) is not used. The page says at its top what is to be
done. An episode has no time limit, so that what happens depends on what was done alone, and ends when the page gives
its reward, which is the outcome: MiniWoB's raw reward, from -1 to 1, and 0 while none was given. What can only be found
by looking at pictures or by dragging is not for this kind.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import mimetypes
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Self, cast

from pydantic import BaseModel, Field, JsonValue

from harness.adapters.worker import this_python
from harness.environments.browser.chromium import Chromium, chromium_of
from harness.environments.browser.deeds import DEEDS
from harness.environments.browser.reading import Eyes
from harness.environments.browser.serving import Reply, Request
from harness.environments.browser.tab import Place, RefusedActionError, Tab
from harness.environments.browser.tools import CLICK, FILL, LOOK, PRESS, SELECT
from harness.environments.packages import Packages, python
from harness.environments.protocol import (
    Environment,
    EnvironmentFault,
    FinalState,
    Observation,
    Opening,
    StateReader,
    Tool,
)
from harness.environments.sqlite.clock import DEFAULT_NOW
from harness.spec.base import Spec

VERSION = "1.1.0"
PACKAGES = Packages(pip=(f"miniwob=={VERSION}",))
_TOOLS = (LOOK, CLICK, FILL, SELECT, PRESS)
_SOLUTIONS = Path(__file__).with_name("solutions.json")
_BEFORE = """
addEventListener("DOMContentLoaded", () => {
  if (window.jQuery) jQuery.fx.off = true;
  const style = document.createElement("style");
  style.textContent = "#reward-display, #click-canvas, #sync-task-cover { display: none !important; }";
  document.head.append(style);
});"""
"""The time stands still, and animations would too. Time left and rewards are for whoever trains, not for visitors."""
_START = """(seed) => {
  core.EPISODE_MAX_TIME = 2 ** 31 - 1;
  Math.seedrandom(seed);
  core.startEpisodeReal();
}"""
_ENDED = """() => ({
  done: WOB_DONE_GLOBAL, reward: WOB_RAW_REWARD_GLOBAL, reason: WOB_REWARD_REASON, utterance: core.getUtterance(),
})"""


class MiniWobOptions(Spec):
    """The `environment` block of a scenario."""

    pages: list[str] = Field(default_factory=list)
    """Pages whose tasks the kind brings along, such as `click-button`; all that have solutions where none is named."""
    seeds: int = Field(3, ge=1, le=5)
    """Tasks of each page."""
    characters: int = Field(4000, ge=500, le=100_000)
    """Length of one observation."""
    seconds: float = Field(60.0, gt=0, le=600)
    """Wall time of one action; beyond it the trial ends on the environment's account."""


class MiniWobSetup(Spec):
    """The `setup` block of a task."""

    page: str = Field("click-test", pattern=r"^[a-z0-9-]+$")
    """Name of a page of the package, without `.html`."""
    seed: int | None = Field(None, ge=0)
    """Of the episode; the seed of the trial when left out."""


class MiniWob(Environment):
    """One episode."""

    kind: ClassVar[str] = "miniwob"
    Options: ClassVar[type[BaseModel]] = MiniWobOptions
    Setup: ClassVar[type[BaseModel]] = MiniWobSetup

    def __init__(self, opening: Opening, chromium: Chromium, pages: Path) -> None:
        """Have an episode ready; it begins when it is first looked at."""
        self._options, self._setup = cast(MiniWobOptions, opening.options), cast(MiniWobSetup, opening.setup)
        self._seed = opening.seed if self._setup.seed is None else self._setup.seed
        self._chromium, self._pages, self._roles = chromium, pages, tuple(opening.roles)
        self._eyes: Eyes | None = None
        self._calls: list[tuple[str, dict[str, Any]]] = []
        self._ended: dict[str, JsonValue] = {"done": False, "reward": 0, "reason": None, "utterance": ""}
        self._turn = asyncio.Lock()
        self._closed = False

    @classmethod
    def packages(cls, options: BaseModel) -> Packages:
        """What `harness install miniwob` installs."""
        return PACKAGES

    @classmethod
    def tools(cls, options: BaseModel, role: str) -> list[Tool]:
        """Return those tools of the kind `browser` that act within a page."""
        return list(_TOOLS)

    @classmethod
    def own_tasks(cls, options: BaseModel) -> list[dict[str, Any]]:
        """Pages and seeds with a way to the full reward."""
        given = cast(MiniWobOptions, options)
        return [
            _task(page, int(seed), steps)
            for page, ways in json.loads(_SOLUTIONS.read_text(encoding="utf-8")).items()
            if page in (given.pages or (page,))
            for seed, steps in ways.items()
            if int(seed) <= given.seeds
        ]

    @classmethod
    async def open(cls, opening: Opening) -> Self:
        """Have an episode ready. Raises `NotInstalledError` and `EnvironmentFault`."""
        pages = pages_folder()
        name = cast(MiniWobSetup, opening.setup).page
        if not (pages / "miniwob" / f"{name}.html").is_file():
            raise EnvironmentFault(f"MiniWoB++ {VERSION} has no page {name}")
        return cls(opening, await chromium_of(opening.services), pages)

    @property
    def facts(self) -> dict[str, JsonValue]:
        """Return the page, the seed, the package's version, and what the browser is."""
        about: dict[str, JsonValue] = {"page": self._setup.page, "seed": self._seed, "miniwob": VERSION}
        return {**about, "chromium": self._chromium.version, **self._chromium.facts}

    def finished(self) -> bool:
        """Whether the page has given its reward."""
        return bool(self._ended["done"])

    async def call(self, role: str, tool: str, arguments: dict[str, Any]) -> Observation:
        """Use the page. Raises `EnvironmentFault` when page or browser break."""
        if self._closed:
            raise EnvironmentFault("the episode is closed")
        if role not in self._roles:
            return Observation(f"There is no role '{role}' here.", error=True)
        if tool not in [one.name for one in _TOOLS]:
            return Observation(
                f"There is no tool '{tool}'; there are {', '.join(one.name for one in _TOOLS)}.", error=True
            )
        async with self._turn:
            return await self._call(tool, arguments)

    async def _call(self, tool: str, arguments: dict[str, Any]) -> Observation:
        self._calls.append((tool, dict(arguments)))
        eyes = self._eyes or await self._begun()
        if self.finished():
            return Observation("The episode is over.", error=True)
        if tool == LOOK.name:
            await eyes.read()
            return eyes.told(first=int(arguments.get("from", 1)))
        problem = ""
        eyes.tab.agrees = bool(arguments.get("agree"))
        try:
            await eyes.tab.do(DEEDS[tool](eyes, arguments))
        except RefusedActionError as refusal:
            problem = str(refusal)
        except KeyError as missing:
            problem = f"{tool} needs {missing}."
        self._ended = await eyes.tab.ask(_ENDED)
        if self.finished():
            return Observation("The episode has ended.")
        await eyes.read()
        return eyes.told(problem)

    async def _begun(self) -> Eyes:
        place = Place("https://miniwob.example", DEFAULT_NOW, self._seed, {}, self._options.seconds)
        tab = await Tab.open(self._chromium, place, self._serve, _BEFORE)
        eyes = self._eyes = Eyes(tab, self._options.characters)

        async def start() -> None:
            await tab.page.evaluate(_START, self._seed)

        await tab.do(lambda: tab.go(f"/miniwob/{self._setup.page}.html"))
        await tab.do(start)
        self._ended = await tab.ask(_ENDED)
        await eyes.read()
        return eyes

    async def _serve(self, request: Request) -> Reply:
        path = (self._pages / request.path.lstrip("/")).resolve()
        if not path.is_relative_to(self._pages.resolve()) or not path.is_file():
            return Reply(b"There is no such file.", "text/plain", 404)
        return Reply(path.read_bytes(), mimetypes.guess_type(path.name)[0] or "application/octet-stream")

    async def snapshot(self) -> bytes:
        """Return what was done so far: with the seed it is the episode."""
        return json.dumps(self._calls).encode()

    async def restore(self, snapshot: bytes) -> None:
        """Do what a snapshot holds once more, from the beginning."""
        async with self._turn:
            await self._close_tab()
            self._calls, self._ended = [], {**self._ended, "done": False, "reward": 0, "reason": None}
            for tool, arguments in json.loads(snapshot):
                await self._call(tool, arguments)

    async def final_state(self) -> FinalState:
        """Return page, seed, MiniWoB's reward, and what was done."""
        data = {"page": self._setup.page, "seed": self._seed, **self._ended}
        data["deeds"] = [[tool, arguments] for tool, arguments in self._calls if tool != LOOK.name]
        del data["utterance"]  # known only once the page was looked at, which changes nothing
        return FinalState(self.kind, json.dumps(data).encode())

    @classmethod
    async def read_state(cls, state: FinalState, opening: Opening) -> MiniWobReader:
        """Open a recorded episode for checks; needs no browser."""
        return MiniWobReader(json.loads(state.data))

    async def close(self) -> None:
        """Close the page; may be called twice."""
        self._closed = True
        await self._close_tab()

    async def _close_tab(self) -> None:
        eyes, self._eyes = self._eyes, None
        if eyes is not None:
            await eyes.tab.close()


class MiniWobReader(StateReader):
    """An episode that was played."""

    def __init__(self, data: dict[str, JsonValue]) -> None:
        self._data = data

    async def as_data(self) -> dict[str, JsonValue]:
        """Return `page`, `seed`, `done`, `reward`, `reason`, `deeds` (tool and arguments)."""
        return self._data

    async def reward(self, name: str, answer: str | None) -> float:
        """Return `reward`, MiniWoB's raw reward (0 until it is given), or `done`, 0 or 1."""
        if name not in ("reward", "done"):
            raise LookupError(f"no reward '{name}'; there are reward, done")
        return float(cast(float, self._data[name]))


@cache
def pages_folder() -> Path:
    """Where the package's pages lie. Raises `NotInstalledError`."""
    if this_python(PACKAGES.pip) is not None:
        spec = importlib.util.find_spec("miniwob")
        if spec is not None and spec.origin is not None:
            return Path(spec.origin).parent / "html"
    libraries = python(PACKAGES).parent.parent / "lib"
    found = sorted(libraries.glob("python3.*/site-packages/miniwob/html"))
    if not found:
        raise EnvironmentFault(f"{PACKAGES} holds no pages")
    return found[0]


def _task(page: str, seed: int, steps: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"{page}-{seed}",
        "family": page,
        "brief": "Look at the page first. At its top it says what is to be done. Do that.",
        "setup": {"page": page, "seed": seed},
        "solution": [{"tool": "look"}, *steps],
        "checks": [{"kind": "reward", "name": "the page's reward", "of": "reward"}],
    }
