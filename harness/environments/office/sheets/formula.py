"""Formulas read into trees: numbers, texts, cells, regions, operators and functions, and nothing else.

    =SUM(B2:B9) * (1 + Rates!$B$1) & " crowns"

The grammar, loosest first: comparisons, `&`, `+ -`, `* /`, `^`, a sign, `%`. As in other spreadsheets a sign binds
closer than `^`: `=-2^2` is 4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.environments.office.sheets.book import BadFormulaError, Region, read_region

MAX_FORMULA = 1_000
"""Characters of one formula."""
MAX_TOKENS = 300
"""Numbers, cells, operators and brackets in one formula."""
MAX_DEPTH = 40
"""Brackets and functions inside one another."""

_CELL = r"\$?[A-Za-z]{1,3}\$?[0-9]{1,6}"
_TOKEN = re.compile(
    rf"""\s*(?:
    (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{{1,3}})?)
    |(?P<text>"(?:[^"]|"")*")
    |(?P<region>(?:(?:'(?:[^']|'')+'|[A-Za-z_][\w.]*)!)?{_CELL}(?::{_CELL})?(?![\w.(!]))
    |(?P<name>[A-Za-z_][\w.]*)
    |(?P<operator><=|>=|<>|[-+*/^&=<>%(),;])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Constant:
    """A number, a text or a truth value."""

    value: float | str | bool


@dataclass(frozen=True)
class Cells:
    """A cell or a region, of the formula's own sheet when `sheet` is None."""

    sheet: str | None
    region: Region


@dataclass(frozen=True)
class Applied:
    """An operator or a function with what it is applied to; `sign-` is a minus in front, `%` a percent behind."""

    name: str
    parts: tuple[Node, ...]


Node = Constant | Cells | Applied

_BINARY = ({"=", "<>", "<", ">", "<=", ">="}, {"&"}, {"+", "-"}, {"*", "/"}, {"^"})


def parse(formula: str) -> Node:
    """Read a formula, `=` included. Raises `BadFormulaError`."""
    if len(formula) > MAX_FORMULA:
        raise BadFormulaError(f"a formula has {MAX_FORMULA} characters at most, this has {len(formula)}")
    return _Reader(formula).whole()


def regions(node: Node) -> list[Cells]:
    """All cells and regions that a formula looks at."""
    if isinstance(node, Cells):
        return [node]
    return [found for part in node.parts for found in regions(part)] if isinstance(node, Applied) else []


class _Reader:
    """Reads one formula from left to right."""

    def __init__(self, formula: str) -> None:
        self.formula = formula
        self.tokens: list[tuple[str, str, int]] = []
        at = 1
        text = formula.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if not found:
                raise BadFormulaError(f"'{formula[:60]}' cannot be read at '{text[at : at + 10].strip()}'")
            kind = found.lastgroup or ""
            self.tokens.append((kind, found[kind], found.start(kind)))
            at = found.end()
        if len(self.tokens) > MAX_TOKENS:
            raise BadFormulaError(f"'{formula[:60]}' is too long; use a function such as SUM over a range")
        self.at = 0
        self.depth = 0

    def whole(self) -> Node:
        node = self.binary(0)
        if self.at < len(self.tokens):
            raise self.wrong()
        return node

    def wrong(self) -> BadFormulaError:
        rest = self.formula[self.tokens[self.at][2] :][:10] if self.at < len(self.tokens) else ""
        return BadFormulaError(
            f"'{self.formula[:60]}' cannot be read {f'at {rest!r}' if rest else 'to its end: something is missing'}"
        )

    def operator(self, wanted: set[str]) -> str | None:
        """Take the next token where it is one of these operators."""
        if self.at < len(self.tokens):
            kind, text, _ = self.tokens[self.at]
            if kind == "operator" and text in wanted:
                self.at += 1
                return text
        return None

    def binary(self, level: int) -> Node:
        if level == len(_BINARY):
            return self.signed()
        left = self.binary(level + 1)
        while (name := self.operator(_BINARY[level])) is not None:
            left = Applied(name, (left, self.binary(level + 1)))
        return left

    def signed(self) -> Node:
        minus = False
        while (sign := self.operator({"-", "+"})) is not None:
            minus ^= sign == "-"
        node = self.single()
        while self.operator({"%"}):
            node = Applied("%", (node,))
        return Applied("sign-", (node,)) if minus else node

    def single(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise BadFormulaError(f"more than {MAX_DEPTH} brackets inside one another")
        try:
            if self.operator({"("}):
                node = self.binary(0)
                if not self.operator({")"}):
                    raise self.wrong()
                return node
            if self.at == len(self.tokens) or self.tokens[self.at][0] == "operator":
                raise self.wrong()
            kind, text, _ = self.tokens[self.at]
            self.at += 1
            return self.named(text) if kind == "name" else _leaf(kind, text)
        finally:
            self.depth -= 1

    def named(self, name: str) -> Node:
        """`TRUE`, `FALSE`, or a function with what stands in its brackets."""
        if name.upper() in ("TRUE", "FALSE") and not self.opens():
            return Constant(name.upper() == "TRUE")
        if not self.operator({"("}):
            raise BadFormulaError(f"'{name[:40]}' in '{self.formula[:60]}' is neither a cell nor a function")
        parts: list[Node] = []
        if self.operator({")"}):
            return Applied(name.upper(), ())
        while True:
            parts.append(self.binary(0))
            if self.operator({")"}):
                return Applied(name.upper(), tuple(parts))
            if not self.operator({",", ";"}):
                raise self.wrong()

    def opens(self) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at][1] == "("


def _leaf(kind: str, text: str) -> Node:
    if kind == "number":
        number = float(text)
        if abs(number) > 1e300:
            raise BadFormulaError(f"{text[:30]} is too large a number")
        return Constant(number)
    if kind == "text":
        return Constant(text[1:-1].replace('""', '"'))
    sheet, mark, region = text.rpartition("!")
    if mark and sheet.startswith("'"):
        sheet = sheet[1:-1].replace("''", "'")
    try:
        return Cells(sheet if mark else None, read_region(region))
    except ValueError as error:
        raise BadFormulaError(str(error)) from None
