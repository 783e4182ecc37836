"""What the tools of a page do: each finds out what is meant, and returns how it is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from harness.environments.browser.outline import Element
from harness.environments.browser.reading import Eyes
from harness.environments.browser.tab import ACTION_MILLISECONDS, RefusedActionError
from harness.environments.browser.tools import KEYS

_FIELDS = frozenset({"textbox", "searchbox", "spinbutton", "combobox", "slider"})

Deed = Callable[[Eyes, dict[str, Any]], Callable[[], Awaitable[None]]]
"""Finds out what is meant, and returns how it is done. Raises `RefusedActionError` before anything is done."""


def _goto(eyes: Eyes, arguments: dict[str, Any]) -> Callable[[], Awaitable[None]]:
    origin = urljoin(eyes.tab.origin, "/")
    address = urlsplit(urljoin(eyes.tab.origin + eyes.tab.target, str(arguments["path"]).strip()))
    if f"{address.scheme}://{address.netloc}/" != origin:
        raise RefusedActionError(
            f"Only pages of this site can be opened, by a path such as /: not {arguments['path']}."
        )
    target = (address.path or "/") + (f"?{address.query}" if address.query else "")
    return lambda: eyes.tab.go(target)


def _click(eyes: Eyes, arguments: dict[str, Any]) -> Callable[[], Awaitable[None]]:
    element = eyes.element(str(arguments["element"]))
    if element.role == "option" or (element.role == "combobox" and element.options):
        raise RefusedActionError("To choose from a list, use select.")
    return lambda: eyes.tab.part(element.given).click(timeout=ACTION_MILLISECONDS)


def _fill(eyes: Eyes, arguments: dict[str, Any]) -> Callable[[], Awaitable[None]]:
    element = eyes.element(str(arguments["element"]), _is_field)
    if not _is_field(element):
        raise RefusedActionError(f"{element} is no field to write in" + (": use select." if element.options else "."))
    text = str(arguments["text"])

    async def write() -> None:
        part = eyes.tab.part(element.given)
        await part.fill(text, timeout=ACTION_MILLISECONDS)
        if arguments.get("submit"):
            await part.press("Enter", timeout=ACTION_MILLISECONDS)

    return write


def _is_field(element: Element) -> bool:
    return element.role in _FIELDS and not element.options


def _select(eyes: Eyes, arguments: dict[str, Any]) -> Callable[[], Awaitable[None]]:
    element = eyes.element(str(arguments["element"]), lambda one: bool(one.options))
    if not element.options:
        raise RefusedActionError(f"{element} is no list to choose from.")
    choice = _choice(element, str(arguments["choice"]))

    async def choose() -> None:
        await eyes.tab.part(element.given).select_option(label=choice, timeout=ACTION_MILLISECONDS)

    return choose


def _choice(element: Element, wanted: str) -> str:
    found = [option for option in element.options if option.lower() == wanted.strip().lower()]
    if not found:
        raise RefusedActionError(
            f"{element} has no choice '{wanted[:80]}'; it has {'; '.join(element.options)[:1000]}."
        )
    return found[0]


def _press(eyes: Eyes, arguments: dict[str, Any]) -> Callable[[], Awaitable[None]]:
    key = str(arguments["key"])
    if key not in KEYS:
        raise RefusedActionError(f"There is no key {key[:40]}; there are {', '.join(KEYS)}.")
    return lambda: eyes.tab.page.keyboard.press(key)


def _back(eyes: Eyes, arguments: dict[str, Any]) -> Callable[[], Awaitable[None]]:
    return eyes.tab.back


DEEDS: Mapping[str, Deed] = {
    "goto": _goto,
    "click": _click,
    "fill": _fill,
    "select": _select,
    "press": _press,
    "back": _back,
}
"""Tool -> what it does; `look` does nothing, and is not here."""
