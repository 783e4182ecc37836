"""What stands behind `local/`: a name of the catalogue, a file on Hugging Face, or a file on disk.

    local/smollm2-135m                                a model of the catalogue (`harness models`)
    local/hf:OWNER/REPOSITORY/FILE.gguf               a file on Hugging Face, its main branch
    local/hf:OWNER/REPOSITORY@REVISION/FILE.gguf      the same, pinned to a branch, tag or commit
    local/path:/models/mine.gguf                      a file on disk
    local/path:mine.gguf                              the same, beside the models file

The path of a file on disk is its identity; size and digest of what it held are on every receipt.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from harness.models.local import hub, pull
from harness.models.local.catalogue import CatalogueModel, catalogue
from harness.models.local.hub import HubFile
from harness.models.local.progress import Progress, shown_progress
from harness.models.local.storage import remembered_sha256
from harness.models.protocol import ModelSetupError

if TYPE_CHECKING:
    from harness.spec.resolved import LoadedModel

PREFIX = "local/"
_HUB = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(@(?P<revision>[^/]+))?/(?P<file>.+\.gguf)", re.ASCII)
_DEFAULT_CONTEXT = 4096

Source = CatalogueModel | HubFile | Path


@dataclass(frozen=True)
class Weights:
    """Weights on this machine."""

    path: Path
    sha256: str
    bytes: int

    def describe(self, source: Source) -> str:
        """What a receipt calls them."""
        name = source.name if isinstance(source, CatalogueModel | Path) else str(source)
        return f"{name} ({self.bytes} bytes, sha256:{self.sha256})"


def is_local(loaded: LoadedModel) -> bool:
    """Whether this model runs on this machine, in a child process of the harness."""
    return loaded.entry.model.startswith(PREFIX)


def source_of(loaded: LoadedModel) -> Source:
    """What the model string names. Raises `ModelSetupError`; looks at no file and no network."""
    named = loaded.entry.model.removeprefix(PREFIX)
    kind, colon, rest = named.partition(":")
    if colon and kind == "hf":
        match = _HUB.fullmatch(rest)
        if match is None:
            raise _wrong(loaded, "write local/hf:OWNER/REPOSITORY/FILE.gguf")
        return HubFile(match["repository"], match["file"], match["revision"])
    if colon and kind == "path":
        if not rest:
            raise _wrong(loaded, "write local/path:FILE.gguf")
        return loaded.path.parent.absolute() / Path(rest).expanduser()
    return catalogue_model(named, f"model '{loaded.name}': ")


def catalogue_model(name: str, where: str = "") -> CatalogueModel:
    """The catalogue's model of this name. Raises `ModelSetupError` with the names there are."""
    known = catalogue()
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    raise ModelSetupError(
        f"{where}there is no local model '{name}'{hint}; the catalogue has {', '.join(known)}, "
        "and local/hf:OWNER/REPOSITORY/FILE.gguf or local/path:FILE.gguf take any other"
    )


def found(source: Source) -> Path | None:
    """The weights' file, when it is on this machine already."""
    if isinstance(source, CatalogueModel):
        return pull.present(source)
    if isinstance(source, HubFile):
        return hub.cached(source)
    return source if source.is_file() else None


def fetched(source: Source, *, progress: Progress | None = None, interrupt: threading.Event | None = None) -> Weights:
    """The weights, downloaded (announced, with progress on standard error) if they are not here yet.

    Raises `ModelSetupError` with the mend, `Interrupted` soon after `interrupt` is set.
    """
    progress = progress or shown_progress()
    interrupt = interrupt or threading.Event()
    if isinstance(source, CatalogueModel):
        path = pull.pull(source, progress, interrupt)
    elif isinstance(source, HubFile):
        path = hub.fetch(source, progress, interrupt)
    else:
        path = source
    try:
        weights = Weights(path, remembered_sha256(path), path.stat().st_size)
    except OSError as error:
        raise ModelSetupError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from None
    if isinstance(source, CatalogueModel) and weights.sha256 != source.sha256:
        raise ModelSetupError(f"{path}: its content was changed; delete it and run: harness models pull {source.name}")
    return weights


def fetch_missing(models: Iterable[LoadedModel], progress: Progress | None = None) -> None:
    """Downloads what the local ones among `models` need and is not here: before a run, so that none waits in a trial.

    Raises `ModelSetupError` with the mend.
    """
    for loaded in models:
        if is_local(loaded) and found(source := source_of(loaded)) is None:
            fetched(source, progress=progress)


def context_of(source: Source) -> int:
    """Tokens a thread may have when the models file does not say."""
    return source.context if isinstance(source, CatalogueModel) else _DEFAULT_CONTEXT


def _wrong(loaded: LoadedModel, how: str) -> ModelSetupError:
    return ModelSetupError(f"model '{loaded.name}': cannot make sense of '{loaded.entry.model}': {how}")
