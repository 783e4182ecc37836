"""Loading a models file, and finding models by short name or litellm string."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from harness.errors import UserError
from harness.spec.base import Problem, SpecError
from harness.spec.digests import data_digest, digest
from harness.spec.library import data_path, did_you_mean, library
from harness.spec.reading.source import Source
from harness.spec.resolved import LoadedModel
from harness.spec.sweep import ModelEntry, ModelsFile

SCRIPTED = "scripted/"


def load_models(path: str | Path) -> dict[str, LoadedModel]:
    """Short name -> model, from a models file. Raises `SpecError` with all its problems."""
    problems: list[Problem] = []
    loaded = read_models(Path(path), problems)
    if loaded is None or problems:
        raise SpecError(problems)
    return loaded


def read_models(path: Path, problems: list[Problem]) -> dict[str, LoadedModel] | None:
    """Like `load_models`, adding to `problems`."""
    before = len(problems)
    source = Source(path.absolute(), problems)
    if not source.read() or not source.is_a("models"):
        return None
    spec = source.best(ModelsFile)
    if spec is None:
        return None
    loaded = {}
    for name, entry in spec.models.items():
        at = ("models", name, "model" if entry.script is None else "script")
        found = source.attempt(at, partial(loaded_model, name, entry, source.path))
        if found is not None:
            loaded[name] = found
    return loaded if len(problems) == before else None


def bare_model(string: str, path: Path) -> LoadedModel:
    """A litellm string as a model with default parameters; `path` is the file that names it."""
    return loaded_model(string, ModelEntry(model=string), path)


def loaded_model(name: str, entry: ModelEntry, path: Path) -> LoadedModel:
    """The entry with its script found and hashed. Raises `UserError`."""
    provider, slash, rest = entry.model.partition("/")
    if not slash or not provider or not rest.strip():
        raise UserError(
            f"{entry.model!r} is no model string: write provider/model, e.g. openai/gpt-5, local/NAME or scripted/FILE"
        )
    identity = entry.model_dump(
        mode="json", include={"model", "parameters", "drop", "api_base", "variant"}, exclude_defaults=True
    )
    if "drop" in identity:
        identity["drop"] = sorted(set(identity["drop"]))
    if entry.model.startswith(SCRIPTED):
        script = data_path(entry.script or rest, path.parent)
        if not script.is_file():
            raise UserError(f"{entry.script or rest!r} is a folder; a script file is wanted here")
        identity |= {"model": SCRIPTED, "script": data_digest(script)}
        entry = entry.model_copy(update={"script": str(script)})
    elif entry.script is not None:
        raise UserError(f"a script goes with `model: {SCRIPTED}...` only; this is {entry.model!r}")
    return LoadedModel(name, entry, path, digest(identity))


def models_path(named: str | None, beside: Path) -> Path | None:
    """The models file of a sweep in the file `beside`: as named, else beside it, above it, or shipped.

    Raises `UserError` when the one named is not there; None when there is none at all.
    """
    folder = beside.parent
    if named is not None:
        if (folder / named).is_file():
            return folder / named
        raise UserError(f"there is no models file {named!r}")
    for path in (folder / "models.yaml", folder.parent / "models.yaml", library() / "models.yaml"):
        if path.is_file():
            return path
    return None


def find_model(
    name: str, models: Mapping[str, LoadedModel], sweep: Path, where: str = "the models file"
) -> LoadedModel:
    """A model by short name, else by litellm string. Raises `UserError`, which says `where` was looked."""
    if name in models:
        return models[name]
    if "/" in name:
        return bare_model(name, sweep)
    listed = ", ".join(models) or "none"
    hint = did_you_mean(name, list(models)) or ": a litellm string has the form provider/model"
    raise UserError(f"unknown model {name!r}; {where} has {listed}{hint}")
