"""From what a user names to the folder of a sweep, or to one trial."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UserError
from harness.record import Store, TrialRecord
from harness.record.database import FILE_NAME
from harness.record.imported import IMPORTED_FILE
from harness.record.imported.results import ImportedResults
from harness.record.imported.trial import ImportedRecord, imported_record
from harness.record.opening import is_recorded
from harness.spec.library import did_you_mean

LARGEST_YAML = 1 << 20
LONGEST_NAME = 1000
_HOW = "name a sweep under {results}, the folder of one, or its YAML file"


def recorded_sweeps(results: Path) -> list[str]:
    """Names of the sweeps run or imported under this folder."""
    found = [path.parent.name for name in (FILE_NAME, IMPORTED_FILE) for path in results.glob(f"*/{name}")]
    return sorted({name for name in found if not name.startswith(".")})


def find_recorded(reference: str, results: Path) -> Path:
    """The folder of a recorded sweep: named by name, folder or YAML file. Raises `UserError` saying what there is."""
    if len(reference) > LONGEST_NAME or "\0" in reference:
        raise UserError(f"no sweep is named {reference[:40]!r}...: {_HOW.format(results=results)}")
    given = Path(reference)
    name = reference
    if given.suffix in (".yaml", ".yml") and given.is_file():
        name = _name_in(given)
    inside = given.name in (FILE_NAME, IMPORTED_FILE)
    for folder in (results / name, given, given.parent if inside else given):
        if is_recorded(folder):
            return folder
    known = recorded_sweeps(results)
    if name != reference:
        raise UserError(
            f"{reference}: its sweep {name!r} is not recorded under {results}; run it: harness run {reference}"
        )
    listed = f"there are: {', '.join(known)}" if known else f"nothing is recorded under {results} yet"
    hint = did_you_mean(reference, known)
    raise UserError(f"no sweep {reference!r} is recorded: {_HOW.format(results=results)}; {listed}{hint}")


def _name_in(path: Path) -> str:
    """The name that a sweep file gives itself. Raises `UserError` when it is no sweep file."""
    import yaml

    if path.stat().st_size > LARGEST_YAML:
        raise UserError(f"{path}: too large for a sweep file")
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(
            f"{path}: not a sweep file ({' '.join(str(error).split())[:120]}); try harness check {path}"
        ) from error
    name = data.get("name") if isinstance(data, dict) and data.get("kind") == "sweep" else None
    if not isinstance(name, str) or "/" in name or name.startswith("."):
        raise UserError(f"{path}: not a sweep file; try harness check {path}")
    return name


def find_trial(prefix: str, results: Path, sweep: str | None = None) -> tuple[str, TrialRecord | ImportedRecord]:
    """(sweep, trial) whose id begins so, in one sweep or in all under `results`.

    Raises `UserError` when none does, or several do.
    """
    folders = [find_recorded(sweep, results)] if sweep else [results / name for name in recorded_sweeps(results)]
    if not folders:
        raise UserError(f"no trial {prefix!r}: nothing is recorded under {results} yet")
    found: list[tuple[str, TrialRecord | ImportedRecord]] = []
    several: list[str] = []
    for folder in folders:
        names, record = _named(folder, prefix)
        several += [f"{folder.name}: {name}" for name in names]
        found += [] if record is None else [(folder.name, record)]
    if len(several) > 1:
        listed = ", ".join(several[:8]) + (", ..." if len(several) > 8 else "")
        raise UserError(f"several trials begin with {prefix!r} ({listed}): give more of the id, or --sweep")
    if not found:
        where = f"sweep {folders[0].name}" if sweep else ", ".join(folder.name for folder in folders)
        raise UserError(f"no trial begins with {prefix!r} in {where}; harness results and tables/trials.csv list them")
    return found[0]


def _named(folder: Path, prefix: str) -> tuple[list[str], TrialRecord | ImportedRecord | None]:
    """Ids in one sweep that begin so, nine at most, and the trial where there is one of them."""
    if not (folder / FILE_NAME).is_file():
        results = ImportedResults(folder)
        names = results.named(prefix, most=9)
        return names, imported_record(results, names[0]) if len(names) == 1 else None
    with Store(folder) as store:
        names = store.named(prefix, most=9)
        return names, store.record(names[0]) if len(names) == 1 else None
