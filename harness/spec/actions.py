"""The canonical form of an action: what a model chose to do, comparable across models and protocols.

An action is one of

- `tool`: a call of an offered tool whose arguments hold to its schema; `name` is the tool,
  `arguments` its normalised arguments;
- `submit`: a call of `submit`; `arguments` holds the answer;
- `say`: text and no call;
- `refuse`: the provider's own refusal field or content filter (never guessed from prose);
- `malformed`: an attempt at a call that cannot be carried out (unknown tool, arguments that do not
  parse or hold); `name` is the tool meant, where it can be told;
- `cut_off`: the reply ended at the token limit before it was complete; a matter of length, not of form.

Normalised arguments: JSON with keys sorted at every level, no white space, whole floats as integers,
strings in Unicode NFC with `\\r\\n` as `\\n` and trailing white space removed. Two actions are the same
when `key` is the same. `text` and `error` are for reading and never take part in the comparison.
"""

from __future__ import annotations

import json
import unicodedata
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

ActionKind = Literal["tool", "submit", "say", "refuse", "malformed", "cut_off"]


class Action(BaseModel):
    """One action of a model, as recorded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ActionKind
    name: str = ""
    arguments: dict[str, JsonValue] = {}
    """Normalised."""
    call_id: str | None = None
    """The API's id of the tool call, for the answer to it."""
    text: str = ""
    """What was said beside or instead of a call."""
    error: str = ""
    """Why a malformed call could not be carried out."""

    @property
    def key(self) -> str:
        """The canonical string, e.g. `tool query {"sql":"select 1"}`."""
        return " ".join(part for part in (self.kind, self.name, canonical_json(self.arguments)) if part and part != "{}")


def canonical_json(value: JsonValue) -> str:
    """`value` as the one JSON text that equal values share."""
    return json.dumps(normalise(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def normalise(value: Any) -> Any:
    """Plain data in normal form (see the module)."""
    if isinstance(value, dict):
        return {unicodedata.normalize("NFC", str(k)): normalise(v) for k, v in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [normalise(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, str):
        text = unicodedata.normalize("NFC", value.replace("\r\n", "\n"))
        return "\n".join(line.rstrip() for line in text.split("\n")).rstrip()
    return value
