from collections.abc import Iterator
from pathlib import Path

import pytest
from models.openai_server import MockOpenAI
from run.workbench import Workbench, new_bench


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return new_bench(tmp_path)


@pytest.fixture
def server() -> Iterator[MockOpenAI]:
    with MockOpenAI() as server:
        yield server
