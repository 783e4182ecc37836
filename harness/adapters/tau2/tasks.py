"""The tasks of tau2 as a scenario file writes them."""

from __future__ import annotations

import hashlib
import re
from typing import Any

STOP = "###STOP###"
_LONGEST_ID = 80


def as_task(listed: dict[str, Any], agent: str, user: str) -> dict[str, Any]:
    """A task; its gold solution is tau2's gold actions, with just the words that the turns and the checks need.

    Gold actions that raise are left out: tau2 itself passes over them when it makes the state that is wanted.
    """
    return {
        "id": task_id(listed["id"]),
        "brief": listed["greeting"],
        "input": {"agent_brief": listed["agent_brief"], "user_brief": listed["user_brief"]},
        "setup": {"task": listed["id"]},
        "solution": _solution(listed, agent, user),
        "checks": [{"kind": "reward", "name": "reward", "of": "reward"}],
    }


def task_id(name: str) -> str:
    """tau2's id in the letters that ids have here; telecom's are cut where they are longer, and kept apart."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", ".", name).strip(".")
    if len(plain) <= _LONGEST_ID:
        return plain
    return f"{plain[: _LONGEST_ID - 9]}.{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _solution(listed: dict[str, Any], agent: str, user: str) -> list[dict[str, Any]]:
    seats = {"assistant": agent, "user": user}
    steps = [_say(user, listed["reason"])]
    turn = agent
    for action in listed["actions"]:
        if action["raises"] is not None:
            continue
        seat = seats[action["requestor"]]
        if seat != turn:
            steps.append(_say(turn, "Please do that now." if turn == agent else "That is done. What is next?"))
            turn = seat
        steps.append({"role": seat, "tool": action["name"], "arguments": action["arguments"]})
    if turn == user:
        steps.append(_say(user, "That is done. Is it all right now?"))
    told = " and ".join(listed["communicate"])
    steps.append(_say(agent, f"You asked for: {told}." if told else "That is done. Is there anything else?"))
    return [*steps, _say(user, STOP)]


def _say(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "tool": "say", "arguments": {"text": text}}
