"""A deterministic model from a YAML script: for tests, for trying scaffolds out, and to build known differences.

    models:
      careful:  {model: scripted/careful.yaml}
      careless: {model: scripted/careful.yaml, variant: b}

The file is described in `harness.models.scripted_file`. What a script does depends on the request alone, chance
included: it is drawn from the trial's seed, the call's key and the entry's `variant`. Two entries with one script
and different variants are equal in distribution and independent in chance. (Only `times` looks beyond the request.)

Tokens are words. The price is the entry's own, else nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from harness.models.protocol import (
    Attempt,
    ContextExceeded,
    Message,
    ModelReply,
    ModelRequest,
    ModelSetupError,
    ProviderFault,
    Receipt,
    TimeExceeded,
    Usage,
)
from harness.models.scripted_file import Choice, Rule, Script, ScriptedCall, load_script
from harness.models.scripted_reply import Call, Situation, call_message, malformed_message, said, situation_of
from harness.models.seeds import call_seed
from harness.spec import UserError, evaluate, render

if TYPE_CHECKING:
    from harness.spec.resolved import LoadedModel

_EXPRESSION = re.compile(r"\{\{((?:(?!\}\}|\{\{).)+)\}\}", re.DOTALL)
_STATUS = {"rate_limit": 429, "overloaded": 503, "server": 500, "auth": 401, "quota": 402, "bad_request": 400}


def check_script(loaded: LoadedModel) -> list[str]:
    """What is wrong with a scripted model, one line per problem."""
    try:
        load_script(_path(loaded))
    except UserError as error:
        return str(error).splitlines()
    return []


class ScriptedModel:
    """A model that does what its script says."""

    def __init__(self, loaded: LoadedModel, *, parameters: Mapping[str, JsonValue] | None = None) -> None:
        """Raises `SpecError` when the script cannot be used."""
        self.name = loaded.name
        self._entry = loaded.entry
        self._parameters = {**loaded.entry.parameters, **(parameters or {})}
        path = _path(loaded)
        self._script: Script = load_script(path)
        self._file = path.name
        self._digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self._used: Counter[int] = Counter()

    async def complete(self, request: ModelRequest) -> ModelReply:
        """What the first rule that fits does.

        Raises the failures the script asks for, and `ModelSetupError` when no rule fits.
        """
        where = situation_of(request)
        seen = _seen(request, where)
        try:
            deed = self._deed(request, seen)
            reply = None if deed.fail else _message(deed, seen, where, self._call_id(request))
        except UserError as error:
            raise ModelSetupError(f"model '{self.name}': {self._file}: {error}") from None
        await self._wait(deed.delay, request)
        if deed.fail is not None or reply is None:
            raise self._failure(deed, request)
        message, finish = reply
        usage = _usage(deed, request, message)
        return ModelReply(message, finish, usage, self._cost(usage), self._receipt(request), deed.delay, 0.0)

    async def close(self) -> None:
        """Nothing is open."""

    def _deed(self, request: ModelRequest, seen: dict[str, Any]) -> Rule | Choice:
        draws = 0
        for index, rule in enumerate(self._script.rules):
            if not _fits(rule, request, seen) or (rule.times is not None and self._used[index] >= rule.times):
                continue
            self._used[index] += 1
            deed: Rule | Choice = rule
            if rule.choose is not None:
                chance = random.Random(f"{call_seed(request.seed, request.key)} {self._entry.variant} {draws}")  # noqa: S311 - chance of a script, not a secret
                deed = chance.choices(rule.choose, [choice.weight for choice in rule.choose])[0]
                draws += 1
            if not deed.skip:
                return deed
        key = request.key
        raise UserError(
            f"no rule fits role '{key.role}', node '{key.node}', lane '{key.lane}', visit {key.visit}; "
            "end the rules with one that has no conditions"
        )

    async def _wait(self, delay: float, request: ModelRequest) -> None:
        left = request.seconds_left
        if left is not None and delay > left:
            await asyncio.sleep(max(0.0, left))
            raise TimeExceeded(f"the trial's time ran out {left:.1f} s into a call of '{self.name}'")
        if delay:
            await asyncio.sleep(delay)

    def _failure(self, deed: Rule | Choice, request: ModelRequest) -> Exception:
        kind = deed.fail or ""
        if kind == "context":
            return ContextExceeded(f"model '{self.name}': the script says the thread is too long")
        attempt = Attempt(kind, _STATUS.get(kind), "as the script says", deed.delay, 0.0)
        return ProviderFault(
            kind, f"model '{self.name}': {kind}, as the script says", [attempt], self._receipt(request)
        )

    def _cost(self, usage: Usage) -> float:
        price = self._entry.price
        if price is None:
            return 0.0
        return ((usage.prompt or 0) * price.prompt + (usage.completion or 0) * price.completion) / 1e6

    def _receipt(self, request: ModelRequest) -> Receipt:
        from harness.models.remote.receipts import hash_json

        asked = {**self._parameters, **request.parameters}
        sent = {name: value for name, value in asked.items() if value is not None and name not in self._entry.drop}
        return Receipt(
            asked=asked,
            sent={"seed": call_seed(request.seed, request.key), **sent},
            dropped=[name for name in self._entry.drop if asked.get(name) is not None],
            tools=hash_json(request.tools) if request.tools else None,
            response_format=hash_json(request.response_format) if request.response_format else None,
            model=self._entry.model,
            resolved=f"script sha256:{self._digest}",
            fingerprint=None,
        )

    def _call_id(self, request: ModelRequest) -> str:
        return f"call_{call_seed(request.seed, request.key):08x}"


def _path(loaded: LoadedModel) -> Path:
    """The script's file, which the loader has made absolute."""
    named = loaded.entry.script or loaded.entry.model.partition("/")[2]
    return loaded.path.parent / named


def _fits(rule: Rule, request: ModelRequest, seen: dict[str, Any]) -> bool:
    key = request.key
    pairs = ((rule.role, key.role), (rule.node, key.node), (rule.lane, key.lane))
    if any(wanted is not None and wanted != there for wanted, there in pairs):
        return False
    visits = [rule.visit] if isinstance(rule.visit, int) else rule.visit
    if visits is not None and key.visit not in visits:
        return False
    return rule.when is None or bool(evaluate(rule.when, seen))


def _seen(request: ModelRequest, where: Situation) -> dict[str, Any]:
    """The names that templates and expressions of a script see."""
    messages = request.messages
    first = next((message for message in messages if message.get("role") == "user"), None)
    return {
        "messages": messages,
        "last": _content(messages[-1]) if messages else "",
        "first": _content(first) if first else "",
        "system": _content(messages[0]) if messages and messages[0].get("role") == "system" else "",
        "tools": list(where.tools),
        "protocol": where.protocol,
        "role": request.key.role,
        "node": request.key.node,
        "lane": request.key.lane,
        "visit": request.key.visit,
        "turn": 1 + sum(message.get("role") == "assistant" for message in messages),
    }


def _message(deed: Rule | Choice, seen: dict[str, Any], where: Situation, call_id: str) -> tuple[Message, str]:
    """The assistant message and how it finished."""
    text = render(deed.text, seen)
    if deed.call is not None or deed.calls is not None:
        calls = [_rendered(call, seen) for call in (*(deed.calls or ()), deed.call) if call is not None]
        message = call_message(calls, text, where, call_id)
    elif deed.malformed is not None:
        message = malformed_message(deed.tool, render(deed.malformed, seen), text, where, call_id)
    elif deed.refuse is not None:
        return {"role": "assistant", "content": None, "refusal": render(deed.refuse, seen)}, "stop"
    elif deed.cut_off is not None:
        return {"role": "assistant", "content": render(deed.cut_off, seen)}, "length"
    elif deed.raw is not None:
        message = (
            {"role": "assistant", "content": deed.raw}
            if isinstance(deed.raw, str)
            else {"role": "assistant", **deed.raw}
        )
    else:
        message = said(render(deed.say or "", seen), where)
    return message, "tool_calls" if message.get("tool_calls") else "stop"


def _rendered(call: ScriptedCall, seen: dict[str, Any]) -> Call:
    return Call(call.tool, {name: _value(value, seen) for name, value in call.arguments.items()})


def _value(value: JsonValue, seen: dict[str, Any]) -> JsonValue:
    if isinstance(value, str):
        alone = _EXPRESSION.fullmatch(value)
        result: JsonValue = evaluate(alone[1].strip(), seen) if alone else render(value, seen)
        return result
    if isinstance(value, dict):
        return {name: _value(item, seen) for name, item in value.items()}
    if isinstance(value, list):
        return [_value(item, seen) for item in value]
    return value


def _usage(deed: Rule | Choice, request: ModelRequest, message: Message) -> Usage:
    """Words, unless the script says otherwise."""
    prompt = sum(_words(each) for each in request.messages)
    if deed.usage is None:
        return Usage(prompt=prompt, completion=max(1, _words(message)))
    given = deed.usage
    completion = max(1, _words(message)) if given.completion is None else given.completion
    return Usage(prompt if given.prompt is None else given.prompt, completion, given.cached, given.reasoning)


def _words(message: Message) -> int:
    calls = message.get("tool_calls")
    return len(_content(message).split()) + (len(json.dumps(calls).split()) if calls else 0)


def _content(message: Message) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or message.get("refusal") or "")
