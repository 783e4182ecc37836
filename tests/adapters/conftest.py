"""The adapters are found as an installed harness finds them, also where this one was installed before they were."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.environments import CATALOG


@pytest.fixture(autouse=True, scope="session")
def entry_point(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    if "agentdojo" in CATALOG.kinds():
        yield
        return
    site = tmp_path_factory.mktemp("site")
    info = site / "scaffold_harness_adapters-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: scaffold-harness-adapters\nVersion: 0\n")
    (info / "entry_points.txt").write_text("[harness]\nadapters = harness.adapters\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(site)))
        yield
