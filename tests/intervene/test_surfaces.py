"""Surfaces keep the substance: placeholders, quotations, what tools do, and what gold solutions score."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.environments import CATALOG, Observation, Opening, Services, Tool, load_kind
from harness.errors import UserError
from harness.intervene.perturbing import AGAIN, _Skipped, all_surfaces, surface_for, surface_names
from harness.intervene.surfaces import Surface, Variants, apply_surface, read_variants, surfaced_world
from harness.intervene.surfaces.renaming import FORM, in_text, other_names, renamed
from harness.intervene.surfaces.rewriting import REWRITES, protected, rewritten
from harness.intervene.surfaces.surface import History, tools_digest
from harness.models import ModelReply
from harness.models.protocol import Receipt, Usage
from harness.record import Lineage
from harness.run.plan import DEFAULT_LIMITS, Cell, role_tools
from harness.scaffolds.protocols import protocol_for
from harness.scoring.grading import grade
from harness.spec import library, load_scenario, render, trial_seed
from harness.spec.resolved import LoadedScenario
from harness.spec.scaffold import Protocol

PIECES = st.one_of(
    st.sampled_from(
        [
            "{{ input.good }}", "{{input['a'] | join(', ')}}", "{% if task %}", "{% endif %}", '"don\'t - ever..."',
            "`ls -la ... isn't`", "```\ncode - isn't ...\n```", "'quoted - it'", "https://a.b/c...", "“don't - so...”",
            "It isn't done. Then stop... Go - now. Look there.\n\nDon't wait.", "1. first\n2. second", "\n\n", " ",
        ]
    ),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12),
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@pytest.mark.parametrize("name", REWRITES)
@given(text=TEXTS)
@settings(max_examples=150, deadline=None)
def test_no_rewrite_touches_what_is_quoted_or_filled_in(name: str, text: str) -> None:
    changed, place = rewritten(name, text, "Task"), 0
    for part in protected(text):
        place = changed.find(part, place)
        assert place >= 0, part
        place += len(part)


@pytest.mark.parametrize("name", REWRITES)
@given(text=st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_every_word_is_still_there(name: str, text: str) -> None:
    def words(given_text: str) -> list[str]:
        return re.findall(r"[^\W_]+", given_text)

    changed = words(rewritten(name, text, "Task"))
    wanted = words(text)
    starts = range(len(changed) - len(wanted) + 1)
    assert any(changed[start : start + len(wanted)] == wanted for start in starts)


@pytest.mark.parametrize("name", REWRITES)
def test_a_rewritten_template_is_filled_in_as_before(name: str) -> None:
    text = "Don't lose {{ input.good }}. Count them - all...\n\nSay \"it's {{ input.count }}\". Then stop."
    filled = render(rewritten(name, text, "Task"), {"input": {"good": "nails", "count": 3}})
    assert "nails" in filled and '"it\'s 3"' in filled
    assert rewritten(name, "", "Task") == "" and rewritten(name, " \n", "Task") == " \n"


def test_what_each_rewrite_does() -> None:
    text = "Look at the list. It isn't long - three lines...\n\n1. one\n2. two"
    assert rewritten("courteous", text, "Task").startswith("Hello, and thank you for your help.\n\nLook at")
    assert rewritten("terse", text, "Task") == f"Your orders:\n{text}"
    assert rewritten("headed", text, "Task") == f"# Task\n\n{text}\n\n# End of: Task"
    assert (
        rewritten("bulleted", text, "Task") == "- Look at the list.\n- It isn't long - three lines...\n\n1. one\n2. two"
    )
    assert rewritten("typographic", text, "Task").startswith(
        "Look at the list. It isn\u2019t long \u2013 three lines\u2026"
    )


class TestNames:
    def test_the_scheme(self) -> None:
        found = other_names(["read_file", "query", "submit", "listAll", "a_a", "get_2"], {})
        assert found == {
            "read_file": "file_read", "query": "run_query", "listAll": "All_list", "a_a": "run_a_a", "get_2": "2_get",
        }  # fmt: skip
        assert other_names(["read_file", "file_read"], {}) == {"read_file": "file_read_2", "file_read": "read_file_2"}
        assert other_names(["query"], {"query": "ask"}) == {"query": "ask"}

    @given(st.lists(st.from_regex(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}[A-Za-z0-9_])?", fullmatch=True), max_size=8))
    @settings(max_examples=200, deadline=None)
    def test_names_are_new_one_to_one_and_sound(self, own: list[str]) -> None:
        found = other_names(own, {})
        assert set(found) == set(own) - {"submit"}
        assert len(set(found.values())) == len(found)
        assert not set(found.values()) & {*own, "submit"}
        assert all(FORM.fullmatch(name) for name in found.values())

    def test_where_they_stand_in_texts(self) -> None:
        names = {"read_file": "file_read", "query": "run_query"}
        told = (
            "Query it: a query by `query` or read_file(x), read_file. Not read_files, read_file.txt, {{ read_file }}."
        )
        assert in_text(told, names) == (
            "Query it: a query by `run_query` or file_read(x), file_read. Not read_files, read_file.txt, "
            "{{ read_file }}."
        )
        assert in_text("a_b then b_a", {"a_b": "b_a", "b_a": "a_b"}) == "b_a then a_b"
        names = {"offer": "run_offer", "counter": "run_counter", "pass_turn": "turn_pass"}
        told = "An offer: call offer. The tool counter, or offer, counter and pass_turn; an offer to counter. Offer."
        assert in_text(told, names) == (
            "An offer: call run_offer. The tool run_counter, or run_offer, run_counter and turn_pass; an offer to "
            "counter. Offer."
        )

    def test_descriptions_are_renamed_and_arguments_are_not(self) -> None:
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {
                "read_file": {"type": "string", "description": "As of read_file.", "enum": ["read_file"]},
                "description": {"type": "string"},
            },
        }
        tool = renamed(Tool("read_file", "Use read_file.", schema, changes_state=False), {"read_file": "file_read"})
        assert (tool.name, tool.shown, tool.description) == ("read_file", "file_read", "Use file_read.")
        argument: Any = tool.parameters["properties"]["read_file"]  # type: ignore[index, call-overload]
        assert argument == {"type": "string", "description": "As of file_read.", "enum": ["read_file"]}


@pytest.mark.parametrize("style", ["fenced", "labelled", "numbered"])
@given(text=st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_every_layout_of_the_history_holds_every_line(style: str, text: str) -> None:
    shown = History.model_validate({"style": style}).show(text)
    assert all(line in shown for line in text.split("\n"))
    assert History.model_validate({"style": style}).show("") == ""


def test_a_fence_is_longer_than_those_within() -> None:
    assert History(style="fenced").show("```\na\n```") == "````\n```\na\n```\n````"


def test_which_surfaces_there_are() -> None:
    every = surface_names("all", Variants())
    assert every[0] == "plain" and AGAIN not in every and len(every) == 1 + 3 + 5 + 3
    assert surface_names("", Variants())[1:4] == ["tools-renamed", "tools-reordered", "distractor"]
    assert surface_names("plain,history,tools-reordered:7", Variants()) == [
        "plain", "history:fenced", "history:labelled", "history:numbered", "tools-reordered:7",
    ]  # fmt: skip
    with pytest.raises(UserError, match="did you mean distractor"):
        surface_names("distracter", Variants())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: variants\nbrief:\n  terse: {}\n", "brief:terse is a fixed one"),
        ("kind: variants\ntools: {a: b c}\n", "'b c' is no name of a tool"),
        ("kind: variants\ntools: {a: x, b: x}\n", "the name 'x' is taken"),
        ("kind: variants\nhistroy: {}\n", "histroy"),
        ("kind: variants\ndistractor: {name: a b}\n", "name 'a b' is not allowed here"),
        ("- a\n", "begins with `kind: variants`"),
        ("", "the file is empty"),
    ],
)
def test_a_file_of_variants_is_held_to_its_form(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "variants.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=re.escape(said)) as found:
        read_variants(path)
    assert "variants.yaml" in str(found.value)


SCENARIOS = sorted(path for path in library().glob("*.yaml") if "\nkind: scenario\n" in path.read_text())
QUICK = ("refund-desk", "steward", "fair", "pasture")
MARKED = [
    pytest.param(path, id=path.stem, marks=[] if path.stem in QUICK else [pytest.mark.slow]) for path in SCENARIOS
]


@pytest.mark.parametrize("path", MARKED)
def test_every_scenario_takes_every_surface_and_its_solutions_still_score_full_marks(
    path: Path, tmp_path: Path
) -> None:
    """Acted out through the names and tools that a model is shown; without --slow one task of a few scenarios."""
    scenario = load_scenario(path, CATALOG)
    tasks = [task.id for task in scenario.spec.tasks]
    tasks = tasks[:1] if path.stem in QUICK else tasks[:3]
    for task in tasks:
        cell = Cell("d", scenario, task, None, "m", {}, {}, role_tools(scenario), "", "", DEFAULT_LIMITS, "")  # type: ignore[arg-type]
        skipped = _Skipped()
        made = {name: surface_for(name, cell, Variants(), skipped) for name in ("plain", *all_surfaces(Variants()))}
        alone = {"tools-reordered"} if all(len(tools) < 2 for tools in cell.tools.values()) else set()
        assert {surface for surface, _ in skipped.found} <= {"brief:typographic", *alone}, skipped.notes()
        digests = {name: changed(cell, surface) for name, surface in made.items() if surface is not None}
        assert len(set(digests.values())) == len(digests), "every surface looks different"
        acted = ("tools-renamed", "distractor", "history:numbered") if path.stem in QUICK else ("tools-renamed",)
        for name in acted:
            surface = made[name]
            assert surface is not None
            try:
                assert asyncio.run(gold(cell, surface, tmp_path)) == 1.0
            except UserError as error:
                if "harness install" in str(error):
                    pytest.skip(str(error))
                raise


def changed(cell: Cell, surface: Surface) -> str:
    """What a model is shown of a cell with a surface, after a round through the record."""
    detail = json.loads(json.dumps(surface.detail))
    made = apply_surface(cell, detail)
    assert made.scenario.task_digests == cell.scenario.task_digests
    assert [tool.name for tool in made.tools[next(iter(made.tools))] if tool.name == "submit"] in ([], ["submit"])
    for role, tools in made.tools.items():
        added = {tool.name for tool in tools} - {tool.name for tool in cell.tools[role]}
        assert added == ({surface.distractor.name} if surface.distractor is not None and tools else set())
    texts = [made.scenario.task(cell.task).brief, *(role.brief for role in made.scenario.spec.roles.values())]
    return json.dumps([texts, tools_digest(made.tools), detail.get("history")])


async def gold(cell: Cell, surface: Surface, scratch: Path) -> float | None:
    """The score of the task's solution, each step called by the name that is shown and parsed as a native call."""
    made = apply_surface(cell, surface.detail)
    scenario: LoadedScenario = made.scenario
    task, services = scenario.task(cell.task), Services()
    line = Lineage(kind="perturb", sweep="s", base="b", detail=surface.detail)
    protocol = protocol_for(Protocol(kind="native"))
    folders = [scratch / f"{surface.surface}-{name}-{task.id}".replace(":", "-") for name in ("world", "grading")]
    for folder in folders:
        folder.mkdir()
    opening = Opening.of_task(scenario, task.id, trial_seed(scenario.spec.name, task.id, 1), folders[0], services)
    world = surfaced_world(line)(await load_kind(scenario.spec.environment.kind).open(opening))
    answer, taken = None, []
    try:
        assert world.facts["surface"] == surface.surface
        for number, step in enumerate(task.solution):
            role = step.role or next(iter(scenario.spec.roles))
            tool = next(tool for tool in made.tools[role] if tool.name == step.tool)
            await world.news(role)
            (action,) = protocol.parse(reply(tool.shown_name, step.arguments), made.tools[role])
            assert (action.kind, action.name) == ("submit" if tool.name == "submit" else "tool", step.tool), (
                action.error
            )
            seen = (
                Observation("")
                if action.kind == "submit"
                else await world.call(role, action.name, dict(action.as_sent))
            )
            assert not seen.error, seen.text
            answer = str(action.as_sent["answer"]) if action.kind == "submit" else answer
            taken.append(
                {
                    "kind": action.kind, "name": action.name, "arguments": action.arguments, "text": "", "role": role,
                    "node": "act", "step": number, "error": False, "observation": seen.text,
                    "changes_state": tool.changes_state, "data": seen.data,
                }
            )  # fmt: skip
        state = await world.final_state()
    finally:
        await world.close()
    found = await grade(
        scenario, task, opening=replace(opening, scratch=folders[1]), state=state, answer=answer,
        actions=taken,  # type: ignore[arg-type]
    )  # fmt: skip
    await services.close()
    assert found.error is None
    return found.score


def reply(name: str, arguments: dict[str, Any]) -> ModelReply:
    function = {"name": name, "arguments": json.dumps(arguments)}
    message = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "a", "type": "function", "function": function}],
    }
    receipt = Receipt({}, {}, [], None, None, "canned", None, None)
    return ModelReply(message, "tool_calls", Usage(), None, receipt, 0.0, 0.0)
