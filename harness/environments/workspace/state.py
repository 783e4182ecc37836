"""A workspace's final files, opened for checks.

Reading looks into the archive alone. A command gets a fresh sandbox with the files put back, so that hidden
tests run on a copy, after the trial, where nothing of the trial still runs.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping

from pydantic import JsonValue

from harness.environments.protocol import EnvironmentFault, Observation, StateReader
from harness.environments.sandbox import BrokenSandboxError, Folder, Session, entries, unpack
from harness.environments.workspace.changes import changes, is_gits_own
from harness.environments.workspace.paths import relative

_FILE_BYTES = 64 << 10
_ALL_BYTES = 1 << 20
_TIMED_OUT, _STOPPED = 124, 137
"""What is said as exit status of a command that did not end by itself, as `timeout` and shells say it."""


class WorkspaceState(StateReader):
    """The files of one final state."""

    def __init__(
        self,
        data: bytes,
        open_session: Callable[[], Awaitable[Session]],
        initial_files: Callable[[], Mapping[str, bytes]] = dict,
    ) -> None:
        """Read the archive. `initial_files` gives what the trial began with. Raises `ValueError` for other data."""
        self._data = data
        self._open_session = open_session
        self._initial_files = initial_files
        self._files: dict[str, bytes] = {}
        self._links: dict[str, str] = {}
        for header, content in entries(data):
            if header.issym():
                self._links[header.name] = header.linkname
            elif header.isreg():
                self._files[header.name] = content

    async def as_data(self) -> dict[str, JsonValue]:
        """Return `files` (path -> text, None for a binary or large one), `links` (path -> target) and `changes`.

        `changes` holds what became of the initial files: `added`, `changed` and `deleted` paths, and `diff`.
        Git's own files are left out.
        """
        files: dict[str, JsonValue] = {}
        left = _ALL_BYTES
        for path, content in self._files.items():
            if is_gits_own(path):
                continue
            fits = len(content) <= min(_FILE_BYTES, left)
            files[path] = _text(content) if fits else None
            left -= len(content) if fits else 0
        changed = await asyncio.to_thread(lambda: changes(self._initial_files(), self._files))
        return {"files": files, "links": dict(self._links), "changes": changed}

    async def in_full(self) -> dict[str, JsonValue]:
        """Return `files`, all of them, with the SHA-256 in place of what is no text, and `links`."""
        files: dict[str, JsonValue] = {}
        for path, content in self._files.items():
            if not is_gits_own(path):
                text = _text(content)
                files[path] = f"sha256 {hashlib.sha256(content).hexdigest()}" if text is None else text
        return {"files": files, "links": dict(self._links)}

    async def read_file(self, path: str) -> str | None:
        """Return a file's text, decoded with replacement; None when it is not there, or a link."""
        parts = [part for part in relative(path).split("/") if part not in ("", ".")]
        content = self._files.get("/".join(parts))
        return None if content is None else content.decode("utf-8", "replace")

    async def query(self, sql: str) -> list[list[JsonValue]]:
        """Raise `NotImplementedError`: a workspace holds files."""
        raise NotImplementedError("a workspace holds files, not a database; use a file or command check")

    async def reward(self, name: str, answer: str | None) -> float:
        """Raise `NotImplementedError`: files give no rewards."""
        raise NotImplementedError("a workspace gives no rewards of its own; use a file or command check")

    async def run(self, command: str, files: Mapping[str, bytes], seconds: float) -> Observation:
        """Run a command over the final files, with `files` laid over them, in a fresh sandbox.

        `data` holds `exit` (124 after a time-out, 137 after a limit) and `timed_out`. Raises `EnvironmentFault`.
        """

        def lay_out(folder: Folder) -> None:
            unpack(folder, self._data)
            for path, content in files.items():
                folder.clear_the_way(relative(path))
                folder.write(relative(path), content, 0o755 if content.startswith(b"#!") else 0o644)

        session = await self._open_session()
        try:
            await session.files(lay_out)
            result = await session.run_last(command, seconds)
        except (BrokenSandboxError, OSError, ValueError) as error:
            raise EnvironmentFault(f"the check's command cannot be run: {error}") from error
        finally:
            await session.close()
        status = _TIMED_OUT if result.timed_out else _STOPPED if result.exit is None else result.exit
        text = result.output.text if not result.stopped else f"{result.output.text}\n[stopped: {result.stopped}]"
        return Observation(
            text, error=status != 0, data={"exit": status % 256, "timed_out": result.timed_out}
        )  # fmt: skip

    async def close(self) -> None:
        """Let go of the files; sandboxes were closed after each command."""
        self._files.clear()
        self._links.clear()


def _text(content: bytes) -> str | None:
    if b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
