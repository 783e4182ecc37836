"""An environment that breaks in any way ends its trials on its own account; the sweep goes on."""

from __future__ import annotations

import pytest
from run.workbench import Workbench

from harness.environments.sql import SqlDatabase

SCRIPT = "kind: script\nrules:\n  - {call: {tool: submit, arguments: {answer: '7'}}}\n"


class Breaking(Exception):
    """Nothing that the protocol of environments names."""


@pytest.mark.parametrize(
    ("part", "said"),
    [("final_state", "its final state could not be taken"), ("close", "could not be closed")],
)
def test_an_environment_that_breaks_at_the_end(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, part: str, said: str
) -> None:
    bench.write("script.yaml", SCRIPT)
    bench.write("models.yaml", {"kind": "models", "models": {"good": {"model": "scripted/script.yaml"}}})
    bench.change("sweep.yaml", attempts=1)
    sound = getattr(SqlDatabase, part)

    async def broken(self: SqlDatabase) -> None:
        await sound(self)
        raise Breaking("out of order")

    monkeypatch.setattr(SqlDatabase, part, broken)
    outcome = bench.run()
    rows = bench.rows()
    assert (outcome.ran, len(rows)) == (3, 3)
    assert {row.fault for row in rows} == {"environment"}
    assert all(row.error == f"{said}: Breaking: out of order" for row in rows)
