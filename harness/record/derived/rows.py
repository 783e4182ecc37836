"""The rows of one trial in the tables `steps` and `calls`, from its events as plain data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from harness.record.derived.plain import Encoder, Events
from harness.record.frames import CALLS, STEPS

Rows = Callable[[str, Events, Mapping[str, str], Encoder], Iterable[list[Any]]]


def step_rows(trial: str, events: Events, models: Mapping[str, str], encode: Encoder) -> Iterable[list[Any]]:
    """One row for each event; `models` says how the model of each role is called now."""
    for index, event in enumerate(events):
        role = event.get("role")
        values = dict.fromkeys(STEPS) | {
            "trial": trial, "event": index, "step": event["step"], "node": event["node"], "role": role,
            "lane": event["lane"], "visit": event["visit"], "started": event["started"],
        } | _step(event, encode)  # fmt: skip
        if values["model"] is not None:
            values["model"] = models.get(str(role), values["model"])
        yield list(values.values())


def _step(event: Mapping[str, Any], encode: Encoder) -> dict[str, Any]:
    if event["type"] == "call":
        actions = event["actions"]
        first = actions[0] if actions else None
        failed = event.get("error") is not None or any(a["kind"] in ("malformed", "cut_off") for a in actions)
        return {
            "kind": "call", "model": event["model"], "actions": len(actions), "error": failed,
            "action_kind": first and first["kind"], "action": first and first["name"],
            "arguments": first and encode(first["arguments"]), "prompt_tokens": event["prompt_tokens"],
            "completion_tokens": event["completion_tokens"], "cost": event["cost"], "seconds": event["seconds"],
            "waited": event["waited"], "replayed": event.get("replayed", False),
        }  # fmt: skip
    if event["type"] == "tool":
        action, data = event["action"], event["data"]
        return {
            "kind": "tool", "action_kind": action["kind"], "action": action["name"],
            "arguments": encode(action["arguments"]), "error": event["error"],
            "changes_state": event["changes_state"], "observation_chars": len(event["observation"]),
            "seconds": event["seconds"], "detail": encode(data) if data else None,
        }  # fmt: skip
    detail = event["detail"]
    return {"kind": event["kind"], "detail": encode(detail) if detail else None}


def call_rows(trial: str, events: Events, models: Mapping[str, str], encode: Encoder) -> Iterable[list[Any]]:
    """One row for each model call, with its receipt; what was replayed on the way to a moment was not sent."""
    for index, event in enumerate(events):
        if event["type"] != "call" or event.get("replayed"):
            continue
        receipt: Mapping[str, Any] = event["receipt"] or {}
        failed = receipt.get("attempts")
        values = {
            "trial": trial, "event": index, "model": models.get(event["role"], event["model"]),
            "requested": receipt.get("model"), "resolved": receipt.get("resolved"),
            "fingerprint": receipt.get("fingerprint"), "asked": _json(receipt.get("asked"), encode),
            "sent": _json(receipt.get("sent"), encode), "dropped": _json(receipt.get("dropped"), encode),
            "tools": receipt.get("tools"), "response_format": receipt.get("response_format"),
            "failed_attempts": None if failed is None else len(failed),
            "attempt_errors": _json([attempt.get("error") for attempt in failed or []] or None, encode),
        }  # fmt: skip
        yield [values[name] if name in values else event.get(name) for name in CALLS]


def _json(value: object, encode: Encoder) -> str | None:
    return None if value is None else encode(value)
