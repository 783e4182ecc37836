"""The sandbox refuses what it must, as root and as an ordinary user.

The attacks are in attacks.py and run as a program of their own. From root's tests the ordinary user is one
who owns nothing and can read nothing but a copy of the sandbox's source, under the system's Python.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import harness.environments.sandbox as sandbox

HERE = Path(__file__).parent
PROGRAM = HERE / "attacks.py"
ATTACKS = re.findall(r"^@attack\nasync def (\w+)", PROGRAM.read_text(), re.MULTILINE)
SYSTEM_PYTHON = Path("/usr/bin/python3")
STRANGER = 60_600
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin", "OPENAI_API_KEY": "sk-attack-5f2c1d"}


def run(command: list[str], folder: Path, attacks: list[str], **environment: str) -> dict[str, str | None]:
    """Run the attacks named; every one of them has a word in the answer."""
    line = [*command, "-W", "error", str(folder / "attacks.py"), str(folder), *attacks]
    done = subprocess.run(
        line, capture_output=True, text=True, timeout=300, env={**ENVIRONMENT, **environment}, cwd="/"
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def copied(folder: Path) -> Path:
    """The sandbox's source and the attacks, in a folder by themselves that everybody may read."""
    package = Path(sandbox.__file__).parent
    shutil.copytree(package, folder / "sandbox", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROGRAM, folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    return folder


def start_as_root() -> list[str]:
    if os.geteuid() != 0:
        pytest.skip("the tests do not run as root")
    return [sys.executable]


def start_as_user() -> list[str]:
    if os.geteuid() != 0:
        return [sys.executable]
    version = subprocess.run(
        [SYSTEM_PYTHON, "-c", "import sys; print(sys.version_info >= (3, 11))"], capture_output=True, text=True
    )
    if version.stdout.strip() != "True":
        pytest.skip("no Python 3.11 at /usr/bin/python3 that another user could run")
    drop = ["setpriv", "--reuid", str(STRANGER), "--regid", str(STRANGER), "--clear-groups"]
    return [*drop, str(SYSTEM_PYTHON)]


@pytest.fixture(scope="module", params=["root", "user"])
def outcome(request: pytest.FixtureRequest, sandbox_level: str) -> dict[str, str | None]:
    command = start_as_root() if request.param == "root" else start_as_user()
    # not pytest's own temporary folder: that one is closed to other users
    folder = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    try:
        return run(command, copied(folder), ATTACKS)
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("attack", ATTACKS)
def test_sandbox_refuses(outcome: dict[str, str | None], attack: str) -> None:
    assert attack in outcome
    assert outcome[attack] is None, outcome[attack]


def test_all_attacks_the_issue_names_are_there() -> None:
    assert {
        "read_shadow",
        "read_another_trial",
        "read_environment",
        "connect_to_loopback",
        "fork_bomb",
        "fill_disk",
        "outlive_the_trial",
        "leave_by_link",
    } <= set(ATTACKS)


def test_the_attacks_themselves_work_without_a_sandbox(tmp_path: Path) -> None:
    """A wall that is not there is noticed: the harmless ones get through to an unconfined shell."""
    folder = copied(tmp_path)
    program = (folder / "attacks.py").read_text()
    program = program.replace("return await open_session(", "return await unconfined(")
    unconfined = (
        "async def unconfined(limits, *, characters, scratch):\n"
        "    from unittest import mock\n"
        "    from sandbox import NoSandboxError, open_session, session\n"
        "    with mock.patch.object(session, 'start_sandbox', side_effect=NoSandboxError('removed for this test')):\n"
        "        scratch = Path(tempfile.mkdtemp(dir=os.environ['SCRATCH']))\n"
        "        return await open_session(limits, characters=characters, scratch=scratch, unsafe=True)\n"
        "\n\n"
    )
    (folder / "attacks.py").write_text(program.replace("def limits(", unconfined + "def limits(", 1))
    harmless = ["read_environment", "connect_to_loopback", "read_shadow"]
    got_through = run([sys.executable], folder, harmless, SCRATCH=str(tmp_path))
    assert all(got_through[name] for name in harmless), got_through
