"""What tests of interventions share."""

from pathlib import Path

import pytest
from intervene.fickle import Ledger
from run.workbench import new_bench


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """A sweep in a world that can be told to answer otherwise."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    return Ledger(new_bench(tmp_path))
