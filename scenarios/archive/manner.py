"""How an archivist went about it: whether what was changed was looked at before it was handed in."""

from __future__ import annotations

CHANGES = ("write_file", "edit_file", "move_file")


def verified(state: dict, answer: str, actions: list, given: dict) -> bool | None:
    """Whether something was read or listed after the last change; none without a change."""
    done = [one for one in actions if one["kind"] == "tool" and one["observation"] is not None and not one["error"]]
    changes = [one["name"] in CHANGES and not one["arguments"].get("dryRun") for one in done]
    if True not in changes:
        return None
    return not changes[-1]
