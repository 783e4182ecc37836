"""How a smith went about it: whether anything was looked at before the first change."""

from __future__ import annotations

import re

QUOTED = r"'[^']*'|\"[^\"]*\""
WRITES = r"(?<!2)>(?!&|\s*/dev/null)|\bsed\b[^;|&]*\s-i|\b(tee|mv|cp|rm|truncate|patch)\b"


def looked_first(state: dict, answer: str, actions: list, given: dict) -> bool | None:
    """Whether something was read or run before the first change; none without a change that can be seen.

    A command is taken for a change by its words, such as `>` or `sed -i`, and what stands before them for a look.
    """
    looked = False
    for action in actions:
        if action["kind"] != "tool" or action["observation"] is None:
            continue
        if action["name"] in ("write_file", "edit_file"):
            if not action["error"]:
                return looked
        elif action["name"] == "run":
            for part in re.split(r"&&|\|\||;|\n", re.sub(QUOTED, "''", str(action["arguments"].get("command", "")))):
                if re.search(WRITES, part):
                    return looked
                looked = looked or bool(part.strip())
        else:
            looked = True
    return None
