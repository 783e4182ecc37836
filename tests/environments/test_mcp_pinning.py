"""`harness tools`: a server's tools written down for a scenario, and held to it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from environments.mcp_worlds import SERVERS

from harness.cli.main import main
from harness.environments import CATALOG
from harness.environments.mcp import Mcp, McpOptions
from harness.environments.mcp.schemas import closed, offered_names
from harness.errors import UserError
from harness.spec import load_scenario


def harness(*arguments: str) -> int:
    with pytest.raises(SystemExit) as leaving:
        main(list(arguments))
    return int(leaving.value.code or 0)


@pytest.fixture
def scenario(tmp_path: Path, sandbox_level: str) -> Path:
    """A scenario whose tools are still to be written down."""
    (tmp_path / "server").mkdir()
    shutil.copy(SERVERS / "old.py", tmp_path / "server")
    path = tmp_path / "desk.yaml"
    path.write_text(
        "kind: scenario\nname: desk\nsummary: A desk.\n"
        "environment:\n  kind: mcp\n  server: {command: [python, /server/old.py], folder: server}\n"
        "  tools_file: desk/tools.yaml\n  tools: [read, add]\n"
        "roles: {clerk: {brief: You are the clerk.}}\n"
        "tasks:\n- id: note\n  brief: Write a note.\n  solution: [{tool: add, arguments: {text: oak}}]\n"
        "  checks: [{kind: file, path: notes.txt, contains: oak}]\n"
    )
    return path


def test_tools_are_written_once_and_then_held_to(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert harness("check", str(scenario)) != 0
    assert "desk/tools.yaml" in "".join(capsys.readouterr())
    assert harness("tools", str(scenario), "--write") == 0
    file = scenario.parent / "desk" / "tools.yaml"
    assert list(yaml.safe_load(file.read_text())["tools"]) == ["read", "add"]
    assert harness("check", str(scenario)) == 0
    loaded = load_scenario(scenario, CATALOG)
    assert [(tool.name, tool.changes_state) for tool in Mcp.tools(loaded.options, "clerk")] == [
        ("read", False),
        ("add", True),
    ]
    capsys.readouterr()
    assert harness("tools", str(scenario)) == 0
    assert "  read              as pinned    reads    The tool read." in capsys.readouterr().out.splitlines()


def test_a_change_is_told_and_what_somebody_decided_is_kept_when_it_is_taken(
    scenario: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    harness("tools", str(scenario), "--write")
    file = scenario.parent / "desk" / "tools.yaml"
    edited = yaml.safe_load(file.read_text())
    edited["tools"]["add"] |= {"description": "Adds.", "changes_state": False}
    file.write_text(yaml.safe_dump(edited))
    capsys.readouterr()
    assert harness("tools", str(scenario)) == 1
    assert "changed" in capsys.readouterr().out
    assert harness("tools", str(scenario), "--write", "--json") == 0
    assert json.loads(capsys.readouterr().out)["server"] == "notebook 1, protocol 2024-11-05"
    taken = yaml.safe_load(file.read_text())["tools"]["add"]
    assert (taken["description"], taken["changes_state"]) == ("The tool add.", False)


def test_a_scenario_without_a_place_for_them_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text("kind: scenario\nname: shop\nenvironment: {kind: sql}\n")
    assert harness("tools", str(path), "--write") == 2
    assert "has no `tools_file`" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "tools: {}", "tools: [a]", "tools: {a: {parameters: {}}}", "\x00", "a: ["])
def test_a_file_that_pins_nothing_is_one_line(text: str, tmp_path: Path) -> None:
    file = tmp_path / "tools.yaml"
    file.write_text(text)
    options = McpOptions.model_validate({"server": {"command": ["x"]}, "tools_file": str(file)})
    with pytest.raises(UserError, match=r"tools\.yaml.*harness tools SCENARIO --write"):
        Mcp.tools(options, "clerk")


def test_names_are_made_so_that_providers_take_them_and_stay_apart() -> None:
    names = ["plain", "a.b", "a_b", "a b", "submit", "x" * 70, "x" * 70 + "y", "ß"]
    made = offered_names(names)
    assert made["plain"] == "plain"
    assert made["a_b"] == "a_b"
    assert len(set(made.values())) == len(names)
    assert all(len(name) <= 64 and name.isascii() and "." not in name for name in made.values())
    assert made["submit"] != "submit"
    assert offered_names(names) == made


SCHEMAS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"type": "object", "properties": {}, "additionalProperties": False}),
    (
        {"$schema": "http://json-schema.org/draft-07/schema#", "title": "T", "type": "object",
         "properties": {"title": {"title": "Title", "type": "string", "pattern": "(?<broken"}},
         "required": ["title", "x"]},
        {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"],
         "additionalProperties": False},
    ),
    (
        {"properties": {"p": {"$ref": "#/$defs/P"}, "q": {"$ref": "http://elsewhere/q"}},
         "$defs": {"P": {"properties": {"n": {"type": "integer", "exclusiveMinimum": True}}}}},
        {"type": "object", "properties": {"p": {"$ref": "#/$defs/P"}, "q": {}},
         "$defs": {"P": {"properties": {"n": {"type": "integer"}}, "additionalProperties": False}},
         "additionalProperties": False},
    ),
    (
        {"properties": {"l": {"type": "array", "items": [{"type": "string"}]}, "m": {"type": "object"},
                        "a": {"allOf": [{"properties": {"x": {}}}]}}},
        {"type": "object", "properties": {"l": {"type": "array", "prefixItems": [{"type": "string"}]},
                                          "m": {"type": "object"}, "a": {"allOf": [{"properties": {"x": {}}}]}},
         "additionalProperties": False},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "wanted"), SCHEMAS)
def test_schemas_are_closed_and_lose_what_cannot_be_held_to(schema: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert closed("a", schema) == wanted


def test_a_schema_that_is_none_is_one_line_that_names_the_tool() -> None:
    with pytest.raises(UserError, match="tool 'a' has parameters that are no JSON schema"):
        closed("a", {"properties": {"x": {"type": "nothing"}}})
