"""Pages as a model sees them, page by page of one tab, and what it means when it names something on them."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import JsonValue

from harness.environments.browser.outline import Element, Numbers, Outline, find, outline
from harness.environments.browser.tab import RefusedActionError, Tab
from harness.environments.protocol import Observation


class Eyes:
    """Reads a tab."""

    def __init__(self, tab: Tab, characters: int) -> None:
        """`characters` bound an observation."""
        self.tab = tab
        self._characters = characters
        self._numbers = Numbers()
        self._page = Outline((), {})
        self._title = ""
        self._told: tuple[str, ...] = ()
        """The lines that the model has been shown, or told how to see."""

    async def read(self) -> None:
        """Read the page as it is now."""
        self._title, tree = await self.tab.tree()
        self._page = outline(tree, self._numbers)

    def element(self, wanted: str, fits: Callable[[Element], bool] = bool) -> Element:
        """What is meant by a reference or by words. Raises `RefusedActionError` with how to say it better."""
        found = find(wanted, self._page, self._numbers.last, fits)
        if isinstance(found, str):
            raise RefusedActionError(found)
        if found.disabled:
            raise RefusedActionError(f"{found} is switched off.")
        return found

    def told(self, problem: str = "", first: int = 1) -> Observation:
        """The page, with what happened beside it, from line `first` on."""
        notes, self.tab.notes = self.tab.notes, []
        head = [f"Error: {problem}"] if problem else []
        head += [*notes, f"Page: {self._title[:200]}", f"Path: {self.tab.target[:500]}", ""]
        if problem and self._page.lines == self._told:
            head[-1] = "The page is as it was."
            return Observation("\n".join(head), error=True, data={"path": self.tab.target})
        self._told = self._page.lines
        text, shown, left = self._lines(first, self._characters - sum(len(line) + 1 for line in head))
        total = len(self._page.lines)
        if left:
            text += f"\n[lines {first} to {first + shown - 1} of {total}; for more: look from {first + shown}]"
        elif total and first > total:
            text = f"[the page has {total} {'line' if total == 1 else 'lines'}]"
        data: dict[str, JsonValue] = {"path": self.tab.target, "lines": total, "truncated": left > 0}
        return Observation("\n".join([*head, text or "(the page is empty)"]), error=bool(problem), data=data)

    def _lines(self, first: int, room: int) -> tuple[str, int, int]:
        """Lines that fit, how many they are, and how many are left."""
        lines = self._page.lines[first - 1 :]
        shown: list[str] = []
        for line in lines:
            room -= len(line) + 1
            if room < 60 and shown and len(shown) < len(lines):
                break
            shown.append(line)
        return "\n".join(shown), len(shown), len(lines) - len(shown)
