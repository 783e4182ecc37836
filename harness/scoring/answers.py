"""Checks of the submitted answer."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from harness.errors import UserError
from harness.scoring.numbers import single_number
from harness.scoring.patterns import search
from harness.spec import render
from harness.spec.scenario import AnswerCheck

Verdict = tuple[float, str]
"""Score in [0, 1], and what was expected and found."""


def check_answer(check: AnswerCheck, answer: str | None, names: Mapping[str, Any]) -> Verdict:
    """All conditions given must hold; no answer holds to none. Raises `UserError` when a condition cannot be read."""
    if answer is None:
        return 0.0, "no answer"
    for holds in (_equals, _number, _matches, _schema):
        failed = holds(check, answer, names)
        if failed is not None:
            return 0.0, failed
    return 1.0, f"found {short(answer)}"


def _equals(check: AnswerCheck, answer: str, names: Mapping[str, Any]) -> str | None:
    if check.equals is None:
        return None
    expected = render(check.equals, names)
    return None if _folded(answer) == _folded(expected) else f"expected {short(expected)}, found {short(answer)}"


def _number(check: AnswerCheck, answer: str, names: Mapping[str, Any]) -> str | None:
    if check.number is None:
        return None
    expected: float | None
    if isinstance(check.number, str):
        expected = single_number(text := render(check.number, names))
        if expected is None:
            raise UserError(f"`number` is {short(text)}, which is not one number")
    else:
        expected = float(check.number)
    found = single_number(answer)
    if found is None:
        return f"expected {expected:g}, found not one number in {short(answer)}"
    allowed = check.tolerance + 1e-9 * max(1.0, abs(expected))
    return None if abs(found - expected) <= allowed else f"expected {expected:.12g}, found {found:.12g}"


def _matches(check: AnswerCheck, answer: str, names: Mapping[str, Any]) -> str | None:
    if check.matches is None or search(check.matches, answer):
        return None
    return f"nothing in {short(answer)} matches {check.matches}"


def _schema(check: AnswerCheck, answer: str, names: Mapping[str, Any]) -> str | None:
    if check.json_schema is None:
        return None
    try:
        value = json.loads(answer, parse_constant=_no_constant)
        problem = _first_problem(check.json_schema, value)
    except (ValueError, RecursionError) as error:
        return f"{short(answer)} is not JSON ({error})"
    return None if problem is None else f"{short(answer)}: {problem}"


def _first_problem(schema: Mapping[str, Any], value: object) -> str | None:
    from jsonschema import Draft202012Validator, ValidationError, validators
    from jsonschema.exceptions import SchemaError, best_match
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    def pattern(validator: object, expected: str, instance: object, of: object) -> Iterator[ValidationError]:
        if isinstance(instance, str) and not search(expected, instance):
            yield ValidationError(f"{instance!r} does not match {expected!r}")

    extend: Callable[..., Any] = validators.extend
    validator = extend(Draft202012Validator, {"pattern": pattern})
    try:
        validator.check_schema(schema)
        found = best_match(validator(schema, registry=Registry()).iter_errors(value))
    except SchemaError as error:
        raise UserError(f"`json_schema` is not a JSON schema: {error.message}") from error
    except Unresolvable as error:
        raise UserError(f"`json_schema` refers to what is not in it: {error}") from error
    return None if found is None else short(str(found.message))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip().casefold()


def short(text: str, longest: int = 120) -> str:
    """`text` quoted on one line, shortened."""
    return repr(text if len(text) <= longest else text[:longest] + "...")
