"""Which languages the sandbox has: each is run there once in a run, with the limits the trials will have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from harness.environments.protocol import EnvironmentFault, Opening
from harness.environments.sandbox import BrokenSandboxError, NoSandboxError
from harness.environments.workspace.options import (
    Language,
    NoWorkspaceError,
    WorkspaceOptions,
    open_workspace_session,
)

_SECONDS = 20.0


@dataclass(frozen=True)
class _Runtime:
    program: str
    probe: str
    """Does a little work, and prints the version."""
    package: str
    """Debian's."""


_RUNTIMES: Mapping[Language, _Runtime] = MappingProxyType(
    {
        "python": _Runtime("python3", "python3 -c 'import platform; print(platform.python_version())'", "python3"),
        "node": _Runtime("node", "node -p process.versions.node", "nodejs"),
        "gcc": _Runtime("gcc", "echo 'int main(){return 0;}' >a.c; gcc -o a a.c && ./a && gcc -dumpfullversion", "gcc"),
        "g++": _Runtime("g++", "echo 'int main(){}' > a.cc && g++ -o a a.cc && ./a && g++ -dumpfullversion", "g++"),
        "make": _Runtime("make", "make --version | head -n 1", "make"),
        "perl": _Runtime("perl", "perl -e 'printf qq(%vd), $^V'", "perl"),
        "awk": _Runtime("awk", "awk 'BEGIN { exit 2 + 2 != 4 }' && awk -W version 2>&1 | head -n 1", "mawk"),
        "git": _Runtime("git", "git --version", "git"),
        "ruby": _Runtime("ruby", "ruby -e 'print RUBY_VERSION'", "ruby"),
        "lua": _Runtime("lua", "lua -e 'print(_VERSION)'", "lua5.4"),
        "php": _Runtime("php", "php -r 'echo PHP_VERSION;'", "php-cli"),
        "sqlite": _Runtime("sqlite3", "sqlite3 :memory: 'SELECT sqlite_version()'", "sqlite3"),
    }
)  # fmt: skip


@dataclass(frozen=True)
class Languages:
    """Language -> version; a service of the run, which holds nothing but memory."""

    versions: Mapping[Language, str]

    async def close(self) -> None:
        """Nothing is open."""


async def languages(opening: Opening) -> Languages:
    """The versions of all languages a scenario needs, looked for once in a run.

    Raises `NoWorkspaceError` that says what is missing and how to install it.
    """
    options = opening.options
    if not isinstance(options, WorkspaceOptions) or not options.languages:
        return Languages({})
    key = ("workspace languages", tuple(options.languages), options.limits)
    return await opening.services.get(key, lambda: _look(options, opening))


async def _look(options: WorkspaceOptions, opening: Opening) -> Languages:
    session = await open_workspace_session(options, opening.scratch, opening.unsafe)
    versions: dict[Language, str] = {}
    missing: list[Language] = []
    try:
        for language in options.languages:
            runtime = _RUNTIMES[language]
            there = await session.run(f"command -v {runtime.program} >/dev/null", _SECONDS)
            if there.exit != 0:
                missing.append(language)
                continue
            ran = await session.run(runtime.probe, _SECONDS)
            if ran.exit != 0:
                raise NoWorkspaceError(_fails(language, ran.output.text, options.limits.memory_mb))
            number = re.search(r"\d+(\.\d+)+", ran.output.text)
            versions[language] = number[0] if number else ran.output.text.strip()[:80]
    except (BrokenSandboxError, NoSandboxError) as error:
        raise EnvironmentFault(f"the languages could not be looked for: {error}") from error
    finally:
        await session.close()
    if missing:
        packages = " ".join(_RUNTIMES[language].package for language in missing)
        raise NoWorkspaceError(
            f"this scenario needs {', '.join(missing)} on the machine, under /usr; "
            f"install with: apt-get install {packages}"
        )  # fmt: skip
    return Languages(versions)


def _fails(language: Language, said: str, memory_mb: int) -> str:
    last = " ".join(said.split())[-200:]
    cure = f"; node needs `limits: {{memory_mb: 512}}` or more, and has {memory_mb}" if language == "node" else ""
    return f"{language} is installed, but does not run in the sandbox: {last}{cure}"
