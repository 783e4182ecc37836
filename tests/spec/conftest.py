"""A catalogue with one small environment kind, and files written for one test."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from harness.environments.protocol import Tool
from harness.spec import DataFolder, DataPath, Spec, check


class Pen(Spec):
    """Nested, so that nested data paths are looked for."""

    cover: DataPath | None = None


class ShopOptions(Spec):
    """Options of the kind `shop`."""

    rows: int = 3
    stock: DataPath | None = None
    shelves: list[DataFolder] = []
    pens: dict[str, Pen] = {}


class ShopSetup(Spec):
    """Setup of the kind `shop`."""

    extra: int = 0
    folder: DataFolder | None = None


class Shop:
    """A shop with three tools; a clerk may do less than others."""

    Options = ShopOptions
    Setup = ShopSetup

    @classmethod
    def tools(cls, options: ShopOptions, role: str) -> list[Tool]:
        sql = {"sql": {"type": "string", "minLength": 1, "maxLength": 50}, "limit": {"type": "integer", "minimum": 1}}
        form = {"type": "object", "properties": sql, "required": ["sql"], "additionalProperties": False}
        tools = [Tool("query", "Read.", form, False), Tool("execute", "Write.", form, True)]
        return tools[:1] if role == "clerk" else tools


class ShopCatalog:
    """Knows the kind `shop` only."""

    def kinds(self) -> list[str]:
        return ["shop"]

    def load(self, kind: str) -> type[Shop]:
        if kind != "shop" and not kind.endswith(":Shop"):
            raise LookupError(f"unknown environment kind '{kind}'; there are shop")
        return Shop

    def source_of(self, kind: str) -> str | None:
        return kind if ":" in kind else None


SCENARIO = """\
kind: scenario
name: shop
summary: A shop.
environment: {kind: shop}
roles:
  agent: {brief: You keep the shop.}
tasks:
  - id: count
    brief: Count the {{ input.thing }}.
    input: {thing: pens, worth: 3}
    solution:
      - {tool: query, arguments: {sql: select 1}}
      - {tool: submit, arguments: {answer: "3"}}
    checks:
      - {kind: answer, number: 3}
"""

REACT = """\
kind: scaffold
name: react
summary: Think and act.
protocol: {kind: json}
start: think
nodes:
  think: {kind: generate, next: act}
  act: {kind: act, next: think}
"""


class Desk:
    """A folder to write files in and to look at what `check` says of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.catalog = ShopCatalog()

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def problems(self, text: str | bytes, name: str = "it.yaml") -> list[str]:
        """`line:column: message` of everything wrong with one file."""
        path = self.write(name, text)
        return [f"{p.line}:{p.column}: {p.message}" for p in check([path], self.catalog).problems]

    def only(self, text: str | bytes, name: str = "it.yaml") -> str:
        """The one problem of a file."""
        problems = self.problems(text, name)
        assert len(problems) == 1, problems
        return problems[0]

    def told(self, text: str) -> list[tuple[str, str]]:
        """(text that begins at the place, message) of everything wrong with one file."""
        lines = text.split("\n")
        found = []
        for said in self.problems(text):
            line, column, message = said.split(":", 2)
            found.append((lines[int(line) - 1][int(column) - 1 :], message.strip()))
        return found


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path)


@pytest.fixture
def scenario() -> str:
    return SCENARIO


@pytest.fixture
def react() -> str:
    return REACT
