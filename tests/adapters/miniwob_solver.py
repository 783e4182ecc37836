"""Finds ways to the full reward of MiniWoB++ pages, by rules for each page, and keeps them for the adapter.

Run `python tests/adapters/miniwob_solver.py` to write `harness/adapters/miniwob/solutions.json` anew.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from harness.adapters.miniwob.environment import MiniWob, MiniWobOptions, MiniWobSetup
from harness.environments import Opening, Services

SOLUTIONS = Path(__file__).parents[2] / "harness" / "adapters" / "miniwob" / "solutions.json"
SEEDS = range(1, 6)
Step = dict[str, Any]


class Sight:
    """A page as the model sees it, and what has been done on it."""

    def __init__(self, world: MiniWob) -> None:
        self.world = world
        self.steps: list[Step] = []
        self.text = ""

    async def look(self) -> None:
        self.text = (await self.world.call("visitor", "look", {})).text.split("\n\n", 1)[1]

    async def do(self, tool: str, **arguments: Any) -> None:
        seen = await self.world.call("visitor", tool, arguments)
        assert not seen.error, (self.text, tool, arguments, seen.text)
        self.steps.append({"tool": tool, "arguments": arguments})
        if not self.world.finished():
            self.text = seen.text.split("\n\n", 1)[1]

    @property
    def asked(self) -> str:
        return self.text.splitlines()[0]

    def found(self, pattern: str) -> str:
        match = re.search(pattern, self.text, re.MULTILINE)
        assert match, (pattern, self.text)
        return match[1]

    def refs(self, role: str, name: str | None = None) -> list[str]:
        named = r"[^\n]*?" if name is None else re.escape(name)
        return re.findall(rf'\[(e\d+)\] {role} "{named}"', self.text)

    async def click(self, role: str, name: str | None = None, nth: int = 0) -> None:
        await self.do("click", element=self.refs(role, name)[nth])

    async def fill(self, text: str, nth: int = 0) -> None:
        await self.do("fill", element=self.refs("(?:textbox|spinbutton)")[nth], text=text)


def quoted(s: Sight, nth: int = 0) -> str:
    return re.findall(r'"([^"]*)"', s.asked)[nth]


async def click_quoted_button(s: Sight) -> None:
    await s.click("button", quoted(s))


async def sequence(s: Sight) -> None:
    await s.click("button", "ONE")
    await s.click("button", "TWO")


async def checkboxes(s: Sight) -> None:
    wanted = s.found(r"^Select (.*) and click Submit\.")
    for name in [] if wanted == "nothing" else wanted.split(", "):
        await s.click("checkbox", name)
    await s.click("button", "Submit")


async def option(s: Sight) -> None:
    await s.click("radio", s.found(r"^Select (.*) and click Submit\."))
    await s.click("button", "Submit")


async def dialog(s: Sight) -> None:
    await s.click("button", "Close")


async def dialog_two(s: Sight) -> None:
    await s.click("button", {"x": "Close"}.get(quoted(s), quoted(s)))


async def the_button(s: Sight) -> None:
    await s.click("button")


async def button_one(s: Sight) -> None:
    await s.click("button", "ONE")


async def choose(s: Sight) -> None:
    name = s.found(r"^Select (.*) from the (?:scroll )?list and click Submit\.")
    await s.do("select", element=s.refs("(?:combobox|listbox)")[0], choice=name)
    await s.click("button", "Submit")


async def enter(s: Sight) -> None:
    await s.fill(quoted(s))
    await s.click("button", "Submit")


async def enter_cased(s: Sight) -> None:
    await s.fill(quoted(s).lower() if "lower case" in s.asked else quoted(s).upper())
    await s.click("button", "Submit")


async def password(s: Sight) -> None:
    await s.fill(quoted(s))
    await s.fill(quoted(s), 1)
    await s.click("button", "Submit")


async def focus(s: Sight) -> None:
    await s.click("textbox", nth=int(re.search(r"(\d)\w\w input", s.asked)[1]) - 1)  # type: ignore[index]


async def focus_one(s: Sight) -> None:
    await s.click("textbox")


async def login(s: Sight) -> None:
    await s.fill(quoted(s))
    await s.fill(quoted(s, 1), 1)
    await s.click("button", "Login")


async def table(s: Sight) -> None:
    await s.fill(s.found(rf"^\| {s.found('^Enter the value of (.*) into')} \| (.*) \|"))
    await s.click("button", "Submit")


async def two_of_a_table(s: Sight) -> None:
    for nth, label in enumerate(re.findall(r"^(.*):$", s.text, re.MULTILINE)):
        await s.fill(s.found(rf"^\| {label} \| (.*) \|"), nth)
    await s.click("button", "Submit")


async def arithmetic(s: Sight) -> None:
    one, sign, other = re.search(r"^(\d+) ([-+x*]) (\d+) =", s.text, re.MULTILINE).groups()  # type: ignore[union-attr]
    a, b = int(one), int(other)
    await s.fill(str(a + b if sign == "+" else a - b if sign == "-" else a * b))
    await s.click("button", "Submit")


async def algebra(s: Sight) -> None:
    one, sign, other, total = re.search(r"^(\w+) ([-+]) (\w+) = (-?\d+)", s.text, re.MULTILINE).groups()  # type: ignore
    way = -1 if sign == "-" else 1
    x = int(total) - way * int(other) if one == "x" else way * (int(total) - int(one))
    await s.fill(str(x))
    await s.click("button", "Submit")


async def copied_below(s: Sight) -> None:
    await s.fill(s.text.splitlines()[1].replace(" ", ""))
    await s.click("button", "Submit")


async def word(s: Sight) -> None:
    nth = int(s.found(r"^Find the (\d+)"))
    await s.fill(re.sub(r"[^\w]", "", s.text.splitlines()[1].split()[nth - 1]))
    await s.click("button", "Submit")


async def ticket(s: Sight) -> None:
    books = re.findall(r'\[(e\d+)\] button "Book for \$(\d+)"', s.text)
    times = [60 * int(h) + int(m) for h, m in re.findall(r"Duration: (\d+)h (\d+)m", s.text)]
    costs = [int(cost) for _, cost in books]
    values = costs if "cost" in s.asked else times
    best = (min if re.search("cheapest|shortest|smallest|least", s.asked) else max)(values)
    await s.do("click", element=books[values.index(best)][0])


async def odd(s: Sight) -> None:
    numbers = [int(n) for n in re.findall(r"^(-?\d+)$", s.text, re.MULTILINE)]
    for nth, number in enumerate(numbers):
        await s.click("button", "Odd" if number % 2 else "Even", nth)
    await s.click("button", "Submit")


async def search(s: Sight) -> None:
    place = int(s.found(r"click the (\d+)"))
    await s.fill(quoted(s))
    await s.click("button", "Search")
    for _ in range((place - 1) // 3):
        await s.do("click", element=s.refs("link", ">")[0])
    links = [
        ref for ref, name in re.findall(r'\[(e\d+)\] link "([^"]*)"', s.text) if not re.fullmatch(r"\d|[<>]", name)
    ]
    await s.do("click", element=links[(place - 1) % 3])


async def guess(s: Sight) -> None:
    low, high = 0, 9
    while not s.world.finished():
        middle = (low + high) // 2
        await s.fill(str(middle))
        await s.click("button", "Submit")
        if not s.world.finished():
            low, high = (middle + 1, high) if "higher" in s.text else (low, middle - 1)


async def date(s: Sight) -> None:
    month, day, year = s.found(r"^Enter (\S+) as the date").split("/")
    await s.fill(f"{year}-{month}-{day}")
    await s.click("button", "Submit")


async def time(s: Sight) -> None:
    hour, minute = re.search(r"^Enter (\d+):(\d+)", s.text).groups()  # type: ignore[union-attr]
    late = int(hour) % 12 + (12 if " PM " in s.asked else 0) if re.search("[AP]M", s.asked) else int(hour)
    await s.fill(f"{late:02d}:{minute}")
    await s.click("button", "Submit")


async def tab(s: Sight) -> None:
    await s.click("link", s.found(r"^Click on (Tab #\d)\."))


async def section(s: Sight) -> None:
    await s.click("tab")
    await s.click("button", "Submit")


async def widget(s: Sight) -> None:
    kind = {"radio": "radio", "checkbox": "checkbox", "button": "button"}.get(quoted(s), "textbox")
    refs = s.refs(kind)
    await s.do("click", element=refs[-1] if quoted(s) == "textarea" and len(refs) > 1 else refs[0])


async def film(s: Sight) -> None:
    genre, director, year = re.search(r"for (\S+) movies directed by (\S+) from year (\d+)", s.asked).groups()  # type: ignore
    labels = re.findall(r"^\| (Year|Genre|Director) ", s.text, re.MULTILINE)
    for nth, label in enumerate(labels):
        await s.fill({"Year": year, "Genre": genre, "Director": director}[label], nth)
    await s.do("click", element=s.refs("(?:item|button)", "Submit")[0])


SOLVERS: dict[str, Callable[[Sight], Awaitable[None]]] = {
    "buy-ticket": ticket,
    "choose-list": choose,
    "click-button": click_quoted_button,
    "click-button-sequence": sequence,
    "click-checkboxes": checkboxes,
    "click-checkboxes-large": checkboxes,
    "click-collapsible": section,
    "click-dialog": dialog,
    "click-dialog-2": dialog_two,
    "click-option": option,
    "click-tab": tab,
    "click-test": the_button,
    "click-test-2": button_one,
    "click-widget": widget,
    "enter-date": date,
    "enter-password": password,
    "enter-text": enter,
    "enter-text-2": enter_cased,
    "enter-text-dynamic": enter,
    "enter-time": time,
    "find-word": word,
    "focus-text": focus_one,
    "focus-text-2": focus,
    "guess-number": guess,
    "login-user": login,
    "multi-orderings": film,
    "odd-or-even": odd,
    "read-table": table,
    "read-table-2": two_of_a_table,
    "search-engine": search,
    "simple-algebra": algebra,
    "simple-arithmetic": arithmetic,
    "text-transform": copied_below,
}


async def way(services: Services, page: str, seed: int) -> tuple[list[Step], Any]:
    """The steps to the full reward, and the reward."""
    setup = MiniWobSetup(page=page, seed=seed)
    world = await MiniWob.open(Opening(MiniWobOptions(), setup, ("visitor",), 1, Path(), False, services))
    try:
        sight = Sight(world)
        await sight.look()
        await SOLVERS[page](sight)
        reward = json.loads((await world.final_state()).data)["reward"]
        return sight.steps, reward
    finally:
        await world.close()


async def ways(pages: list[str]) -> tuple[dict[str, dict[str, list[Step]]], list[str]]:
    """Page -> seed -> steps, and what did not reach the full reward."""
    found: dict[str, dict[str, list[Step]]] = {}
    failed: list[str] = []
    async with Services() as services:
        for page in pages:
            for seed in SEEDS:
                try:
                    steps, reward = await way(services, page, seed)
                except (AssertionError, IndexError, AttributeError, KeyError) as error:
                    failed.append(f"{page} {seed}: {error!r}"[:600])
                    continue
                if reward == 1:
                    found.setdefault(page, {})[str(seed)] = steps
                else:
                    failed.append(f"{page} {seed}: reward {reward}")
    return found, failed


def written(made: dict[str, dict[str, list[Step]]]) -> str:
    """As the file has it: a line for each way."""
    pages = []
    for page in sorted(made):
        lines = [f"  {json.dumps(seed)}: {json.dumps(steps, sort_keys=True)}" for seed, steps in made[page].items()]
        pages.append(f" {json.dumps(page)}: {{\n" + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(pages) + "\n}\n"


if __name__ == "__main__":
    made, left = asyncio.run(ways(sorted(SOLVERS)))
    SOLUTIONS.write_text(written(made))
    print("\n".join(left), f"\n{sum(map(len, made.values()))} ways on {len(made)} pages")
