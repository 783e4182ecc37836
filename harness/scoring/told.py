"""The check and the measure `told`: whether facts came out in what a role said.

What a role said are its words that were carried out, its calls of tools that carry words (`say`, `end_conversation`)
and the answer it submitted. A fact is looked for in each of these alone, as tau-bench does it: ignoring case, and
commas. Beyond tau-bench, runs of white space count as one space, and a fact that begins or ends with a digit is found
as a whole number only, so that `54` is not found in `154`, `54.5` or `1,540`, but is in `54.00`.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.errors import UserError
from harness.record import RecordedAction
from harness.scoring.answers import Verdict, short
from harness.scoring.numbers import numbers_in, single_number
from harness.spec import render
from harness.spec.scenario import ToldCheck, ToldMeasure

SPEAKING = ("say", "end_conversation")
"""Tools whose `text` is said to others."""

_THOUSANDS = re.compile(r"(?<![\d,'’_.])\d{1,3}(?:[,'’_\u00a0\u202f\u2009]\d{3})+(?!\d)")
_LIST = re.compile(r"(?<=\d),(?=\d)")


def check_told(
    check: ToldCheck | ToldMeasure,
    actions: Sequence[RecordedAction],
    answer: str | None,
    names: Mapping[str, Any],
    *,
    alone: bool,
) -> Verdict:
    """Whether all that is wanted was told, and nothing else. `alone`: the scenario has one role, so that all is its.

    Raises `UserError` when `number` cannot be read as one.
    """
    words = said(actions, answer, by=None if alone else check.by, to=check.to, alone=alone)
    texts = [folded(text) for text in words]
    missing = [fact for fact in _facts(check.all, names) if not _found(fact, texts)]
    if missing:
        return 0.0, f"not told: {_listed(missing)}"
    options = _facts(check.any, names)
    if options and not any(_found(fact, texts) for fact in options):
        return 0.0, f"none of these was told: {_listed(options)}"
    leaked = [fact for fact in _facts(check.none, names) if _found(fact, texts)]
    if leaked:
        return 0.0, f"told, though it should not be: {_listed(leaked)}"
    number = _number(check, names)
    if number is not None and not any(_holds(number, text) for text in words):
        return 0.0, f"the number {number:.12g} was not told"
    return 1.0, f"told as wanted in {len(words)} {'message' if len(words) == 1 else 'messages'}"


def was_told(
    declared: ToldMeasure,
    actions: Sequence[RecordedAction],
    answer: str | None,
    names: Mapping[str, Any],
    *,
    alone: bool,
) -> bool:
    """The same as a measure: true or false."""
    return check_told(declared, actions, answer, names, alone=alone)[0] == 1.0


def said(
    actions: Sequence[RecordedAction], answer: str | None, *, by: str | None, to: str | None, alone: bool
) -> list[str]:
    """What a role said, or all roles, one text each; with `to`, only what that role could hear."""
    texts = []
    submitted = False
    for action in actions:
        if by is not None and action["role"] != by:
            continue
        if action["kind"] == "submit":
            submitted = True
            if to is None:
                texts.append(str(action["arguments"].get("answer", "")))
            continue
        # Words of a model's own that no node carried out reached nobody.
        if action["error"] or action["observation"] is None or (to is not None and action["role"] == to):
            continue
        heard_by = action["arguments"].get("to")
        if to is not None and heard_by is not None and str(heard_by).strip().casefold() != to.casefold():
            continue  # names as worlds take them: `ADA ` is ada
        if action["kind"] == "say":
            texts.append(action["text"])
        elif action["kind"] == "tool" and action["name"] in SPEAKING:
            texts.append(str(action["arguments"].get("text", "")))
    if answer is not None and not submitted and alone and to is None:
        texts.append(answer)  # said last, where nothing was submitted
    return texts


def folded(text: str) -> str:
    """A text as facts are looked for in it: small letters, single spaces, no commas and no marks of thousands.

    Letters that look alike to a reader are alike (NFKC), and those that nobody sees are not there.
    """
    text = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    text = _THOUSANDS.sub(lambda match: re.sub(r"\D", "", match[0]), text.casefold())
    text = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(_LIST.sub(" ", text).replace(",", "").split())


def _facts(templates: Sequence[str], names: Mapping[str, Any]) -> list[str]:
    return [render(template, names) for template in templates]


def _found(fact: str, texts: Sequence[str]) -> bool:
    wanted = folded(fact)
    if not wanted:
        return False
    before = r"(?<!\d)(?<!\d\.)" if wanted[0].isdigit() else ""
    after = r"(?:\.0+)?(?!\d)(?!\.\d)" if wanted[-1].isdigit() else ""
    found: Callable[[str], object] = re.compile(before + re.escape(wanted) + after).search
    return any(found(text) for text in texts)


def _number(check: ToldCheck | ToldMeasure, names: Mapping[str, Any]) -> float | None:
    if not isinstance(check.number, str):
        return check.number
    text = render(check.number, names)
    number = single_number(text)
    if number is None:
        raise UserError(f"`number` is {short(text)}, which is not one number")
    return number


def _holds(number: float, text: str) -> bool:
    return any(math.isclose(number, other, rel_tol=1e-9, abs_tol=1e-9) for other in numbers_in(text))


def _listed(facts: Sequence[str]) -> str:
    return ", ".join(short(fact) for fact in facts[:5]) + (f" and {len(facts) - 5} more" if len(facts) > 5 else "")
