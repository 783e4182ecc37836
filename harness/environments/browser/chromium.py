"""The one Chromium of a run: found, walled in, started, and told apart from one that has died.

Driven by Playwright over a pipe, without a socket. Where bubblewrap works, the browser runs without any network and
with a disk that it can only read; its own flags, and a route that answers every request, keep it from the network
where bubblewrap is not to be had. Which program it is comes from the machine (`HARNESS_CHROMIUM`, the path, or
Playwright's own), never from a scenario, whose identity must not depend on it.
"""

from __future__ import annotations

import asyncio
import functools
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from harness.environments.protocol import EnvironmentFault
from harness.environments.sandbox.bubblewrap import find_bubblewrap
from harness.environments.sandbox.limits import NoSandboxError
from harness.environments.services import Services
from harness.errors import UserError

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Playwright

VARIABLE = "HARNESS_CHROMIUM"
"""Names the program, where it is not to be looked for."""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--dns-prefetch-disable",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    "--disable-spell-checking",
)
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"}  # noqa: S108 - in the walls
_WALLS = (
    "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/dev/shm",  # noqa: S108
    "--unshare-net", "--unshare-ipc", "--unshare-pid", "--die-with-parent",
)  # fmt: skip
_START_SECONDS = 60.0


class NoBrowserError(EnvironmentFault, UserError):
    """There is no browser on this machine; one line with what installs it."""


class Chromium:
    """A running browser (`harness.environments.services.Service`)."""

    def __init__(self, driver: Playwright, browser: Browser, script: int, walls: str) -> None:
        """Take over a browser just started; `script` is the open file it was started through, or -1."""
        self.forgotten = False
        """Its services have been told that it is dead."""
        self.walls = walls
        """What keeps it from the network, for the record."""
        self.slots = asyncio.Semaphore(2 * (os.cpu_count() or 2))
        """How many pages may be at work at once: more would only make each other late."""
        self._driver, self._browser, self._script = driver, browser, script
        self._closed = False

    @classmethod
    async def start(cls) -> Chromium:
        """Start the browser of this machine. Raises `NoBrowserError`, or `EnvironmentFault` when it does not start."""
        try:
            from playwright.async_api import Error, async_playwright
        except ImportError:
            raise NoBrowserError("a browser needs Playwright: pip install 'scaffold-harness[browser]'") from None
        driver = await async_playwright().start()
        script = -1
        try:
            program = find_program(driver.chromium.executable_path)
            walls = await asyncio.to_thread(_walls, program)
            script = _script([*walls, program]) if walls else -1
            browser = await driver.chromium.launch(
                executable_path=f"/proc/{os.getpid()}/fd/{script}" if walls else program,
                args=[*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])],
                env=dict(_ENVIRONMENT),
                handle_sigint=False, handle_sigterm=False, handle_sighup=False,
                timeout=1000 * _START_SECONDS,
            )  # fmt: skip
        except BaseException as error:
            await driver.stop()
            if script >= 0:
                os.close(script)
            if isinstance(error, Error):
                said = next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason given")
                raise EnvironmentFault(f"Chromium does not start: {said[:300]}") from None
            raise
        return cls(driver, browser, script, "no network (bubblewrap)" if walls else "every request answered or refused")

    @property
    def alive(self) -> bool:
        """Whether it can open pages."""
        return not self._closed and self._browser.is_connected()

    @property
    def version(self) -> str:
        """Of Chromium."""
        return str(self._browser.version)

    @property
    def facts(self) -> dict[str, JsonValue]:
        """What the record should know of it."""
        own = "off: it cannot be had as root" if os.geteuid() == 0 else "on"
        return {"network": self.walls, "chromium_sandbox": own}

    async def context(self, now: str) -> BrowserContext:
        """A profile of its own, in which the time stands at `now` (UTC). Raises Playwright's errors."""
        context = await self._browser.new_context(
            accept_downloads=False, service_workers="block", locale="en-GB", timezone_id="UTC",
            viewport={"width": 1000, "height": 800},
            reduced_motion="reduce", color_scheme="light",
        )  # fmt: skip
        await context.clock.set_fixed_time(f"{now.replace(' ', 'T')}Z")
        return context

    async def close(self) -> None:
        """End the browser and its driver; may be called twice."""
        from playwright.async_api import Error

        if self._closed:
            return
        self._closed = True
        try:
            await self._browser.close()
        except Error:
            pass  # it has died before
        finally:
            await self._driver.stop()
            if self._script >= 0:
                os.close(self._script)


async def chromium_of(services: Services) -> Chromium:
    """The browser of a run; a new one when the last has died. Raises `EnvironmentFault`."""
    key = ("chromium",)
    while True:
        chromium = await services.get(key, Chromium.start)
        if chromium.alive:
            return chromium
        if not chromium.forgotten:  # whoever sees it second must not make away with the next one
            chromium.forgotten = True
            services.forget(key)
            await chromium.close()


def find_program(own: str = "") -> str:
    """The browser's program on this machine; `own` is where Playwright's own would be. Raises `NoBrowserError`."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        if not os.access(chosen, os.X_OK):
            raise NoBrowserError(f"{VARIABLE} names {chosen}, which is no program that can be run")
        return str(Path(chosen).absolute())
    found = next((path for path in map(shutil.which, _NAMES) if path), None) or own
    if not Path(found).is_file():
        raise NoBrowserError(
            "there is no Chromium here; install it with: apt-get install chromium, or: playwright install chromium "
            f"(or name one in {VARIABLE})"
        )
    return found


@functools.cache
def _walls(program: str) -> tuple[str, ...]:
    """The beginning of a command line that takes the network away; empty where bubblewrap does not work."""
    try:
        walls = (str(find_bubblewrap().path), *_WALLS, "--")
        tried = subprocess.run([*walls, "test", "-x", program], capture_output=True, timeout=20, check=False)
    except (NoSandboxError, OSError, subprocess.TimeoutExpired):
        return ()
    return walls if tried.returncode == 0 else ()


def _script(command: list[str]) -> int:
    """An open file that runs a command with the arguments it is given: in memory, so that a killed run leaves none."""
    file = os.memfd_create("chromium", 0)
    os.write(file, f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n'.encode())
    return file
