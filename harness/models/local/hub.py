"""Weights from Hugging Face, through its own client and in its own cache.

HF_ENDPOINT, HF_HUB_OFFLINE, HF_HOME and HF_TOKEN hold as they do for that client.

What is in that cache already is used as it is, without asking the network.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Self

from harness.models.local.progress import Advance, Interrupted, Progress
from harness.models.protocol import ModelSetupError


@dataclass(frozen=True)
class HubFile:
    """One file of one repository."""

    repository: str
    """`owner/name`."""
    file: str
    revision: str | None
    """A branch, tag or commit; the main branch when None."""

    def __str__(self) -> str:
        at = f"@{self.revision}" if self.revision else ""
        return f"{self.repository}{at}/{self.file}"


def cached(source: HubFile) -> Path | None:
    """The file in Hugging Face's cache, when it is there."""
    found = _client().try_to_load_from_cache(source.repository, source.file, revision=source.revision)
    return Path(found) if isinstance(found, str) else None


def fetch(source: HubFile, progress: Progress, interrupt: threading.Event) -> Path:
    """The file, downloaded if it is not there. Raises `ModelSetupError` and `Interrupted`."""
    if (path := cached(source)) is not None:
        return path
    hub = _client()
    progress.note(f"Downloading {source} from Hugging Face, once, to its cache")
    try:
        path = hub.hf_hub_download(
            source.repository, source.file, revision=source.revision, tqdm_class=_bar_class(progress, interrupt)
        )
    except (OSError, ValueError, hub.errors.EntryNotFoundError) as error:  # its HTTP and offline errors are OSErrors
        raise ModelSetupError(f"{source}: cannot be fetched from Hugging Face: {_why(error)}") from error
    return Path(path)


def _why(error: BaseException) -> str:
    from huggingface_hub import errors

    if isinstance(error, errors.LocalEntryNotFoundError | errors.OfflineModeIsEnabled):
        return (
            "it is not in the local cache, and the Hub cannot be reached (or HF_HUB_OFFLINE is set); "
            "go online once, or name a file on disk: local/path:FILE.gguf"
        )
    if isinstance(error, errors.GatedRepoError):
        return "the repository asks for consent: accept its terms on its page and set HF_TOKEN"
    if isinstance(error, errors.RevisionNotFoundError):
        return "there is no such revision"
    if isinstance(error, errors.EntryNotFoundError):
        return "the repository has no such file"
    if isinstance(error, errors.RepositoryNotFoundError):
        return "there is no such repository, or it is private and HF_TOKEN does not open it"
    return " ".join(str(error).split())[:300]


def _bar_class(progress: Progress, interrupt: threading.Event) -> type[Any]:
    """What the client takes for a progress bar: reports to `progress`, and stops the download at `interrupt`."""

    class Bar:
        def __init__(self, *, total: float | None = None, initial: float = 0, desc: str = "", **_: object) -> None:
            self.total = total
            self.n = initial
            self._shown = progress.bar(desc, int(total or 0))
            self._advance: Advance = lambda done: None

        def __enter__(self) -> Self:
            self._advance = self._shown.__enter__()
            return self

        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
        ) -> None:
            self._shown.__exit__(kind, error, trace)

        def update(self, count: float | None = 1) -> None:
            if interrupt.is_set():
                raise Interrupted(str(self.total))
            self.n += count or 0
            self._advance(int(self.n))

        def close(self) -> None: ...

        def refresh(self) -> None: ...

        def set_description(self, *_: object, **__: object) -> None: ...

        def set_postfix_str(self, *_: object, **__: object) -> None: ...

    return Bar


def _client() -> ModuleType:
    try:
        import huggingface_hub
        import huggingface_hub.errors
    except ImportError:
        raise ModelSetupError(
            "weights from Hugging Face need the [local] extra: pip install 'scaffold-harness[local]'"
        ) from None
    return huggingface_hub
