"""The tools of the kind `browser`."""

from __future__ import annotations

from pydantic import JsonValue

from harness.environments.protocol import Tool

_ELEMENT: dict[str, JsonValue] = {
    "type": "string",
    "minLength": 1,
    "maxLength": 300,
    "description": 'Its reference on the page, such as e12, or its words, such as button "Order".',
}
_AGREE: dict[str, JsonValue] = {
    "type": "boolean",
    "description": "Say yes if the page asks back in a box; without it the answer is no.",
}
KEYS = (
    "Enter", "Tab", "Shift+Tab", "Escape", "Space", "Backspace", "Delete", "ArrowUp", "ArrowDown", "ArrowLeft",
    "ArrowRight", "Home", "End", "PageUp", "PageDown",
)  # fmt: skip


def _tool(name: str, description: str, properties: dict[str, JsonValue], *needed: str, changes: bool = True) -> Tool:
    parameters: dict[str, JsonValue] = {
        "type": "object",
        "properties": properties,
        "required": list(needed),
        "additionalProperties": False,
    }
    return Tool(name, description, parameters, changes_state=changes)


LOOK = _tool(
    "look",
    "See the page again, or its later lines.",
    {"from": {"type": "integer", "minimum": 1, "maximum": 100_000, "description": "The first line to be shown."}},
    changes=False,
)
GOTO = _tool(
    "goto",
    "Open a page of the site by its path.",
    {"path": {"type": "string", "minLength": 1, "maxLength": 1000, "description": "Such as /basket."}},
    "path",
)
CLICK = _tool("click", "Click a link, a button, a box to tick.", {"element": _ELEMENT, "agree": _AGREE}, "element")
FILL = _tool(
    "fill",
    "Write into a field, in place of what is there. Dates as 2026-01-31.",
    {
        "element": _ELEMENT,
        "text": {"type": "string", "maxLength": 5000},
        "submit": {"type": "boolean", "description": "Press Enter afterwards."},
    },
    "element", "text",
)  # fmt: skip
SELECT = _tool(
    "select",
    "Choose from a list of choices.",
    {"element": _ELEMENT, "choice": {"type": "string", "maxLength": 300, "description": "As the list has it."}},
    "element", "choice",
)  # fmt: skip
PRESS = _tool("press", "Press a key.", {"key": {"type": "string", "enum": list(KEYS)}, "agree": _AGREE}, "key")
BACK = _tool("back", "Go back to the page before.", {})

TOOLS = (LOOK, GOTO, CLICK, FILL, SELECT, PRESS, BACK)
"""All of them, in the order in which they are offered."""
