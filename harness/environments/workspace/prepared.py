"""The files a task begins with, packed once in a run and unpacked for every trial.

Copied, not laid as an overlay over a shared folder. An overlay was tried: as root, where every sandbox has a user
of its own, the shared files belong to nobody inside and cannot be edited; renaming a folder of the lower layer
fails (EXDEV) where the same program succeeds on a copy; and the mount table tells a path of the host. So the same
actions would not observe the same on two machines.

A repository's first commit has a steady author and date, and so the same hash in every trial and on every machine.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.environments.protocol import EnvironmentFault, Opening
from harness.environments.sandbox import MIB, STEADY_TIME, BrokenSandboxError, Folder, NoSandboxError, pack, unpack
from harness.environments.workspace.options import (
    NoWorkspaceError,
    WorkspaceOptions,
    WorkspaceSetup,
    open_workspace_session,
)
from harness.environments.workspace.paths import relative

_LARGEST_DATA = 256 * MIB
_GIT_SECONDS = 60.0
_COMMIT = (
    "command -v git >/dev/null || exit 127; "
    "git init -q --template= -b main . && git config core.autocrlf false && git add -A -f . && "
    'git commit -q --allow-empty --no-verify -m "$(cat "$MESSAGE_FILE")" && rm -f .git/COMMIT_EDITMSG && '
    "git -c pack.threads=1 repack -a -d -q -n --window=0"  # one file in place of one for each object: quick to unpack
)
_MESSAGE_FILE = "/tmp/message"  # noqa: S108 - the sandbox's own


@dataclass(frozen=True)
class Prepared:
    """Archives to be unpacked one over the other; a service of the run, which holds nothing but memory."""

    layers: tuple[bytes, ...]

    async def close(self) -> None:
        """Nothing is open."""


async def prepared(opening: Opening) -> Prepared:
    """The initial files of an opening's task. Raises `NoWorkspaceError` when they do not fit or git is missing."""
    options, setup = both(opening)
    key = ("workspace files", options.model_dump_json(), setup.model_dump_json())
    return await opening.services.get(key, lambda: _prepare(opening))


def both(opening: Opening) -> tuple[WorkspaceOptions, WorkspaceSetup]:
    """An opening's options and set-up as what they are. Raises `TypeError`."""
    options, setup = opening.options, opening.setup
    if not isinstance(options, WorkspaceOptions) or not isinstance(setup, WorkspaceSetup):
        raise TypeError("a workspace is opened with WorkspaceOptions and WorkspaceSetup")
    return options, setup


def furnish(folder: Folder, files: Prepared) -> None:
    """Put the initial files in place, all of one date."""
    for layer in files.layers:
        unpack(folder, layer, time=STEADY_TIME)
    folder.date_folders(STEADY_TIME)


def initial_files(options: WorkspaceOptions, setup: WorkspaceSetup) -> dict[str, bytes]:
    """Path -> content of all a task begins with, links and git's own files left out."""
    from harness.environments.sandbox import entries

    found: dict[str, bytes] = {}
    for layer in _layers(options, setup):
        found |= {header.name: content for header, content in entries(layer) if header.isreg()}
    return found


async def _prepare(opening: Opening) -> Prepared:
    options, setup = both(opening)
    try:
        layers = await asyncio.to_thread(_layers, options, setup)
        if setup.repository is not None:
            layers = (await _committed(opening, layers, setup.repository.message),)
    except (OSError, ValueError) as error:
        raise NoWorkspaceError(f"the initial files do not fit into the workspace: {error}") from error
    return Prepared(layers)


def _layers(options: WorkspaceOptions, setup: WorkspaceSetup) -> tuple[bytes, ...]:
    sources = [options.files, setup.repository.folder if setup.repository else None, setup.folder]
    layers = [_packed(Path(source)) for source in sources if source is not None]
    if setup.files:
        layers.append(_written(setup.files))
    return tuple(layers)


async def _committed(opening: Opening, layers: tuple[bytes, ...], message: str) -> bytes:
    """The files and the repository that one commit of them makes; git runs in a sandbox, as it does for the model."""
    options, _ = both(opening)
    session = await open_workspace_session(options, opening.scratch, opening.unsafe)
    try:
        await session.files(lambda folder: furnish(folder, Prepared(layers)))
        quoted = message.replace("'", "'\\''")
        command = f"printf %s '{quoted}' > {_MESSAGE_FILE} && MESSAGE_FILE={_MESSAGE_FILE} && {_COMMIT}"
        ran = await session.run_last(command, _GIT_SECONDS)
        if ran.exit == 127:
            raise NoWorkspaceError("a repository needs git; install it with: apt-get install git")
        if ran.exit != 0:
            raise NoWorkspaceError(f"git made no first commit: {' '.join(ran.output.text.split())[-300:]}")
        packed = await session.pack(2 * options.limits.disk_mb * MIB)
    except (BrokenSandboxError, NoSandboxError) as error:
        raise EnvironmentFault(f"the repository could not be made: {error}") from error
    finally:
        await session.close()
    return packed.data


def _written(files: Mapping[str, str]) -> bytes:
    """Texts of a task as an archive; a name that leads out is found when it is unpacked."""
    import io
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as tar:
        for path, text in files.items():
            content = text.encode()
            header = tarfile.TarInfo(relative(path))
            header.mode = 0o755 if text.startswith("#!") else 0o644
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    return buffer.getvalue()


def _packed(source: Path) -> bytes:
    """Pack a file or folder of the scenario; links inside it stay links."""
    if source.is_file():
        beside = Folder(os.open(source.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
        names: list[str] | None = [source.name]
    else:
        beside = Folder(os.open(source, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        names = None
    try:
        packed = pack(beside, _LARGEST_DATA, names=names)
    finally:
        beside.close()
    if packed.truncated:
        raise ValueError(f"{source} is larger than {_LARGEST_DATA // MIB} MB")
    return packed.data
