"""What a probe finds: models that differ in one known way at one known node, and models that do not differ at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from intervene.probes import probe, query, selected, stages, stages_bench
from run.workbench import Workbench, new_bench

from harness.compare.interventions.probe import Probe
from harness.models.local import catalogue
from harness.models.local import found as found_weights
from harness.report.comparing import compare_sweeps


def found(bench: Workbench, name: str = "bench-probe") -> Probe:
    compared = compare_sweeps([str(bench.results / name)], bench.results, only=["probe"])
    result = compared.comparison.intervention
    assert isinstance(result, Probe)
    return result


def nodes_shown(result: Probe, level: str = "arguments") -> set[str | None]:
    return {row.value for row in result.nodes if row.level == level and row.shown}


@pytest.mark.parametrize("node", ["look", "check"])
def test_a_known_difference_at_a_known_node_is_found_there_and_nowhere_else(tmp_path: Path, node: str) -> None:
    """All nodes draw by chance; the second model draws otherwise at one of them."""
    bench = stages_bench(tmp_path, tasks=12, ann=stages(), ben=stages(**{node: 40}))
    bench.run()
    probe(bench)
    result = found(bench)
    assert nodes_shown(result) == {node}
    (pair,) = result.main(result.pairs)
    assert pair.shown
    at = next(row for row in result.main(result.nodes) if row.value == node)
    assert at.excess.low is not None
    assert at.excess.low > 0
    known = ((40 / 42 - 1 / 3) ** 2 + 2 * (1 / 3 - 1 / 42) ** 2) / 2  # half the sum of squared differences
    assert at.excess.low < known < (at.excess.high or 0.0)
    assert any(
        text.startswith(f"ann and ben differ at node {node}, and at none of the other") for text in result.sentences()
    )


def test_a_difference_in_words_alone_is_found_at_the_node_where_only_words_are_said(tmp_path: Path) -> None:
    bench = stages_bench(tmp_path, ann=stages(), ben=stages(plan=15))
    bench.run()
    probe(bench)
    result = found(bench)
    assert nodes_shown(result) == set()
    assert nodes_shown(result, "words") == {"plan"}
    plan = next(row for row in result.main(result.nodes) if row.value == "plan")
    assert (plan.disagree, plan.telling) == (0.0, 0)
    assert any("At node plan ann and ben act alike but word it differently" in text for text in result.sentences())


def test_one_model_under_two_names_comes_out_as_no_difference(tmp_path: Path) -> None:
    bench = stages_bench(tmp_path, tasks=16, ann=stages(), ben=stages())
    bench.run()
    probe(bench)
    result = found(bench)
    assert result.states >= 48
    false = 0
    for level in ("names", "arguments", "words"):
        (pair,) = (row for row in result.pairs if row.level == level)
        assert not pair.shown
        false += bool(nodes_shown(result, level))
    assert false <= 1  # each level errs in a twentieth of such campaigns; two at once would be no chance
    (pair,) = result.main(result.pairs)
    assert (pair.excess.low or 0.0) <= 0 <= (pair.excess.high or 0.0)
    assert abs((pair.divergence or 0.0) - (pair.divergence_floor or 0.0)) < 0.05
    assert not any(row.shown for row in result.in_states)
    share = sum(row.p <= 0.05 for row in result.in_states) / len(result.in_states)
    assert share <= 0.1  # of single states, uncorrected; simulated at large in the tests of the statistics
    assert "cannot be told apart" in result.sentences()[0]
    assert "would have shown" in result.sentences()[0]


def test_who_made_a_state_is_told_apart_from_what_is_in_it(tmp_path: Path) -> None:
    """Both are malformed more often after a guess; only the first where a thread is its own."""
    check = {
        "node": "check",
        "when": "'select 2' in (messages | string)",
        "choose": [{"weight": 3, "malformed": "{"}, query("select 3")],
    }
    script = stages()
    both = {"kind": "script", "rules": [check, *script["rules"]]}
    bench = stages_bench(tmp_path, tasks=12, ann=both, ben=both)
    bench.run()
    probe(bench)
    result = found(bench)
    malformed = next(row for row in result.own_foreign if row.measure == "malformed or cut off")
    assert malformed.pairs > 4
    assert not malformed.difference.shown
    conduct = {(row.model, row.where): row.malformed.estimate or 0.0 for row in result.conduct}
    assert max(conduct.values()) > 0.03
    assert any(re.search(r"Whose state it is makes no difference", text) for text in result.sentences())


def test_a_model_that_stumbles_in_what_others_began_is_seen_to(tmp_path: Path) -> None:
    """Each leaves a mark of its own in the thread, and is malformed where the other's mark is."""

    def script(own: str, other: str) -> dict[str, object]:
        stumble = {
            "when": f"'{other}' in (messages | string)",
            "choose": [{"weight": 4, "malformed": "{"}, query("select 3")],
        }
        return {
            "kind": "script",
            "rules": [{"node": "plan", "say": own}, {"node": "check", **stumble}, *stages()["rules"]],
        }

    bench = stages_bench(tmp_path, tasks=12, ann=script("alpha", "omega"), ben=script("omega", "alpha"))
    bench.run()
    probe(bench)
    result = found(bench)
    malformed = next(row for row in result.own_foreign if row.measure == "malformed or cut off")
    assert malformed.difference.shown
    assert (malformed.difference.estimate or 0.0) < -0.2
    assert any("malformed or cut off' less often" in text for text in result.sentences())


def local_bench(folder: Path, models: Mapping[str, Mapping[str, object]]) -> Workbench:
    """Ten tasks of three calls, small enough for models on a processor."""
    bench = new_bench(folder)
    bench.change("loop.yaml", protocol={"kind": "json", "max_string": 40})
    bench.write("models.yaml", {"kind": "models", "models": models})
    one = bench.written["stock.yaml"]["tasks"][0]
    bench.change("stock.yaml", tasks=[{**one, "id": f"task-{n}"} for n in range(10)])
    bench.change("stock.yaml", roles={"clerk": {"brief": "You keep the stock.", "tools": ["query", "execute"]}})
    bench.change("sweep.yaml", models=[*models], repeats=1, limits={"turns": 3})
    bench.run()
    return bench


@pytest.mark.local_model
@pytest.mark.slow
def test_a_local_model_at_two_temperatures_over_thirty_states(tmp_path: Path) -> None:
    heats = {"cool": 0.1, "warm": 1.2}
    bench = local_bench(tmp_path, {
        name: {"model": "local/smollm2-135m", "parameters": {"temperature": heat, "max_tokens": 32}}
        for name, heat in heats.items()
    })  # fmt: skip
    assert len(selected(bench, "every:1").moments) >= 30
    outcome = probe(bench, most=30, repeats=3)
    assert outcome.results == outcome.asked == 30 * 2 * 3
    result = found(bench)
    print("\n".join(result.sentences()))
    assert result.states == 30
    (pair,) = result.main(result.pairs)
    assert pair.own is not None
    entropies = {model: [row.entropy for row in result.spreads if row.model == model] for model in heats}
    mean = {model: sum(values) / len(values) for model, values in entropies.items()}
    print(mean, pair)
    assert mean["cool"] < mean["warm"]


@pytest.mark.local_model
@pytest.mark.slow
@pytest.mark.skipif(
    found_weights(catalogue()["qwen-coder-0.5b"]) is None, reason="needs harness models pull qwen-coder-0.5b"
)
def test_two_local_models_over_thirty_states(tmp_path: Path) -> None:
    bench = local_bench(tmp_path, {
        name: {"model": f"local/{name}", "parameters": {"temperature": 0.7, "max_tokens": 32}}
        for name in ("smollm2-135m", "qwen-coder-0.5b")
    })  # fmt: skip
    outcome = probe(bench, most=30, repeats=3)
    assert outcome.results == outcome.asked == 30 * 2 * 3
    result = found(bench)
    print("\n".join(result.sentences()))
    assert result.states == 30 and not any("drift" in caution for caution in result.cautions)
    (pair,) = result.main(result.pairs)
    assert pair.own is not None and pair.tasks == 10
