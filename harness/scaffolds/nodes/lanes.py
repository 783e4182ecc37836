"""`branch` and `join`: parallel lanes, and the choice of one of them.

A branch copies its lane; every copy has its own part of the graph. All copies arrive at the join, and the last
to arrive makes the choice, so the result never depends on the order of arrival. The chosen lane's threads,
variables and pending actions become those of the lane that branched; the others are gone but for the record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from harness.scaffolds.acting import Acting
from harness.scaffolds.faults import blame
from harness.scaffolds.nodes.generate import check_malformed
from harness.scaffolds.nodes.python import call_user, user_state
from harness.scaffolds.state import MAIN, LaneState, Move, Visit, branched
from harness.spec import load_python
from harness.spec.actions import UNUSABLE
from harness.spec.scaffold import BranchNode, JoinNode


def lane_names(parent: str, branch_node: str, copies: int) -> list[str]:
    """Names of the lanes of a branch: `vote.1`, `vote.2`; inside another lane `outer.1/vote.1`."""
    prefix = "" if parent == MAIN else f"{parent}/"
    return [f"{prefix}{branch_node}.{number}" for number in range(1, copies + 1)]


def branch(name: str, node: BranchNode) -> Callable[[Visit, dict[str, LaneState], Acting], Awaitable[Move]]:
    """Visits of a branch node."""

    async def visit(at: Visit, lanes: dict[str, LaneState], trial: Acting) -> Move:
        names = lane_names(at.lane, name, node.copies)
        lane = lanes[at.lane]
        copies: dict[str, LaneState | None] = {copy: branched(lane) for copy in names}
        open_lanes: list[JsonValue] = list(names)
        trial.context.recorder.node(
            step=at.step, node=at.node, kind="branch", lane=at.lane, visit=at.number, role=None, started=at.started,
            detail={"lanes": open_lanes},
        )  # fmt: skip
        return Move({**copies, at.lane: {**lane, "open": names}}, [(copy, node.to) for copy in names])

    return visit


def join(node: JoinNode, base: Path) -> Callable[[Visit, dict[str, LaneState], Acting], Awaitable[Move]]:
    """Visits of a join node, once every lane has arrived. Raises `UserError` when its python cannot be loaded."""
    function = None if node.pick in ("vote", "first") else load_python(node.pick, base)

    async def visit(at: Visit, lanes: dict[str, LaneState], trial: Acting) -> Move:
        parent = lanes[at.lane]
        names = parent["open"]
        arrived = [lanes[name] for name in names]
        detail: dict[str, JsonValue] = {}
        if function is not None:
            winner = _index(await _asked(function, arrived, at.node, node.scope, trial), len(names), at.node)
        else:
            votes = _votes(arrived)
            winner = _winner(votes) if node.pick == "vote" else 0
            detail["votes"] = dict(zip(names, votes, strict=True))
        detail["winner"] = names[winner]
        chosen = arrived[winner]
        after: LaneState = {**chosen, "visits": parent["visits"], "open": [], "arrived": False}
        trial.meter.join(at.lane, names)
        trial.context.recorder.node(
            step=at.step, node=at.node, kind="join", lane=at.lane, visit=at.number, role=node.role, started=at.started,
            detail=detail,
        )  # fmt: skip
        if at.lane == MAIN:
            for role in after["malformed"]:
                check_malformed(after, role, after["last"]["error"], trial)
        gone: dict[str, LaneState | None] = dict.fromkeys(names)
        return Move({**gone, at.lane: after}, [(at.lane, node.next)])

    return visit


def all_arrived(lane: str, lanes: dict[str, LaneState]) -> bool:
    """Whether every lane that `lane` branched into has come to the join."""
    names = lanes[lane]["open"]
    return bool(names) and all(name in lanes and lanes[name]["arrived"] for name in names)


def _votes(lanes: list[LaneState]) -> list[str]:
    """What each lane chose, as the canonical string of its last action; empty where that cannot be carried out.

    Unusable replies vote only where no lane has a usable one.
    """
    usable = [lane["key"] if lane["last"]["kind"] not in UNUSABLE else "" for lane in lanes]
    return usable if any(usable) else [lane["key"] for lane in lanes]


def _winner(votes: list[str]) -> int:
    """The first lane with the most frequent vote; ties go to the lane that comes first."""
    counts = Counter(vote for vote in votes if vote)
    return max(range(len(votes)), key=lambda index: (counts[votes[index]], -index))


async def _asked(function: Callable[..., Any], lanes: list[LaneState], node: str, scope: str, trial: Acting) -> object:
    return await call_user(function, [user_state(lane, trial, scope) for lane in lanes], node, trial)


def _index(returned: object, lanes: int, node: str) -> int:
    if isinstance(returned, bool) or not isinstance(returned, int) or not 0 <= returned < lanes:
        raise blame(
            "scaffold", f"node {node}: its function must return an index from 0 to {lanes - 1}, not {returned!r}"
        )
    return returned
