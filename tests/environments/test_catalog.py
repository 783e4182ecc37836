"""Kinds are found by name, and a wrong name is one line."""

import subprocess
import sys

import pytest

from harness.environments import CATALOG, load_kind


def test_built_in_kinds_are_listed_and_workspace_is_one() -> None:
    assert {"workspace", "sql", "office"} <= set(CATALOG.kinds())
    kind = load_kind("workspace")
    assert kind.kind == "workspace"
    assert CATALOG.load("workspace") is kind


def test_a_kind_of_ones_own_is_named_by_path() -> None:
    assert load_kind("harness.environments.workspace:Workspace") is load_kind("workspace")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("workspce", "unknown environment kind 'workspce'; there are workspace"),
        ("no.such.module:Thing", "cannot be imported"),
        ("json:Nothing", "module json has no Nothing"),
        ("json:loads", "is not an environment"),
        ("json:JSONDecoder", "lacks Options, Setup"),
        (":", "unknown"),
    ],
)
def test_what_is_no_kind_is_said_in_one_line(name: str, reason: str) -> None:
    with pytest.raises(LookupError, match=reason) as error:
        load_kind(name)
    assert "\n" not in str(error.value)


def test_nothing_heavy_is_imported_for_the_names() -> None:
    code = (
        "import sys, harness.environments; "
        "heavy = {'litellm', 'langgraph', 'pandas', 'jsonschema', 'harness.environments.workspace'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"
