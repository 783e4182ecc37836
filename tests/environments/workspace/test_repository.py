"""A repository as a trial sees it: one commit with a steady hash, git that works, and what changed in the end."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from harness.environments import Opening, Services
from harness.environments.workspace import NoWorkspaceError, Workspace, WorkspaceOptions, WorkspaceSetup
from harness.environments.workspace import languages as languages_module

pytestmark = pytest.mark.usefixtures("sandbox_level")

LIMITS = {"memory_mb": 512, "disk_mb": 16, "processes": 64, "output_chars": 2000, "file_chars": 2000}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "src/tool.py").write_text("def f():\n    return 1\n")
    (folder / "run.sh").write_text("#!/bin/sh\npython3 -c 'import src.tool; print(src.tool.f())'\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "image").write_bytes(b"\x00\xff\r\n")
    (folder / ".gitignore").write_text("*.log\n")
    return folder


def opening(tmp_path: Path, services: Services, setup: dict[str, Any], **options: Any) -> Opening:
    chosen = WorkspaceOptions.model_validate({"toolset": "full", "limits": LIMITS, **options})
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return Opening(chosen, WorkspaceSetup.model_validate(setup), ["smith"], 1, scratch, False, services)


def with_workspaces(
    tmp_path: Path, setup: dict[str, Any], *acts: Callable[[Workspace, Opening], Awaitable[Any]], **options: Any
) -> list[Any]:
    """What each act returns, each in a workspace of its own of one run."""

    async def whole() -> list[Any]:
        async with Services() as services:
            opened = opening(tmp_path, services, setup, **options)
            results = []
            for act in acts:
                workspace = await Workspace.open(opened)
                try:
                    results.append(await act(workspace, opened))
                finally:
                    await workspace.close()
            return results

    return asyncio.run(whole())


def shell(*commands: str) -> Callable[[Workspace, Opening], Awaitable[list[str]]]:
    async def act(workspace: Workspace, _: Opening) -> list[str]:
        return [(await workspace.call("smith", "run", {"command": command})).text for command in commands]

    return act


def test_it_begins_with_one_commit_of_a_steady_hash(tmp_path: Path, project: Path) -> None:
    setup = {"repository": {"folder": str(project), "message": 'It\'s the "first" $HOME'}, "files": {"a.log": "x\n"}}
    look = shell("git log --format='%H %an %aI %s'", "git status --short", "git ls-files", "./run.sh")
    first, second = with_workspaces(tmp_path, setup, look, look)
    other = with_workspaces(tmp_path, setup, look)[0]
    assert first == second == other
    assert first[0].endswith(' agent 2026-01-01T00:00:00+00:00 It\'s the "first" $HOME')
    assert first[1] == "[no output]"
    assert first[2].split() == [".gitignore", "a.log", "image", "run.sh", "src/tool.py"]
    assert first[3] == "1"


def test_commits_of_the_model_come_out_the_same_and_in_no_other_trial(tmp_path: Path, project: Path) -> None:
    work = shell(
        "echo x >> run.sh; git commit -qam 'more'; git checkout -qb side; git log --oneline --all", "git branch"
    )
    setup = {"repository": {"folder": str(project)}}
    first, second, clean = with_workspaces(tmp_path, setup, work, work, shell("git log --oneline --all"))
    assert first == second
    assert len(first[0].splitlines()) == 2
    assert first[1] == "main\n* side" or first[1].split() == ["main", "*", "side"]
    assert len(clean[0].splitlines()) == 1


def test_the_final_state_says_what_changed(tmp_path: Path, project: Path) -> None:
    async def act(workspace: Workspace, opened: Opening) -> Any:
        command = (
            "sed -i s/1/2/ src/tool.py; rm .gitignore; echo new > n; printf '\\1' > image; git add -A; git commit -qm x"
        )
        await workspace.call("smith", "run", {"command": command})
        reader = await Workspace.read_state(await workspace.final_state(), opened)
        data = await reader.as_data()
        tested = await reader.run(
            "python3 -I hidden/test.py && git status --short --untracked-files=no",
            {"hidden/test.py": b"import sys\nsys.path.append('.')\nimport src.tool\nassert src.tool.f() == 2\n"},
            20,
        )
        await reader.close()
        return data, tested

    data, tested = with_workspaces(tmp_path, {"repository": {"folder": str(project)}}, act)[0]
    changes = data["changes"]
    assert (changes["added"], changes["changed"], changes["deleted"]) == (
        ["n"],
        ["image", "src/tool.py"],
        [".gitignore"],
    )
    assert "-    return 1\n+    return 2\n" in changes["diff"]
    assert "image and image: no text" in changes["diff"]
    assert sorted(data["files"]) == ["image", "n", "run.sh", "src/tool.py"]
    assert (tested.data["exit"], tested.text) == (0, "")


def test_a_long_diff_is_cut_and_says_so(tmp_path: Path) -> None:
    async def act(workspace: Workspace, opened: Opening) -> Any:
        await workspace.call(
            "smith", "run", {"command": "for i in 1 2 3; do yes line $i | head -n 1999 | nl > f$i; done"}
        )
        reader = await Workspace.read_state(await workspace.final_state(), opened)
        return await reader.as_data()

    diff = with_workspaces(tmp_path, {}, act)[0]["changes"]["diff"]
    assert diff.endswith("[... the changes of 1 more left out ...]\n")
    assert len(diff) < 70_000


def test_a_snapshot_brings_the_repository_back(tmp_path: Path, project: Path) -> None:
    async def act(workspace: Workspace, _: Opening) -> list[str]:
        snapshot = await workspace.snapshot()
        assert snapshot is not None
        await workspace.call("smith", "run", {"command": "echo x >> run.sh; git commit -qam x; rm -r src"})
        await workspace.restore(snapshot)
        return await shell("git log --oneline | wc -l", "git status --short")(workspace, _)

    assert with_workspaces(tmp_path, {"repository": {"folder": str(project)}}, act)[0] == ["1", "[no output]"]


def test_folder_and_files_of_the_task_lie_over_the_repository(tmp_path: Path, project: Path) -> None:
    (tmp_path / "fault/src").mkdir(parents=True)
    (tmp_path / "fault/src/tool.py").write_text("def f():\n    return 7\n")
    setup = {"repository": {"folder": str(project)}, "folder": str(tmp_path / "fault"), "files": {"extra": "e\n"}}
    (said,) = with_workspaces(tmp_path, setup, shell("./run.sh", "git status --short", "cat extra"))
    assert said == ["7", "[no output]", "e"]


class TestLanguages:
    def installed(self) -> list[str]:
        programs = {"python": "python3", "sqlite": "sqlite3"}
        names = ("python", "node", "gcc", "g++", "make", "perl", "awk", "git", "sqlite")
        return [name for name in names if Path("/usr/bin", programs.get(name, name)).exists()]

    def test_what_is_installed_works_and_is_recorded_with_its_version(self, tmp_path: Path) -> None:
        async def act(workspace: Workspace, _: Opening) -> Any:
            return workspace.facts

        (facts,) = with_workspaces(tmp_path, {}, act, languages=self.installed())
        assert facts["files"] == "copy"
        assert set(facts["languages"]) == set(self.installed())
        assert all(version[0].isdigit() for version in facts["languages"].values())

    def test_programs_of_each_run_in_the_sandbox(self, tmp_path: Path) -> None:
        programs = {
            "python": "python3 -c 'import json, sqlite3, threading; print(6 * 7)'",
            "node": "node -e 'console.log(6 * 7)'",
            "gcc": "printf '#include <stdio.h>\\nint main(){printf(\"%%d\", 6 * 7);}' > a.c && gcc -o a a.c && ./a",
            "perl": "perl -MList::Util=sum -e 'print sum(40, 2)'",
            "awk": "awk 'BEGIN { print 6 * 7 }'",
        }
        installed = [name for name in programs if name in self.installed()]
        (said,) = with_workspaces(tmp_path, {}, shell(*(programs[name] for name in installed)))
        assert said == ["42"] * len(installed)

    def test_what_is_missing_is_told_with_how_to_install_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        runtimes = dict(languages_module._RUNTIMES)
        for name, package in (("node", "nodejs"), ("ruby", "ruby")):
            runtimes[name] = languages_module._Runtime(f"no-such-{name}", "false", package)  # type: ignore[index]
        monkeypatch.setattr(languages_module, "_RUNTIMES", runtimes)
        with pytest.raises(NoWorkspaceError) as refusal:
            with_workspaces(tmp_path, {}, shell("true"), languages=["python", "node", "ruby"])
        assert str(refusal.value) == (
            "this scenario needs node, ruby on the machine, under /usr; install with: apt-get install nodejs ruby"
        )

    def test_what_is_too_large_for_the_limits_is_told_with_the_limit(self, tmp_path: Path) -> None:
        if "node" not in self.installed():
            pytest.skip("node is not installed: apt-get install nodejs")
        with pytest.raises(NoWorkspaceError, match=r"node needs `limits: \{memory_mb: 512\}` or more, and has 128"):
            with_workspaces(tmp_path, {}, shell("true"), languages=["node"], limits={**LIMITS, "memory_mb": 128})
