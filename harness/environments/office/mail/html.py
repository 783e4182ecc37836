"""HTML mail as text, with or without what a reader would not see.

What is not to be seen is told by the usual ways of hiding: the attribute `hidden`, `display: none`,
`visibility: hidden`, `opacity: 0`, a font of two points or less, and writing in the colour of the ground (white where
none is said). `title`, `alt` and comments are not text. Nothing here acts on what is written; it is only shown.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff\U000e0000-\U000e007f]")
"""Characters without width; the last range spells ASCII unseen."""
MAX_DEPTH = 500
_BLOCKS = frozenset(
    {"address", "article", "blockquote", "body", "div", "dl", "dt", "dd", "fieldset", "footer", "form", "h1", "h2",
     "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "ol", "p", "pre", "section", "table", "tr", "ul"}
)  # fmt: skip
_SILENT = frozenset({"head", "script", "style", "template", "title"})
_EMPTY = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)  # fmt: skip
_WHITE = frozenset({"white", "#fff", "#ffffff", "rgb(255,255,255)"})
_SMALL = re.compile(r"[0-2](?:\.[0-9]+)?(?:px|pt|em|rem|%)?|0+")


def html_text(html: str, *, hidden: bool) -> str:
    """The text of a mail in HTML, links with where they lead; `hidden` says whether what cannot be seen is in it."""
    reader = _Reader(hidden=hidden)
    reader.feed(html)
    reader.close()
    text = "".join(reader.found)
    if not hidden:
        text = seen(text)
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def seen(text: str) -> str:
    """`text` without characters that cannot be seen."""
    return INVISIBLE.sub("", text)


class _Reader(HTMLParser):
    """Collects the text of a document."""

    def __init__(self, *, hidden: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.hidden = hidden
        self.found: list[str] = []
        self.open: list[tuple[str, bool, str, str]] = []
        """Elements around this place: name, whether unseen, the ground's colour, and where a link leads."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that opens."""
        given = {name: value or "" for name, value in attrs}
        if tag in _BLOCKS or tag == "br":
            self.found.append("\n")
        if tag in ("td", "th"):
            self.found.append(" ")
        if tag in _EMPTY or len(self.open) >= MAX_DEPTH:
            return
        _, unseen, ground, _ = self.open[-1] if self.open else ("", False, "white", "")
        style = _style(given)
        ground = style.get("background-color") or style.get("background") or ground
        unseen = unseen or (not self.hidden and _unseen(given, style, ground)) or tag in _SILENT
        self.open.append((tag, unseen, ground, given.get("href", "") if tag == "a" else ""))

    def handle_endtag(self, tag: str) -> None:
        """Note an element that closes, and those left open in it."""
        if tag not in [name for name, *_ in self.open]:
            return
        while self.open:
            name, unseen, _, leads = self.open.pop()
            if leads and not unseen:
                self.found.append(f" <{leads}>")
            if name in _BLOCKS:
                self.found.append("\n")
            if name == tag:
                return

    def handle_data(self, data: str) -> None:
        """Take a piece of text."""
        if not (self.open and self.open[-1][1]):
            self.found.append(re.sub(r"\s+", " ", data))


def _style(given: dict[str, str]) -> dict[str, str]:
    rules = [rule.partition(":") for rule in given.get("style", "").lower().split(";")]
    style = {name.strip(): value.replace("!important", "").replace(" ", "") for name, _, value in rules}
    if given.get("bgcolor"):
        style.setdefault("background-color", given["bgcolor"].lower())
    if given.get("color"):
        style.setdefault("color", given["color"].lower())
    return style


def _unseen(given: dict[str, str], style: dict[str, str], ground: str) -> bool:
    colour = style.get("color", "")
    return (
        "hidden" in given
        or style.get("display") == "none"
        or style.get("visibility") == "hidden"
        or style.get("opacity") in ("0", "0.0")
        or bool(_SMALL.fullmatch(style.get("font-size", "")) and not style["font-size"].endswith("em"))
        or (colour != "" and (colour == ground or (colour in _WHITE and ground in _WHITE)))
    )
