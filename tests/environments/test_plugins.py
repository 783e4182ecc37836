"""Other packages bring kinds along; a broken one is a line and takes nothing from the others."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.environments import BUILT_IN, CATALOG, load_kind
from harness.environments.plugins import plugins

WORKING = """
from harness.environments.plugins import hookimpl

@hookimpl
def harness_environments():
    return {"numbers": "environments.number_game:NumberGame"}
"""


class Site:
    """A folder with packages installed in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, name: str, source: str) -> None:
        (self.folder / f"{name}_plugin.py").write_text(source)
        info = self.folder / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[harness]\n{name} = {name}_plugin\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in list(sys.modules):
        if name.endswith("_plugin"):
            monkeypatch.delitem(sys.modules, name)
    return Site(tmp_path)


def refusal(kind: str) -> str:
    with pytest.raises(LookupError) as error:
        load_kind(kind)
    text = str(error.value)
    assert "\n" not in text
    return text


def test_a_plug_in_brings_a_kind_that_is_found_by_its_name(site: Site) -> None:
    site.install("games", WORKING)
    assert load_kind("numbers") is load_kind("environments.number_game:NumberGame")
    assert "numbers" in CATALOG.kinds()
    assert "numbers" in refusal("numbres")


def test_a_broken_plug_in_is_one_line_that_names_it_and_breaks_no_other(site: Site) -> None:
    site.install("games", WORKING)
    site.install("absent", "import no_such_package")
    site.install("leaves", "raise SystemExit('bye')")
    site.install("raises", WORKING.replace("return", "raise ValueError('two\\nlines'); return"))
    site.install("wants", WORKING.replace("harness_environments()", "harness_environments(more)"))
    site.install("nonsense", WORKING.replace("return {", "return 7 or {"))
    assert load_kind("numbers").kind == "environments.number_game:NumberGame"
    assert load_kind("sql").kind == "sql"
    said = refusal("nothing")
    assert "plug-in 'absent' of absent 1.0 is broken: No module named 'no_such_package'" in said
    assert "plug-in 'leaves' of leaves 1.0 is broken: SystemExit: bye" in said
    assert "plug-in 'raises' of raises 1.0 is broken: ValueError: two lines" in said
    assert "plug-in 'wants' of wants 1.0 is broken: PluginValidationError" in said
    assert "plug-in 'nonsense' of nonsense 1.0 is broken: TypeError" in said


def test_a_plug_in_takes_no_built_in_name_and_none_that_another_has(site: Site) -> None:
    site.install("games", WORKING)
    site.install("greedy", WORKING.replace('"numbers": ', '"sql": "json:JSONDecoder", "numbers": "json:loads", "x": '))
    said = refusal("nothing")
    assert "plug-in 'greedy' of greedy 1.0: 'sql' is a built-in kind; it needs another name" in said
    assert "plug-in 'greedy' of greedy 1.0: 'numbers' is already environments.number_game:NumberGame" in said
    assert load_kind("sql").kind == "sql"
    assert load_kind("numbers") is load_kind("x")


def test_a_kind_that_cannot_be_imported_is_not_listed(site: Site) -> None:
    site.install("games", WORKING.replace("number_game:", "no_such_game:"))
    assert "numbers" not in CATALOG.kinds()
    assert "environment kind 'numbers' cannot be imported" in refusal("numbers")


def test_built_in_kinds_are_found_without_looking_at_plug_ins(site: Site) -> None:
    site.install("games", "import sys; print('imported')" + WORKING)
    code = (
        "import sys; from harness.environments import load_kind; load_kind('sql'); "
        "print('harness.environments.plugins' in sys.modules, 'pluggy' in sys.modules)"
    )
    path = {"PYTHONPATH": f"{site.folder}:{Path(__file__).parents[2]}"}
    assert subprocess.check_output([sys.executable, "-c", code], text=True, env=path) == "False False\n"


def test_plug_ins_are_looked_for_once(site: Site) -> None:
    site.install("games", WORKING)
    assert plugins(frozenset(BUILT_IN)) is plugins(frozenset(BUILT_IN))
