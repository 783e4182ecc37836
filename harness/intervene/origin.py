"""A recorded sweep to go back to: its trials, and the cells they were run in, put together again from its files.

The files are looked for where they were when the sweep was run. Where one is gone or has changed, the copies that the
record keeps are laid out in a scratch folder and loaded from there. Either way a cell counts only when its digest is
the recorded one: the same scaffold, scenario, tools, models, parameters and limits, provably.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.environments import CATALOG
from harness.errors import UserError
from harness.intervene.surfaces import apply_surface, surface_of
from harness.record import Lineage, Store, TrialDocument, TrialRecord, TrialRow, read_lock
from harness.record.imported import IMPORTED_FILE
from harness.run.plan import Cell, sweep_cells
from harness.spec import Problem, SpecError, digest, load_sweep
from harness.spec.library import shown
from harness.spec.loading.models import find_model, models_path, read_models
from harness.spec.resolved import LoadedModel, ResolvedSweep
from harness.spec.sweep import ModelEntry

MOST_LAYOUTS = 16
"""Earlier versions of files that are tried."""
MOST_KEPT = 64
"""Documents in memory at one time."""


@dataclass
class Origin:
    """A recorded sweep, open for reading; close it."""

    folder: Path
    store: Store
    sweep: ResolvedSweep
    cells: dict[str, Cell]
    """Digest -> cell, of the sweep that was loaded; cells of interventions are added as they are asked for."""
    lineage: dict[str, Lineage]
    path: Path
    """Where the sweep file was when it was run."""
    scratch: Path | None = None
    """Where the record's own copies of the files lie, where they were needed."""
    _recorded: dict[str, tuple[TrialRow, TrialDocument]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the sweep."""
        return self.folder.name

    @cached_property
    def attempted(self) -> list[TrialRow]:
        """The last attempt of each trial that the sweep asks for, in the order recorded."""
        asked = {(row.cell, row.repeat) for row in self.store.asked()}
        return [row for row in self.store.rows() if not asked or (row.cell, row.repeat) in asked]

    @cached_property
    def rows(self) -> list[TrialRow]:
        """Of these, the results, in the order asked for: which of them ended first changes nothing."""
        place = {(asked.cell, asked.repeat): number for number, asked in enumerate(self.store.asked())}
        results = [row for row in self.attempted if row.is_result]
        return sorted(results, key=lambda row: place.get((row.cell, row.repeat), len(place)))

    def record(self, trial: str) -> TrialRecord:
        """One trial, whole, by its id or the beginning of it. Raises `RecordError`."""
        return self.store.record(trial)

    def recorded(self, trial: str) -> tuple[TrialRow, TrialDocument]:
        """One trial by its id, its row and its document, kept for those that set out from it after another."""
        if trial not in self._recorded:
            if len(self._recorded) >= MOST_KEPT:
                self._recorded.clear()
            record = self.record(trial)
            self._recorded[trial] = record.row, record.document
        return self._recorded[trial]

    def cell(self, row: TrialRow) -> Cell:
        """What a trial was run in. Raises `UserError` when the files no longer say it, nor the record."""
        found = self.cells.get(row.cell)
        if found is None and (line := self.lineage.get(row.cell)) is not None:
            found = self._of_intervention(row, line)
        if found is None:
            raise UserError(f"{self.name}: trial {row.trial}: {self._why_not(row)}")
        return found

    def model(self, name: str, models_file: Path | None = None) -> LoadedModel:
        """A model by short name: of the sweep, else of its models file (or `models_file`), else a litellm string.

        The models file is the one that stands there now, which may have models that the sweep never heard of, then the
        record's copy. Raises `UserError` for a name that is nowhere.
        """
        if models_file is None and name in self.sweep.models:
            return self.sweep.models[name]
        files = [models_file] if models_file is not None else self._models_files()
        listed: dict[str, LoadedModel] = {}
        for path in files:
            problems: list[Problem] = []
            found = read_models(path, problems)
            if problems:
                raise SpecError(problems)
            listed = {**(found or {}), **listed}
        if name in listed:
            return listed[name]
        where = shown(files[0]) if files else "the models file"
        return find_model(name, {**self.sweep.models, **listed}, self.sweep.path, where)

    def _models_files(self) -> list[Path]:
        """The sweep's models file as it is now, where it is still there, and the copy that the record has of it."""
        places = [(self.sweep.spec.models_file, self.sweep.path)]
        if self.path.is_file() and isinstance(data := _yaml(self.path.read_bytes()), dict):
            named = data.get("models_file")
            places.insert(0, (named if isinstance(named, str) else None, self.path))
        found = []
        for named, beside in places:
            with contextlib.suppress(UserError):  # the one that the sweep names is gone; the copy is there
                found.append(models_path(named, beside))
        return list(dict.fromkeys(path for path in found if path is not None))

    def close(self) -> None:
        """Close the record, and remove what was laid out."""
        self.store.close()
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def __enter__(self) -> Origin:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _of_intervention(self, row: TrialRow, line: Lineage) -> Cell | None:
        """The cell of a trial that an intervention made: that of its base, with the models and the surface it had."""
        base = self.cells.get(line.base)
        if base is None:
            return None
        entries = self.entries
        models = {}
        for role, name in row.models.items():
            if name not in entries:
                return None
            models[role] = entries[name]
        if digest({role: loaded.digest for role, loaded in models.items()}) != row.models_hash:
            return None
        drawn = line.detail.get("draws")
        made = replace(
            base, digest=row.cell, models=models, models_digest=row.models_hash, model=row.model, lineage=line,
            seed=row.seed if line.origin is not None else None, chance=drawn if isinstance(drawn, int) else None,
        )  # fmt: skip
        if (surface := surface_of(line)) is not None:
            made = apply_surface(made, surface.detail)
        if made.tools_digest != row.tools_hash:
            return None
        self.cells[row.cell] = made
        return made

    @cached_property
    def entries(self) -> dict[str, LoadedModel]:
        """Every model that any run of this record resolved, under the name it had."""
        from harness.spec.loading.models import loaded_model

        found = dict(self.sweep.models)
        for entry in read_lock(self.folder):
            for name, known in dict(entry.resolved.get("models", {})).items():
                if name not in found and not str(known.get("model", "")).startswith("scripted"):
                    values = {key: value for key, value in known.items() if key != "digest"}
                    found[name] = loaded_model(name, ModelEntry(**values), self.sweep.path)
                elif name not in found and (scripted := self._scripted(name, known.get("digest"))) is not None:
                    found[name] = scripted
        return found

    def _scripted(self, name: str, known: object) -> LoadedModel | None:
        """A scripted model of this digest, from the models files that the record knows of."""
        paths = [Path(path) for path, _ in self.store.files() if path.endswith((".yaml", ".yml"))]
        for path in dict.fromkeys(reversed(paths)):
            for place in (path, *([_inside(self.scratch, path)] if self.scratch is not None else [])):
                found = read_models(place, []) if place.is_file() and _kind(place.read_bytes()) == "models" else None
                if found is not None and name in found and found[name].digest == known:
                    return found[name]
        return None

    def _why_not(self, row: TrialRow) -> str:
        """What of a trial's cell is another one now."""
        scenario = next((s for s in self.sweep.scenarios if s.spec.name == row.scenario), None)
        if scenario is None:
            return f"its scenario {row.scenario!r} is no longer in the sweep's files"
        if scenario.task_digests.get(row.task) != row.scenario_hash:
            return f"scenario {row.scenario}, task {row.task}, is no longer what it was run with ({scenario.path})"
        if row.scaffold_hash not in {scaffold.digest for scaffold in self.sweep.scaffolds}:
            return f"scaffold {row.scaffold} is no longer what it was run with"
        hashes = {cell.models_digest for cell in self.cells.values()}
        if row.models_hash not in hashes:
            return f"model {row.model} is no longer what it was run with; put its entry back into the models file"
        return "the sweep's parameters or limits, or the environment's tools, are no longer what it was run with"


def open_origin(folder: Path) -> Origin:
    """The recorded sweep in this folder. Raises `UserError` when it was not run here, or its files are lost."""
    if (folder / IMPORTED_FILE).is_file() and not Store.exists(folder):
        raise UserError(f"{folder}: imported from another tool; only moments of sweeps run here can be gone back to")
    store = Store(folder)
    scratch: Path | None = None
    try:
        versions = _versions(store)
        path = _sweep_file(store, versions, folder)
        lineage = store.lineage()
        asked = {row.cell for row in store.asked()} or {row.cell for row in store.rows(current=False)}
        wanted = {lineage[cell].base if cell in lineage else cell for cell in asked}
        sweep, cells, problem = _loaded(path)
        if not wanted <= cells.keys():
            scratch = Path(tempfile.mkdtemp(prefix="harness-origin-"))
            for number, kept in enumerate(_layouts(versions)):
                place = scratch / str(number)
                again, found, problem = _loaded(_laid_out(store, kept, path, place))
                problem = problem.replace(str(place), "")
                if again is not None and (sweep is None or wanted & found.keys() - cells.keys()):
                    sweep, cells = again, {**cells, **found}
                if wanted <= cells.keys():
                    break
        if sweep is None:
            raise UserError(
                f"{folder}: the sweep's files are gone ({path}), and the record's copies do not load: {problem}"
            )
        return Origin(folder, store, sweep, cells, lineage, path, scratch)
    except BaseException:
        store.close()
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
        raise


def _versions(store: Store) -> dict[str, list[str]]:
    """Path -> digests of its versions, the one that was kept last first."""
    found: dict[str, list[str]] = {}
    for path, content in store.files():
        found.setdefault(path, []).insert(0, content)
    return found


def _layouts(versions: Mapping[str, Sequence[str]]) -> Iterator[dict[str, str]]:
    """Path -> digest: the last version of each file, then with one file as it was earlier; a few in all."""
    newest = {path: known[0] for path, known in versions.items()}
    yield newest
    older = ({**newest, path: content} for path, known in versions.items() for content in known[1:])
    yield from itertools.islice(older, MOST_LAYOUTS)


def _sweep_file(store: Store, versions: Mapping[str, Sequence[str]], folder: Path) -> Path:
    """Where the sweep file was. Raises `UserError` for a record without one."""
    for path, known in reversed(list(versions.items())):
        if path.endswith((".yaml", ".yml")) and _kind(store.file(known[0])) == "sweep":
            return Path(path)
    raise UserError(f"{folder}: this record does not hold the files it was run with, so no moment can be rebuilt")


def _kind(text: bytes) -> str:
    data = _yaml(text)
    return str(data.get("kind", "")) if isinstance(data, dict) else ""


def _yaml(text: bytes) -> Any:  # noqa: ANN401 - YAML of any shape
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError):
        return None


def _loaded(path: Path) -> tuple[ResolvedSweep | None, dict[str, Cell], str]:
    """The sweep in a file with its cells; nothing where it does not load, and why."""
    try:
        sweep = load_sweep(path, CATALOG)
        return sweep, {cell.digest: cell for cell in sweep_cells(sweep)}, ""
    except UserError as error:
        return None, {}, str(error).splitlines()[0]


def _laid_out(store: Store, kept: Mapping[str, str], sweep: Path, scratch: Path) -> Path:
    """The kept files in a folder of their own, references to shipped ones led to the copies; the sweep file there."""
    import yaml

    by_name: dict[tuple[str, str], Path] = {}
    for path, content in kept.items():
        target = _inside(scratch, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(store.file(content))
        data = _yaml(target.read_bytes()) if path.endswith((".yaml", ".yml")) else None
        if isinstance(data, dict):
            by_name[str(data.get("kind", "")), Path(path).stem] = target
    for (kind, _), models in by_name.items():
        if kind == "models":
            _without_lost_scripts(models)
    target = _inside(scratch, sweep)
    data = _yaml(target.read_bytes())
    for field_name, kind in (("scenarios", "scenario"), ("scaffolds", "scaffold")):
        data[field_name] = [_led(reference, kind, target, by_name, scratch) for reference in data.get(field_name, [])]
    files = [path for (kind, _), path in by_name.items() if kind == "models"]
    if "models_file" in data:
        data["models_file"] = _led(data["models_file"], "models", target, by_name, scratch)
    elif len(files) == 1:
        data["models_file"] = str(files[0])
    target.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return target


def _without_lost_scripts(models: Path) -> None:
    """Leave out of a models file what no trial was run with: models whose script the record does not hold."""
    import yaml

    data = _yaml(models.read_bytes())
    entries = data.get("models")
    if not isinstance(entries, dict):
        return
    for name, entry in list(entries.items()):
        model = str(entry.get("model", "")) if isinstance(entry, dict) else ""
        script = str(entry.get("script") or model.removeprefix("scripted/")) if isinstance(entry, dict) else ""
        if model.startswith("scripted/") and not (models.parent / script).is_file():
            del entries[name]
    models.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _inside(scratch: Path, path: str | Path) -> Path:
    """Where a kept file lies in the scratch folder: as it did under the root, and never outside."""
    plain = Path(os.path.normpath(path))
    return scratch / plain.relative_to(plain.anchor)


def _led(reference: object, kind: str, beside: Path, by_name: Mapping[tuple[str, str], Path], scratch: Path) -> str:
    """The reference as it is where it is a copy beside that of the sweep, else the copy of the file elsewhere."""
    text = str(reference)
    copied = _inside(scratch, text) if Path(text).is_absolute() else beside.parent / text
    if copied.is_file():
        return str(copied)
    return str(by_name.get((kind, Path(text).stem), text))


def named_models(origin: Origin, names: Iterable[str], models_file: Path | None = None) -> dict[str, LoadedModel]:
    """Short name -> model. Raises `UserError` for a name given twice, or one that is nowhere."""
    listed = list(names)
    for name in listed:
        if listed.count(name) > 1:
            raise UserError(f"model {name!r} is named twice")
    return {name: origin.model(name, models_file) for name in listed}
