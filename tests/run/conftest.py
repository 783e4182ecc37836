from collections.abc import Iterator
from pathlib import Path

import pytest
from models.openai_server import MockOpenAI
from run.workbench import SCAFFOLD, SCENARIO, SHOP, SWEEP, Workbench


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    bench = Workbench(tmp_path)
    bench.write("shop.sql", SHOP)
    bench.write("stock.yaml", SCENARIO)
    bench.write("loop.yaml", SCAFFOLD)
    bench.write("sweep.yaml", SWEEP)
    return bench


@pytest.fixture
def server() -> Iterator[MockOpenAI]:
    with MockOpenAI() as server:
        yield server
