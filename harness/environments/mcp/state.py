"""The final state of an MCP world: the server's files, and what it told of itself when it was asked at the end."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import JsonValue

from harness.environments.protocol import FinalState, Observation, StateReader
from harness.environments.sandbox import entries
from harness.environments.workspace import WorkspaceState


def packed(kind: str, told: Mapping[str, JsonValue], files: bytes, *, truncated: bool) -> FinalState:
    """One line of JSON, then the archive of the files, empty where the server has none that are known."""
    line = json.dumps(dict(told), sort_keys=True).encode()
    return FinalState(kind, line + b"\n" + files, truncated)


def unpacked(data: bytes) -> tuple[dict[str, JsonValue], bytes]:
    """What was told, and the archive. Raises `ValueError` for other data."""
    line, _, files = data.partition(b"\n")
    told = json.loads(line)
    if not isinstance(told, dict):
        raise ValueError("not the state of an MCP server")
    return told, files


def repositories(files: bytes) -> dict[str, JsonValue]:
    """The git repositories of an archive by their paths: what HEAD holds, and the commit of every branch and tag."""
    found: dict[str, tuple[list[str], dict[str, JsonValue]]] = {}
    for header, content in entries(files):
        path, inside, name = header.name.rpartition(".git/")
        before, within, rest = header.name.partition(".git/refs/")
        if within and header.isreg():
            found.setdefault(before.strip("/") or ".", ([], {}))[1][f"refs/{rest}"] = _line(content)
        elif inside and name == "HEAD":
            found.setdefault(path.strip("/") or ".", ([], {}))[0].append(_line(content))
    for header, content in entries(files):  # what lies loose stands above what is packed
        path, inside, name = header.name.rpartition(".git/")
        if inside and name == "packed-refs" and (path.strip("/") or ".") in found:
            refs = found[path.strip("/") or "."][1]
            for line in content.decode("utf-8", "replace").splitlines():
                commit, _, ref = line.partition(" ")
                if ref.startswith("refs/"):
                    refs.setdefault(ref, commit)
    return {
        path: {"head": head[0], "refs": dict(sorted(refs.items()))} for path, (head, refs) in found.items() if head
    }  # fmt: skip


def _line(content: bytes) -> str:
    return content[:300].decode("utf-8", "replace").strip()


class McpState(StateReader):
    """What checks see of one final state."""

    def __init__(self, told: dict[str, JsonValue], files: WorkspaceState | None) -> None:
        """`told` is part of the data as it is."""
        self._told = told
        self._files = files

    async def as_data(self) -> dict[str, JsonValue]:
        """Return `files`, `links` and `changes` as a workspace has them, and what the server told under `server`.

        Git repositories among the files are told in `repositories`: path -> `head`, and `refs`, name -> commit.
        For a server with an address that is asked nothing at the end: `calls`, those that changed its state.
        """
        return self._told | (await self._files.as_data() if self._files is not None else {})

    async def in_full(self) -> dict[str, JsonValue]:
        """The same with nothing left out: what two states are compared by."""
        return self._told | (await self._files.in_full() if self._files is not None else {})

    async def read_file(self, path: str) -> str | None:
        """Text of a file of the working folder; None when it is not there."""
        return await self._with_files().read_file(path)

    async def run(self, command: str, files: Mapping[str, bytes], seconds: float) -> Observation:
        """Run a command over the final files in a fresh sandbox, as a workspace does."""
        return await self._with_files().run(command, files, seconds)

    async def close(self) -> None:
        """Let go of the files."""
        if self._files is not None:
            await self._files.close()

    def _with_files(self) -> WorkspaceState:
        if self._files is None:
            raise NotImplementedError("this server has no files that the harness knows of; use state_call")
        return self._files
