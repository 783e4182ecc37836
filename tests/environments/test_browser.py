"""The kind `browser`, with a real Chromium: what is seen and done, and what cannot be."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Awaitable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.environments import EnvironmentFault, FinalState, Observation, Opening, Services
from harness.environments.browser import Browser, BrowserOptions, BrowserSetup
from harness.environments.browser import chromium as chromium_module
from harness.environments.browser.chromium import NoBrowserError, chromium_of, find_program
from harness.environments.browser.site import read_site

WORDS = Path(__file__).parent / "browser" / "words"

START = """\
Page: Words
Path: /

[e1] link "Home" -> / [e2] link "Elsewhere" -> https://elsewhere.example/x [e3] link "New window" -> /?new \
[e4] link "File" -> file:///etc/passwd
# Words (0 added)
| Word | Kind |
| one | common |
| two | common |
[e5] textbox "Word" = ""
[e6] combobox "Kind" = "common" (choices: common; rare)
[e7] checkbox "Sure" (not ticked)
[e8] button "Add"
[e9] button "Remove" (disabled)
[e10] button "Ask"
[e11] button "Fetch"
[e12] button "Chance"
[e13] button "Open"
See [e14] link "the old page" -> /old , it moves."""


class Room:
    """One loop and one browser for the tests of this file."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self.services = self._runner.run(self._made())

    async def _made(self) -> Services:
        return Services()

    def run(self, work: Awaitable[Any]) -> Any:
        async def bounded() -> Any:
            async with asyncio.timeout(180):
                return await work

        return self._runner.run(bounded())

    @asynccontextmanager
    async def page(self, seed: int = 7, services: Services | None = None, sql: str = "", **options: Any) -> Any:
        setup = BrowserSetup(sql=sql, cookies=options.pop("more_cookies", {}))
        given = BrowserOptions(site=str(WORDS), **options)
        world = await Browser.open(Opening(given, setup, ("w",), seed, Path(), False, services or self.services))
        try:
            yield Page(world)
        finally:
            await world.close()

    def close(self) -> None:
        self.run(self.services.close())
        self._runner.close()


class Page:
    def __init__(self, world: Browser) -> None:
        self.world = world

    async def __call__(self, tool: str, element: str | None = None, **arguments: Any) -> Observation:
        return await self.world.call("w", tool, arguments | ({} if element is None else {"element": element}))

    async def state(self) -> dict[str, Any]:
        return await state_of(await self.world.final_state())


async def state_of(state: FinalState) -> dict[str, Any]:
    options = BrowserOptions(site=str(WORDS))
    reader = await Browser.read_state(state, Opening(options, BrowserSetup(), ("w",), 1, Path()))
    try:
        return await reader.as_data()
    finally:
        await reader.close()


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    pytest.importorskip("playwright", reason="playwright is not here: pip install 'scaffold-harness[browser]'")
    try:
        find_program()
    except NoBrowserError as reason:
        pytest.skip(str(reason))
    room = Room()
    yield room
    room.close()


def test_a_page_is_told_as_lines_with_a_reference_for_all_that_can_be_used(room: Room) -> None:
    async def look() -> None:
        async with room.page() as page:
            seen = await page("look")
            assert seen.text == START
            assert not seen.error
            assert (await page("look")).text == START

    room.run(look())


def test_forms_reach_the_site_and_the_browser_keeps_its_cookies(room: Room) -> None:
    async def add() -> None:
        async with room.page() as page:
            assert '"four"' in (await page("fill", "Word", text="four")).text
            assert '[e6] combobox "Kind" = "rare"' in (await page("select", "e6", choice="Rare")).text
            assert '[e7] checkbox "Sure" (ticked)' in (await page("click", "Sure")).text
            seen = await page("click", 'button "Add"')
            assert "# Words (1 added, good; really)" in seen.text
            assert "| four | rare |" in seen.text
            seen = await page("fill", "Word", text="<script>five</script>'); --", submit=True)
            assert "# Words (2 added" in seen.text
            assert "| <script>five</script>'); -- | common |" in seen.text
            state = await page.state()
            assert [row["word"] for row in state["words"]][2:] == ["four", "<script>five</script>'); --"]
            asked = [(row["method"], row["path"], row["status"]) for row in state["browser_visits"]]
            assert asked == [("POST", "/add", 303), ("GET", "/", 200)] * 2

    room.run(add())


def test_what_a_refused_request_changed_is_taken_back(room: Room) -> None:
    async def add_nothing() -> None:
        async with room.page() as page:
            seen = await page("click", "Add")
            assert "A word is wanted." in seen.text
            state = await page.state()
            assert len(state["words"]) == 2
            assert [row["status"] for row in state["browser_visits"]] == [400]

    room.run(add_nothing())


def test_questions_of_the_page_are_answered_as_was_said_before(room: Room) -> None:
    async def ask() -> None:
        async with room.page() as page:
            seen = await page("click", "Ask")
            assert seen.text.startswith('The page said in a box: "Sure?"; it was answered with no (to say yes, do it ')
            assert "\nno\n" in seen.text
            seen = await page("click", "Ask", agree=True)
            assert seen.text.startswith('The page said in a box: "Sure?"; it was answered with yes.\nPage: Words')
            assert "\nyes\n" in seen.text

    room.run(ask())


def test_references_are_never_given_twice_and_an_old_one_is_known_to_be_old(room: Room) -> None:
    async def wander() -> None:
        async with room.page() as page:
            seen = await page("click", "the old page")
            assert "Path: /?moved" in seen.text
            assert '[e15] link "Home"' in seen.text
            seen = await page("click", "e8")
            assert seen.error
            assert seen.text.startswith(
                "Error: e8 is no longer on the page; use a reference from the page as it is now"
            )
            assert seen.text.endswith("The page is as it was.")
            assert "There is no e99 on the page" in (await page("click", "e99")).text

    room.run(wander())


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("click", {"element": "Remove"}, 'button "Remove" is switched off.'),
    ("click", {"element": "Kind"}, "To choose from a list, use select."),
    ("click", {"element": "Nothing"}, "There is nothing called Nothing on the page that can be used"),
    ("fill", {"element": "Add", "text": "x"}, 'button "Add" is no field to write in.'),
    ("fill", {"element": "Kind", "text": "x"}, 'combobox "Kind" is no field to write in: use select.'),
    ("select", {"element": "Kind", "choice": "odd"}, "has no choice 'odd'; it has common; rare."),
    ("select", {"element": "Word", "choice": "odd"}, 'textbox "Word" is no list to choose from.'),
    ("goto", {"path": "//elsewhere.example/"}, "Only pages of this site can be opened, by a path such as /"),
    ("goto", {"path": "https://elsewhere.example/"}, "Only pages of this site can be opened"),
    ("goto", {"path": "file:///etc/passwd"}, "Only pages of this site can be opened"),
    ("goto", {"path": "data:text/html,x"}, "Only pages of this site can be opened"),
    ("goto", {"path": "javascript:alert(1)"}, "Only pages of this site can be opened"),
    ("press", {"key": "F12"}, "There is no key F12; there are Enter, Tab"),
    ("click", {}, "click needs 'element'."),
]


def test_what_cannot_be_done_is_said_with_what_can(room: Room) -> None:
    async def attempt() -> None:
        async with room.page() as page:
            await page("look")
            for tool, arguments, said in WRONG:
                seen = await page(tool, **arguments)
                assert seen.error, arguments
                assert said in seen.text.splitlines()[0]
                assert seen.text.endswith("The page is as it was.")

    room.run(attempt())


def test_the_site_leads_on_scripts_fetch_and_windows_open_in_this_one(room: Room) -> None:
    async def wander() -> None:
        async with room.page() as page:
            assert "Path: /?moved\n" in (await page("goto", path="/older")).text
            assert "\ntwo\n" in (await page("click", "Fetch")).text
            assert "Path: /?opened\n" in (await page("click", "Open")).text
            assert "Path: /?new\n" in (await page("click", "New window")).text
            assert "Path: /?opened\n" in (await page("back")).text
            assert "Path: /?moved\n" in (await page("back")).text
            assert "There is no such page." in (await page("goto", path="/nowhere")).text
            seen = await page("click", "Start page")
            assert "Path: /\n" in seen.text
            seen = await page("click", "Elsewhere")
            assert seen.text.startswith("https://elsewhere.example/x was not opened: only pages of this site can be.")
            assert "Path: /\n" in seen.text
            assert "Path: /\n" in (await page("click", "File")).text

    room.run(wander())


def test_keys_go_to_what_has_the_focus(room: Room) -> None:
    async def type_in() -> None:
        async with room.page() as page:
            await page("fill", "Word", text="six")
            assert (
                '[e6] combobox "Kind" = "common" (choices: common; rare) (focused)'
                in (await page("press", key="Tab")).text
            )
            assert '"rare"' in (await page("press", key="ArrowDown")).text
            await page("press", key="Tab")
            assert "(ticked)" in (await page("press", key="Space")).text
            assert "| six | rare |" in (await page("press", key="Enter")).text

    room.run(type_in())


def test_the_clock_stands_and_chance_comes_from_the_seed(room: Room) -> None:
    async def chance(seed: int) -> str:
        async with room.page(seed, now="2026-03-02 09:30") as page:
            return next(line for line in (await page("click", "Chance")).text.splitlines() if line.startswith("2026"))

    async def compare() -> None:
        first, again, other = await chance(7), await chance(7), await chance(8)
        assert first == again
        assert first.startswith("2026-03-02T09:30:00.000Z 0.")
        assert other != first

    room.run(compare())


def test_a_long_page_is_cut_and_the_rest_can_be_seen(room: Room) -> None:
    async def read() -> None:
        async with room.page(characters=600) as page:
            seen = await page("goto", path="/long")
            assert len(seen.text) <= 660
            assert seen.text.splitlines()[3] == "# Long"
            assert seen.text.endswith("[lines 1 to 31 of 301; for more: look from 32]")
            assert seen.data["truncated"]
            seen = await page("look", **{"from": 32})
            assert "\n\nLine 31 of many.\n" in seen.text
            seen = await page("look", **{"from": 301})
            assert seen.text.endswith("\n\nLine 300 of many.")
            assert (await page("look", **{"from": 999})).text.endswith("[the page has 301 lines]")

    room.run(read())


def test_a_trial_starts_with_the_cookies_and_the_database_of_its_task(room: Room) -> None:
    async def look() -> None:
        sql = "INSERT INTO words (word) VALUES ('seven')"
        async with room.page(sql=sql, cookies={"added": "3", "mood": "bad"}, more_cookies={"mood": "so, so"}) as page:
            seen = (await page("look")).text
            assert "# Words (3 added, so, so)" in seen
            assert "| seven | common |" in seen

    room.run(look())


def test_a_snapshot_keeps_what_is_half_filled_in_and_the_way_back(room: Room) -> None:
    async def there_and_back() -> None:
        async with room.page() as page, room.page() as other:
            await page("goto", path="/?first")
            await page("fill", "Word", text="kept")
            await page("click", 'button "Add"')
            await page("fill", "Word", text="half")
            seen = await page("look")
            snapshot = await page.world.snapshot()
            await page("click", "Home")
            for one in (page, other):
                await one.world.restore(snapshot)
                assert (await one("look")).text == seen.text
            assert "Path: /?first\n" in (await other("back")).text
            assert "Path: /?first\n" in (await page("back")).text
            assert await page.state() == await other.state()

    room.run(there_and_back())


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server on loopback, its address, and whoever called."""
    callers: list[str] = []
    server = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        while True:
            try:
                callers.append(str(server.accept()[1]))
            except OSError:
                return

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.getsockname()[1]}", callers
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


@pytest.mark.parametrize("walls", [True, False], ids=["in walls", "without walls"])
def test_nothing_leaves_the_page(
    room: Room, listener: tuple[str, list[str]], walls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, callers = listener
    if not walls:
        monkeypatch.setattr(chromium_module, "_walls", lambda program: ())

    async def attempt() -> None:
        async with Services() as services, room.page(services=services) as page:
            seen = await page("goto", path=f"/away?listener={address}")
            # A beacon is always taken, and goes nowhere; a service worker is taken and never runs.
            assert "\nrejected fulfilled rejected fulfilled rejected rejected rejected rejected" in seen.text
            for element in ("Send", "Leave", "Download", "Data"):
                seen = await page("click", element)
                assert "Path: /away" in seen.text, element
            network = page.world.facts["network"]
            assert network == ("no network (bubblewrap)" if _walled(walls) else "every request answered or refused")

    room.run(attempt())
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))):
        for _ in range(200):
            if callers:
                break
            time.sleep(0.05)
    assert len(callers) == 1, "only our own call, which shows that the listener listens"


def _walled(wanted: bool) -> bool:
    chromium_module._walls.cache_clear() if hasattr(chromium_module._walls, "cache_clear") else None
    return wanted and bool(chromium_module._walls(find_program()))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/broken", "site words: GET /broken: ZeroDivisionError: division by zero"),
        ("/undefined", "site words: GET /undefined: UndefinedError: 'added' is undefined"),
    ],
)
def test_a_site_that_fails_is_the_environments_fault(room: Room, path: str, said: str) -> None:
    async def visit() -> None:
        async with room.page() as page:
            with pytest.raises(EnvironmentFault) as fault:
                await page("goto", path=path)
            assert str(fault.value) == said

    room.run(visit())


def test_a_page_that_never_rests_ends_its_trial_and_no_other(room: Room) -> None:
    async def spin() -> None:
        async with room.page(seconds=4) as page, room.page() as other:
            await page("goto", path="/endless")
            with pytest.raises(EnvironmentFault, match="did not come to rest within 4 seconds"):
                await page("click", "Spin")
            assert (await other("look")).text == START

    room.run(spin())


def test_a_page_that_crashes_is_the_environments_fault(room: Room) -> None:
    async def crash() -> None:
        async with room.page() as page, room.page() as other:
            await page("look")
            await other("look")
            tab = page.world._eyes["w"].tab
            with pytest.raises(EnvironmentFault):
                await tab.do(lambda: tab.page.goto("chrome://crash"))
            with pytest.raises(EnvironmentFault, match="crashed"):
                await page("look")
            assert "Path: /?moved" in (await other("click", "the old page")).text

    room.run(crash())


def test_a_browser_that_dies_is_a_fault_and_the_next_trial_has_a_new_one(room: Room) -> None:
    async def die() -> None:
        async with Services() as services:
            async with room.page(services=services) as page:
                await page("look")
                first = await chromium_of(services)
                await first._browser.close()
                with pytest.raises(EnvironmentFault, match="the browser has died"):
                    await page("click", "Home")
            async with room.page(services=services) as page, room.page(services=services) as other:
                assert (await page("look")).text == (await other("look")).text == START
                assert await chromium_of(services) is not first

    room.run(die())


def test_a_killed_harness_leaves_no_browser(room: Room) -> None:
    program = textwrap.dedent(f"""
        import asyncio
        from pathlib import Path
        from harness.environments import Opening, Services
        from harness.environments.browser import Browser, BrowserOptions, BrowserSetup

        async def hold():
            given = BrowserOptions(site={str(WORDS)!r})
            world = await Browser.open(Opening(given, BrowserSetup(), ("w",), 7, Path(), False, Services()))
            await world.call("w", "look", {{}})
            print("open", flush=True)
            await asyncio.sleep(600)

        asyncio.run(hold())
    """)
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "open\n"
    below = _descendants(child.pid)
    assert len(below) > 3
    child.kill()
    child.wait()
    child.stdout.close()
    for _ in range(400):
        if not any(_runs(pid) for pid in below):
            return
        time.sleep(0.05)
    for pid in filter(_runs, below):
        os.kill(pid, signal.SIGKILL)
    pytest.fail("processes of the browser outlived the harness")


def _descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *_descendants(int(child))]
    return found


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_without_a_browser_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv(chromium_module.VARIABLE, raising=False)
    with pytest.raises(NoBrowserError, match="there is no Chromium here; install it with: apt-get install chromium"):
        find_program()
    monkeypatch.setenv(chromium_module.VARIABLE, "/nonexistent/chromium")
    with pytest.raises(NoBrowserError, match="HARNESS_CHROMIUM names /nonexistent/chromium"):
        find_program()


SITE = {"site.sql": "CREATE TABLE t (n);", "site.py": "def routes():\n    return {}\n"}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"site.sql": None}, "cannot be read: .*site.sql.*; it needs site.sql and site.py"),
        ({"site.py": None}, "site.py"),
        ({"site.py": "def routes(:"}, "site.py line 1 is not valid Python"),
        ({"site.py": "def routes():\n    return {'/': print}\n"}, "route '/': write it as 'GET /path/{name}'"),
        ({"page.html": "{% if %}"}, "Expected an expression"),
    ],
)
def test_a_site_that_cannot_be_read_says_where_it_is_wrong(
    tmp_path: Path, files: dict[str, str | None], said: str
) -> None:
    for name, content in {**SITE, **files}.items():
        if content is not None:
            (tmp_path / name).write_text(content)
    with pytest.raises(EnvironmentFault, match=said):
        read_site(tmp_path)


def test_a_site_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    for name, content in SITE.items():
        (tmp_path / name).write_text(content)
    first = read_site(tmp_path)
    assert read_site(tmp_path) is first
    (tmp_path / "site.sql").write_text("CREATE TABLE other (n);")
    assert "other" in read_site(tmp_path).script.sql
