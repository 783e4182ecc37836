"""Packages set in folders of their own: whole or not at all, by one process at a time, and never by a run."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.environments import EnvironmentFault
from harness.environments.packages import (
    NotInstalledError,
    Packages,
    all_installed,
    install,
    installed,
    place,
    program,
    python,
)
from harness.errors import UserError

BELL = Packages(pip=("bell-of-the-test==1.0",))


def wheel(folder: Path) -> None:
    """A package with one program, as a wheel."""
    with zipfile.ZipFile(folder / "bell_of_the_test-1.0-py3-none-any.whl", "w") as archive:
        info = "bell_of_the_test-1.0.dist-info"
        archive.writestr("bell_of_the_test.py", "def ring():\n    print('ding')\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: bell-of-the-test\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/entry_points.txt", "[console_scripts]\nring = bell_of_the_test:ring\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where packages are put, and a folder of wheels in place of the network."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel(wheels)
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HARNESS_PACKAGES_DIR", str(tmp_path / "packages"))
    return tmp_path


def run_harness(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    return int(left.value.code or 0)


@pytest.mark.parametrize(
    "pins", [{"pip": ("bell",)}, {"pip": ("bell>=1",)}, {"npm": ("bell",)}, {"npm": ("bell@latest",)}, {}]
)
def test_only_exact_versions_can_be_asked_for(pins: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(UserError, match=r"pinned to one version|no packages"):
        Packages(**pins)


def test_what_is_missing_is_one_line_with_the_command(shelf: Path) -> None:
    with pytest.raises(NotInstalledError, match=r"harness install bell-of-the-test==1\.0") as missing:
        program(BELL, "ring")
    assert isinstance(missing.value, UserError)
    assert isinstance(missing.value, EnvironmentFault)
    with pytest.raises(NotInstalledError):
        python(BELL)
    assert all_installed() == []


def test_a_set_is_installed_once_and_its_program_runs(shelf: Path) -> None:
    said: list[str] = []
    folder = install(BELL, said.append)
    assert folder == place(BELL)
    assert installed(BELL)
    assert any("installing bell-of-the-test==1.0 (pip)" in line for line in said)
    assert subprocess.run([program(BELL, "ring")], capture_output=True, text=True).stdout == "ding\n"
    there = subprocess.run(
        [python(BELL), "-c", "import bell_of_the_test as b; b.ring()"], capture_output=True, text=True
    )
    assert there.stdout == "ding\n"
    assert all_installed() == [(BELL, folder)]
    said.clear()
    assert install(BELL, said.append) == folder
    assert said == []
    with pytest.raises(UserError, match="no program 'gong'"):
        program(BELL, "gong")


def test_what_cannot_be_installed_leaves_nothing_and_says_why(shelf: Path) -> None:
    missing = Packages(pip=("no-such-package-of-the-test==1.0",))
    with pytest.raises(UserError, match=r"no-such-package-of-the-test==1\.0 could not be installed: .*No matching"):
        install(missing, lambda line: None)
    assert not installed(missing)
    assert not place(missing).exists()


def test_a_half_made_folder_is_never_taken_for_a_whole_one(shelf: Path) -> None:
    folder = install(BELL, lambda line: None)
    (folder / "packages.json").unlink()  # as after a kill: the list is written last
    (folder / "venv" / "bin" / "python").unlink()
    assert not installed(BELL)
    install(BELL, lambda line: None)
    assert subprocess.run([program(BELL, "ring")], capture_output=True, text=True).stdout == "ding\n"


def test_two_processes_wait_for_each_other(shelf: Path) -> None:
    code = (
        "from harness.environments.packages import Packages, install\n"
        "install(Packages(pip=('bell-of-the-test==1.0',)), print)\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("installing" in text for text in told) == 1


class Registry(BaseHTTPRequestHandler):
    """As much of an npm registry as one package needs."""

    def do_GET(self) -> None:
        if self.path.endswith(".tgz"):
            return self._answer(TARBALL, "application/octet-stream")
        if self.path.strip("/") != "gong-of-the-test":
            return self.send_error(404)
        host = f"http://127.0.0.1:{self.server.server_port}"
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(TARBALL).digest()).decode()
        dist = {"tarball": f"{host}/gong-of-the-test-1.0.0.tgz", "integrity": integrity}
        version = {"name": "gong-of-the-test", "version": "1.0.0", "bin": {"gong": "gong.js"}, "dist": dist}
        told = {"name": "gong-of-the-test", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
        return self._answer(json.dumps(told).encode(), "application/json")

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


def tarball() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        about = {"name": "gong-of-the-test", "version": "1.0.0", "bin": {"gong": "gong.js"}}
        about["scripts"] = {"postinstall": "touch /tmp/npm-ran-a-script-of-the-test"}
        program = b"#!/usr/bin/env node\nconsole.log('dong')\n"
        for name, content in (("package.json", json.dumps(about).encode()), ("gong.js", program)):
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


TARBALL = tarball()


@pytest.fixture
def registry() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not here: apt-get install npm")
def test_npm_packages_are_installed_without_running_their_scripts(
    shelf: Path, registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", registry)
    monkeypatch.setenv("npm_config_cache", str(shelf / "npm-cache"))
    gong = Packages(npm=("gong-of-the-test@1.0.0",))
    install(gong, lambda line: None)
    assert subprocess.run([program(gong, "gong")], capture_output=True, text=True).stdout == "dong\n"
    assert not Path("/tmp/npm-ran-a-script-of-the-test").exists()


def test_npm_that_is_not_here_is_told_with_its_mend(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(shelf))
    with pytest.raises(UserError, match="install it with: apt-get install npm"):
        install(Packages(npm=("gong-of-the-test@1.0.0",)), lambda line: None)


def test_the_command_installs_pins_and_lists_what_is_there(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_harness("install") == 0
    assert "nothing is installed yet" in capsys.readouterr().out
    assert run_harness("install", "bell-of-the-test==1.0") == 0
    assert "installed in" in capsys.readouterr().out
    assert run_harness("install", "--list", "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told == {"packages": ["bell-of-the-test==1.0"], "path": str(place(BELL))}
    assert run_harness("install", "refund-desk") == 0
    assert "these need no packages" in capsys.readouterr().out
    assert run_harness("install", "no-such-scenario") == 2
    assert "no-such-scenario" in capsys.readouterr().err


@pytest.mark.parametrize(
    "pin",
    [
        "a==1.*",
        "a==1.0,<2",
        "a==1.0;x",
        "a==1.0@https://e.example/x.whl",
        "a==../x.whl",
        "a==",
        "-r==1.0",
        "a==1.0\n-r x",
    ],
)
def test_a_pin_of_pip_is_one_version_and_smuggles_nothing(pin: str) -> None:
    with pytest.raises(UserError, match="not pinned to one version"):
        Packages(pip=(pin,))


@pytest.mark.parametrize(
    "pin", ["a@1", "a@1.x", "a@1a/evil", "-g@1.0.0", "a@1.0.0||2", "a@10.0.0/../x", "..@1.0.0", "@-a/b@1.0.0"]
)
def test_a_pin_of_npm_is_one_version_and_smuggles_nothing(pin: str) -> None:
    with pytest.raises(UserError, match="not pinned to one version"):
        Packages(npm=(pin,))


def test_versions_as_the_registries_write_them_are_pins() -> None:
    Packages(pip=("a==1!2.0.post1+local.1", "b[x,y]==1.0rc1"), npm=("@s/b@1.2.3-rc.1+build.5", "a@10.0.0"))


def test_a_program_is_named_and_no_path_that_leads_out_of_the_set(shelf: Path) -> None:
    install(BELL, lambda line: None)
    for name in ("../../../../../../../../../bin/sh", "/bin/sh", "..", ""):
        with pytest.raises(UserError, match="goes by its name"):
            program(BELL, name)
