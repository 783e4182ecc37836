r"""The canonical form of an action: what a model chose to do, comparable across models and protocols.

An action is one of

- `tool`: a call of an offered tool whose arguments hold to its schema; `name` is the tool;
- `submit`: a call of `submit` (`name` too); `arguments` holds the answer;
- `say`: text and no call;
- `refuse`: the provider's own refusal field or content filter (never guessed from prose);
- `malformed`: an attempt at a call that cannot be carried out (unknown tool, arguments that do not
  parse or hold); `name` is the tool meant, where it can be told;
- `cut_off`: the reply ended at the token limit before it was complete; a matter of length, not of form.

Two actions are the same when their `key` is the same: kind, name and normalised arguments. What was
said (`text`), the reason (`error`), the API's id and the arguments as sent never take part.

The normal form of arguments, a pure function of their JSON value, applied once or twice alike:

- objects: keys in Unicode NFC and sorted by code point at every level (keys that would fall together
  in NFC stay as they are); arrays keep their order;
- numbers: a float with a whole value within 64 bits is that integer (`1.0` is `1`, `-0.0` is `0`);
  other floats in the shortest form that reads back the same. Truth values are no numbers: `true` is not `1`.
  NaN and infinities have no canonical form and raise `ValueError`;
- strings: NFC, line ends as `\n`, white space at the ends of lines and at the end removed.
  Everything else counts: case, leading white space, blank lines in the middle.

White space that the normal form drops can matter to a tool (the last line end of a file), so a tool is
always called with the arguments as the model sent them: `Action.as_sent`.
"""

from __future__ import annotations

import json
import math
import unicodedata
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

ActionKind = Literal["tool", "submit", "say", "refuse", "malformed", "cut_off"]

UNUSABLE: frozenset[str] = frozenset({"malformed", "cut_off"})
"""Kinds that are answered with the reason instead of being carried out."""


class Action(BaseModel):
    """One action of a model, as recorded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ActionKind
    name: str = ""
    arguments: dict[str, JsonValue] = {}
    """Normalised."""
    sent: dict[str, JsonValue] | str | None = None
    """As sent, where that differs from `arguments`; the raw text where it does not parse."""
    call_id: str | None = None
    """The API's id of the tool call, for the answer to it."""
    text: str = ""
    """What was said beside or instead of a call."""
    error: str = ""
    """Why a malformed or cut-off reply could not be carried out."""

    @property
    def key(self) -> str:
        """The canonical string, e.g. `tool query {"sql":"select 1"}`, `submit {"answer":"42"}` or `say`."""
        words: list[str] = [self.kind]
        if self.name and self.name != self.kind:
            words.append(self.name)
        if self.arguments:
            words.append(canonical_json(self.arguments))
        return " ".join(words)

    @property
    def as_sent(self) -> dict[str, JsonValue]:
        """The arguments to call the tool with, exactly as the model gave them."""
        return self.sent if isinstance(self.sent, dict) else self.arguments


def call_action(
    kind: ActionKind,
    name: str,
    arguments: dict[str, JsonValue],
    *,
    call_id: str | None = None,
    text: str = "",
    error: str = "",
) -> Action:
    """An action with these arguments: normalised in `arguments`, as given in `sent` where that differs.

    Raises `ValueError` when a number among them is not finite.
    """
    normal = normalise(arguments)
    same = json.dumps(normal) == json.dumps(arguments)
    sent = None if same else arguments
    return Action(kind=kind, name=name, arguments=normal, sent=sent, call_id=call_id, text=text, error=error)


def canonical_json(value: JsonValue) -> str:
    """`value` as the one JSON text that equal values share. Raises `ValueError` for NaN and infinities."""
    return json.dumps(normalise(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def normalise(value: Any) -> Any:  # noqa: ANN401 - any JSON value in, one of the same type out
    """Plain data in normal form (see the module). Raises `ValueError` for NaN and infinities."""
    if isinstance(value, dict):
        names = {key: unicodedata.normalize("NFC", str(key)) for key in value}
        if len(set(names.values())) < len(names):
            names = {key: str(key) for key in value}
        return {names[key]: normalise(value[key]) for key in sorted(value, key=names.__getitem__)}
    if isinstance(value, list | tuple):
        return [normalise(item) for item in value]
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str):
        return _text(value)
    return value


def _number(value: float) -> int | float:
    if not math.isfinite(value):
        raise ValueError(f"{value} has no place in JSON")
    return int(value) if value.is_integer() and abs(value) < 2**63 else value


def _text(value: str) -> str:
    text = unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(line.rstrip() for line in text.split("\n")).rstrip()
