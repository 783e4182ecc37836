"""`harness check` and `harness schema` as a user runs them: output, exit codes, and what they do not import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import harness
from harness.cli.schema import input_schemas
from harness.environments import CATALOG
from harness.intervene.surfaces import read_variants
from harness.models.scripted_file import load_script
from harness.spec import check, json_schemas, library

ROOT = Path(harness.__file__).resolve().parents[1]
HEAVY = ("litellm", "langgraph", "pandas", "jsonschema", "rich", "numpy", "scipy", "httpx", "aiohttp", "torch")
SCENARIO = """\
kind: scenario
name: tidy
summary: Tidy up.
environment: {kind: workspace}
roles: {agent: {brief: Tidy up.}}
tasks:
  - id: one
    brief: Do it.
    checks: [{kind: answer, equals: done}]
"""


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    script = (
        "import sys\nfrom harness.cli import main\ntry:\n    main(sys.argv[1:])\nfinally:\n"
        "    print('MODULES', *sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def modules(done: subprocess.CompletedProcess[str]) -> set[str]:
    return set(done.stderr.rpartition("MODULES ")[2].split())


def errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    return done.stderr.rpartition("MODULES ")[0].splitlines()


def test_a_sound_folder_gives_one_line_and_exit_code_0(desk, react: str, tmp_path: Path) -> None:
    desk.write("it.yaml", SCENARIO)
    desk.write("scaffolds/react.yaml", react)
    done = run("check", ".", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "2 files checked: nothing wrong\n")
    assert not modules(done) & set(HEAVY)


def test_problems_go_to_stderr_with_exit_code_2(desk, tmp_path: Path) -> None:
    desk.write("it.yaml", SCENARIO.replace("brief: Do it.", "brief: Do {{ it }}."))
    desk.write("sub/broken.yaml", "kind: scaffold\nname: [\n")
    done = run("check", ".", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert errors(done)[0] == "it.yaml:8:12: unknown name 'it'; there are input, role, task"
    assert errors(done)[1].startswith("sub/broken.yaml:3:1: not valid YAML")
    assert errors(done)[-1] == "2 files checked: 2 problems"
    assert "Traceback" not in done.stderr


def test_json_has_its_documented_shape(desk, tmp_path: Path) -> None:
    desk.write("it.yaml", SCENARIO)
    desk.write("bad.yaml", SCENARIO.replace("name: tidy", "name: a b"))
    done = run("check", "--json", ".", cwd=tmp_path)
    report = json.loads(done.stdout)
    assert done.returncode == 2
    assert report.keys() == {"ok", "checked", "files", "problems"}
    assert (report["ok"], report["checked"]) == (False, 2)
    assert report["files"][0].keys() == {"path", "kind", "name", "digest"}
    assert report["problems"][0] | {"message": ""} == {"path": "bad.yaml", "line": 2, "column": 7, "message": ""}


def test_yaml_that_is_not_ours_is_left_alone(desk, tmp_path: Path) -> None:
    desk.write("it.yaml", SCENARIO.replace("{kind: workspace}", "{kind: workspace, files: data}"))
    desk.write("data/compose.yaml", "services: {}\n")
    desk.write("data/deploy.yml", "kind: Deployment\n")
    desk.write("data/trap.yaml", "kind: scenario\nthis: is data of a scenario\n")
    desk.write(".hidden/x.yaml", "kind: scenario\n")
    done = run("check", ".", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "1 file checked: nothing wrong\n"), done.stderr


def test_a_path_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = run("check", "gone.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert errors(done) == ["gone.yaml: there is no such file or folder"]


def test_a_kind_misspelt_in_a_folder_is_not_passed_over(desk, tmp_path: Path) -> None:
    desk.write("it.yaml", "kind: scenaro\nname: x\n")
    done = run("check", ".", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean scenario?" in errors(done)[0]


def test_help_imports_neither_pydantic_nor_anything_heavy(tmp_path: Path) -> None:
    done = run("--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "check" in done.stdout
    assert not modules(done) & {*HEAVY, "pydantic", "jinja2", "yaml"}


def test_schema_writes_one_file_for_each_kind(tmp_path: Path) -> None:
    done = run("schema", "--out", "schemas", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "schemas").iterdir()) == [
        "models.schema.json", "scaffold.schema.json", "scenario.schema.json", "script.schema.json",
        "sweep.schema.json", "variants.schema.json",
    ]  # fmt: skip
    assert json.loads((tmp_path / "schemas/scenario.schema.json").read_text()) == json_schemas(CATALOG)["scenario"]


@pytest.mark.parametrize("kind", ["scenario", "scaffold", "sweep", "models", "script", "variants"])
def test_shipped_schemas_are_those_of_the_code(kind: str) -> None:
    shipped = json.loads((library() / "schemas" / f"{kind}.schema.json").read_text(encoding="utf-8"))
    assert shipped == input_schemas()[kind], "run: harness schema --out scenarios/schemas"


SHIPPED = sorted(path for path in library().rglob("*.yaml") if path.read_text().find("\nkind: ") >= 0)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_files_name_their_schema_and_fit_it(path: Path) -> None:
    first, text = path.read_text(encoding="utf-8").split("\n", 1)
    data = yaml.safe_load(text)
    if data["kind"] not in ("scenario", "scaffold", "sweep", "models"):
        return  # scripts need not name theirs
    schema = path.parent / first.removeprefix("# yaml-language-server: $schema=")
    assert schema.resolve() == library().resolve() / "schemas" / f"{data['kind']}.schema.json"
    jsonschema.Draft7Validator(json.loads(schema.read_text())).validate(data)


@pytest.fixture(scope="module")
def scenario_schema() -> jsonschema.Draft7Validator:
    schema = json_schemas(CATALOG)["scenario"]
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{kind: workspace}", "{kind: workspace, filse: x}"),
        ("{kind: workspace}", "{kind: work}"),
        ("brief: Do it.", "brief: Do it.\n    setup: {nothing: 1}"),
        ("kind: answer", "kind: anser"),
        ("summary: Tidy up.\n", ""),
    ],
)
def test_the_schema_knows_the_options_of_each_environment(scenario_schema: Any, old: str, new: str) -> None:
    assert scenario_schema.is_valid(yaml.safe_load(SCENARIO))
    assert old in SCENARIO
    assert not scenario_schema.is_valid(yaml.safe_load(SCENARIO.replace(old, new, 1)))


def test_the_schema_explains_fields_and_lets_other_environments_be(scenario_schema: Any) -> None:
    schema = scenario_schema.schema
    assert "never at style" not in json.dumps(schema)
    assert schema["$defs"]["Task"]["properties"]["brief"]["description"].startswith("First user message")
    assert scenario_schema.is_valid(yaml.safe_load(SCENARIO.replace("{kind: workspace}", "{kind: 'my.mod:Env', x: 1}")))


@pytest.mark.parametrize("command", ["check", "plan", "run", "show", "validate", "regrade", "results"])
def test_a_name_longer_than_the_system_takes_is_one_line(command: str, tmp_path: Path) -> None:
    done = run(command, "x" * 5000, cwd=tmp_path)
    assert (done.returncode, len(errors(done))) == (2, 1)


def test_a_scenario_file_with_a_name_too_long_or_no_module_is_told_where(desk, tmp_path: Path) -> None:
    desk.write("long.yaml", SCENARIO.replace("{kind: workspace}", "{kind: sql, database: " + "x" * 5000 + "}"))
    desk.write("upward.yaml", SCENARIO.replace("{kind: workspace}", '{kind: "../x.py:Desk"}'))
    done = run("check", "long.yaml", "upward.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert [line.split(" ")[0] for line in errors(done)[:2]] == ["long.yaml:4:36:", "upward.yaml:4:21:"]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert run("check", "pipe.yaml", cwd=tmp_path).returncode == 2
    assert run("check", ".", cwd=tmp_path).returncode in (0, 2)


def test_scripts_and_variants_are_checked_too(tmp_path: Path) -> None:
    (tmp_path / "sound.yaml").write_text("kind: script\nrules:\n  - {say: Done.}\n")
    (tmp_path / "others.yaml").write_text("kind: variants\ntools: {query: ask}\n")
    report = check([tmp_path], CATALOG, {"script": load_script, "variants": read_variants})
    assert [(file.kind, file.name) for file in report.files] == [("variants", "others"), ("script", "sound")]
    (tmp_path / "sound.yaml").write_text("kind: script\nrules:\n  - {say: '{{ lsat }}'}\n")
    (tmp_path / "others.yaml").write_text("kind: variants\ntools: {query: submit}\n")
    done = run("check", ".", cwd=tmp_path)
    assert done.returncode == 2
    assert [line.split(":", 2)[:2] for line in errors(done)[:2]] == [["others.yaml", "2"], ["sound.yaml", "3"]]
    (tmp_path / "sound.yaml").write_text("kind: skript\n")
    assert "did you mean script?" in errors(run("check", "sound.yaml", cwd=tmp_path))[0]
