"""What a page looks like in words: its accessibility tree, made short, with a number for all that can be used.

    # Market stall
    [e1] link "Basket" -> /basket
    | Honey | 6.50 | [e2] link "Look" -> /goods/3 |
    [e3] textbox "Voucher" = "SPRING"
    [e4] button "Order"

Playwright gives the tree as YAML. Its own references change with every page load; ours count on through the whole
trial and are never given twice, so that one from an earlier page is known to be stale.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import yaml

_KEY = re.compile(r'(?P<role>/?[\w-]+)(?: (?P<name>"(?:\\.|[^"\\])*"))?(?P<rest>.*)', re.DOTALL)
_MARK = re.compile(r"\[([^\]]*)\]")
_USED = frozenset(
    {"link", "button", "textbox", "searchbox", "combobox", "listbox", "checkbox", "radio", "switch", "slider",
     "spinbutton", "menuitem", "menuitemcheckbox", "menuitemradio", "tab", "treeitem", "option"}
)  # fmt: skip
_VALUED = frozenset({"textbox", "searchbox", "combobox", "spinbutton", "slider", "listbox"})
_TICKED = frozenset({"checkbox", "radio", "switch", "menuitemcheckbox", "menuitemradio"})
_CELLS = frozenset({"cell", "columnheader", "rowheader", "gridcell"})
_BLOCKS = frozenset(
    {"heading", "row", "listitem", "table", "list", "form", "main", "navigation", "banner", "contentinfo", "region",
     "article", "complementary", "group", "rowgroup", "search", "figure", "separator", "dialog", "paragraph",
     "blockquote", "alert", "status", "iframe"}
)  # fmt: skip
_LINE = 400
"""Characters of a line."""
_STATES = ("disabled", "expanded", "selected", "pressed", "checked=mixed", "invalid")


@dataclass
class Node:
    """A part of the accessibility tree."""

    role: str
    name: str = ""
    marks: tuple[str, ...] = ()
    text: str = ""
    children: list[Node] = field(default_factory=list)
    about: dict[str, str] = field(default_factory=dict)
    """Such as `url`."""

    @property
    def given(self) -> str:
        """Playwright's reference; empty where there is none."""
        return next((mark[4:] for mark in self.marks if mark.startswith("ref=")), "")

    @property
    def used(self) -> bool:
        """Whether something can be done with it."""
        return bool(self.given) and (self.role in _USED or "cursor=pointer" in self.marks)

    @property
    def options(self) -> list[Node]:
        """The choices of a list box."""
        return [node for child in self.children for node in ([child] if child.role == "option" else child.options)]


@dataclass(frozen=True)
class Element:
    """Something on the page that can be used."""

    ref: str
    """As the model is shown it."""
    given: str
    """Playwright's reference."""
    role: str
    name: str
    disabled: bool
    options: tuple[str, ...]

    def __str__(self) -> str:
        return f'{self.role} "{self.name}"'


@dataclass(frozen=True)
class Outline:
    """A page as lines, and what of it can be used, by reference."""

    lines: tuple[str, ...]
    elements: Mapping[str, Element]


class Numbers:
    """Gives out references: one for each thing seen, counted through the trial."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, given: str) -> str:
        """Our reference for one of Playwright's."""
        return self._known.setdefault(given, f"e{len(self._known) + 1}")

    @property
    def last(self) -> int:
        """The highest number given."""
        return len(self._known)


def outline(tree: str, numbers: Numbers) -> Outline:
    """Make the outline of an accessibility tree as Playwright writes it (`aria_snapshot(mode="ai")`)."""
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    nodes = _nodes(yaml.load(tree, Loader=loader) or [])  # noqa: S506 - the base loader makes texts and lists only
    elements: dict[str, Element] = {}
    writer = _Writer(numbers, elements)
    lines: list[str] = []
    for node in _shown(nodes):
        lines += writer.lines(node)
    kept = (" ".join(line.split()) if not line.startswith(" ") else line.rstrip() for line in lines)
    return Outline(tuple(_short(line) for line in kept if line.strip()), elements)


def _nodes(items: object) -> list[Node]:
    if isinstance(items, str):
        return [Node("text", text=items)] if items else []
    found = []
    for item in items if isinstance(items, list) else []:
        pairs = item.items() if isinstance(item, dict) else [(str(item), "")]
        for key, value in pairs:
            found.append(_node(str(key), value))
    return found


def _node(key: str, value: object) -> Node:
    match = _KEY.match(key)
    if match is None:
        return Node("text", text=f"{key} {value if isinstance(value, str) else ''}".strip())
    role, name = match["role"], json.loads(match["name"], strict=False) if match["name"] else ""
    node = Node(role, name, tuple(_MARK.findall(match["rest"])))
    if isinstance(value, str):
        node.text = value
    else:
        children = _nodes(value)
        node.about = {child.role[1:]: child.text for child in children if child.role.startswith("/")}
        node.children = [child for child in children if not child.role.startswith("/")]
    return node


def _shown(nodes: list[Node]) -> list[Node]:
    """Without boxes that say nothing themselves, and without a label's words beside the control of that name."""
    flat: list[Node] = []
    for node in nodes:
        children = _shown(node.children)
        if node.role in ("generic", "rowgroup", "none", "presentation") and not node.used:
            own = [Node("text", text=node.text)] if node.text else []
            if any(child.role in _BLOCKS or child.used for child in children) or len(own + children) < 2:
                flat += own + children
            else:
                flat.append(Node("words", children=own + children))
        else:
            node.children = children
            flat.append(node)
    named = {child.name for child in flat if child.used and child.name}
    return [node for node in flat if not (node.role == "text" and node.text.strip(" :*") in named)]


class _Writer:
    def __init__(self, numbers: Numbers, elements: dict[str, Element]) -> None:
        self._numbers, self._elements = numbers, elements

    def lines(self, node: Node) -> Iterator[str]:
        """The lines of a block."""
        if node.role == "row":
            yield "| " + " | ".join(self._inline(cell) for cell in node.children) + " |"
        elif node.used or not any(_has_blocks(child) for child in node.children):
            text = self._inline(node)
            yield f"- {text}" if node.role == "listitem" else text
        else:
            if node.role == "iframe":
                yield "(a frame in the page)"
            words = [self._heading(node)] if node.role == "heading" else [node.name] if node.role == "group" else []
            if node.text:
                words.append(node.text)
            yield from words
            waiting: list[str] = []
            for child in node.children:
                if _has_blocks(child) or child.used:
                    if waiting:
                        yield " ".join(waiting)
                        waiting = []
                    yield from self.lines(child)
                else:
                    waiting.append(self._inline(child))
            if waiting:
                yield " ".join(waiting)

    def _heading(self, node: Node) -> str:
        level = next((int(mark[6:]) for mark in node.marks if re.fullmatch(r"level=\d", mark)), 2)
        return f"{'#' * level} {node.name or node.text}"

    def _inline(self, node: Node) -> str:
        if node.used:
            return self._element(node)
        if node.role == "heading":
            inner = " ".join(self._inline(child) for child in node.children if child.used)
            return f"{self._heading(node)} {inner}".rstrip()
        if node.role in ("img", "image"):
            return f"(picture: {node.name})" if node.name else ""
        if node.role == "separator":
            return "---"
        if node.role == "alert":
            return "Alert: " + self._inner(node)
        if node.role == "term":
            return self._inner(node) + ":"
        return self._inner(node)

    def _inner(self, node: Node) -> str:
        parts = [node.text, *(self._inline(child) for child in node.children)]
        text = " ".join(part for part in parts if part)
        plain = node.role in _BLOCKS or node.role in _CELLS
        return text or (node.name if plain or node.role not in ("text", "words", "generic") else "")

    def _element(self, node: Node) -> str:
        role = node.role if node.role in _USED else "item"
        name = node.name or node.text or " ".join(filter(None, (_words(child) for child in node.children)))
        name = " ".join(name.split()) if role not in _VALUED or node.name else ""
        ref = self._numbers.of(node.given)
        choices = [option.name or option.text for option in node.options] if role in ("combobox", "listbox") else []
        self._elements[ref] = Element(ref, node.given, role, name, "disabled" in node.marks, tuple(choices))
        shown = f'[{ref}] {role} "{name}"'
        if role in _VALUED:
            chosen = [option.name or option.text for option in node.options if "selected" in option.marks]
            value = ", ".join(chosen) if choices else node.text or " ".join(map(_words, node.children))
            shown += f" = {json.dumps(value, ensure_ascii=False)}"
        if role in _TICKED:
            shown += " (ticked)" if "checked" in node.marks else " (not ticked)"
        if choices:
            shown += f" (choices: {'; '.join(choices)})"
        told = [mark for mark in node.marks if mark in _STATES and (mark != "selected" or role == "tab")]
        told += ["focused"] if "active" in node.marks else []
        shown += f" ({', '.join(told)})" if told else ""
        if role == "link" and "url" in node.about:
            shown += f" -> {node.about['url']}"
        inside = [child for child in node.children if child.used and role not in _VALUED]
        return " ".join([shown, *(self._inline(child) for child in inside)])


def _has_blocks(node: Node) -> bool:
    """Whether it takes lines of its own."""
    return not node.used and (node.role in _BLOCKS or any(_has_blocks(child) for child in node.children))


def _words(node: Node) -> str:
    return " ".join(filter(None, [node.name or node.text, *(_words(child) for child in node.children)]))


def _short(line: str) -> str:
    return line if len(line) <= _LINE else f"{line[:_LINE]}... ({len(line)} characters)"


def find(wanted: str, page: Outline, last: int, fits: Callable[[Element], bool] = bool) -> Element | str:
    """The element meant by `e12`, `button "Buy"` or `Buy`; or a sentence that helps to say it better.

    Of several that have the words, the one is meant that `fits` what is to be done with it. `last` is the highest
    number given out.
    """
    text = wanted.strip().strip("[]").strip()
    if re.fullmatch(r"e\d+", text):
        if text in page.elements:
            return page.elements[text]
        if int(text[1:]) <= last:
            return f"{text} is no longer on the page; use a reference from the page as it is now (tool look)."
        return f"There is no {text} on the page; the references stand in brackets before what can be used."
    match = re.fullmatch(r'(?:(\w+) )?"(.*)"', text, re.DOTALL)
    role, name = (match[1], match[2]) if match else (None, text)
    called = [e for e in page.elements.values() if role in (None, e.role) and _same(e.name, name)]
    fitting = [element for element in called if fits(element)] or called
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        several = ", ".join(f"{element.ref} ({element})" for element in fitting[:8])
        return f"{wanted} may be any of {several}; say which by its reference."
    return f"There is nothing called {wanted} on the page that can be used; use a reference such as e1 from the page."


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()).lower() == " ".join(other.split()).lower()
