"""How rows and documents become columns and bytes, and back.

A document is JSON compressed with zstandard (level 3: half the size of the log, at 0.1 ms a trial). Text that is
not Unicode (a lone surrogate from a model's broken escape) becomes U+FFFD, so that a trial can always be written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeVar, cast

import orjson
import zstandard
from pydantic import JsonValue, ValidationError
from pydantic_core import PydanticSerializationError

from harness.record.database import COLUMNS, JSON_COLUMNS
from harness.record.errors import RecordError
from harness.record.schema import TrialDocument, TrialRow

T = TypeVar("T")
LEVEL = 3
MAX_BYTES = 1 << 31
"""Most bytes one blob may expand to."""


def pack(data: bytes) -> bytes:
    """Compress."""
    return zstandard.ZstdCompressor(level=LEVEL).compress(data)


def unpack(data: bytes, what: str) -> bytes:
    """Expand. Raises `RecordError` naming `what` for bytes that were damaged."""
    try:
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=MAX_BYTES)
    except zstandard.ZstdError as error:
        raise RecordError(f"{what}: damaged in the record ({error})") from error


def encode_document(document: TrialDocument) -> bytes:
    """A document as it is stored."""
    try:
        text = document.model_dump_json().encode()
    except PydanticSerializationError:
        text = json.dumps(clean(document.model_dump()), ensure_ascii=False, default=str).encode()
    return pack(text)


def decode_document(data: bytes, trial: str) -> TrialDocument:
    """A stored document. Raises `RecordError` when it cannot be read."""
    try:
        return TrialDocument.model_validate_json(unpack(data, f"trial {trial}"))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RecordError(f"trial {trial}: its document cannot be read ({place}: {first['msg']})") from error


def clean(value: T) -> T:
    """Plain data with every string valid Unicode."""
    return cast(T, _clean(value))


def _clean(value: object) -> object:
    if isinstance(value, str):
        return _unicode(value)
    if isinstance(value, dict):
        return {_clean(str(key)): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def _unicode(text: str) -> str:
    """`text` with every half of a surrogate pair that stands alone as U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def json_text(value: JsonValue) -> str:
    """`value` as JSON text for a column."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(clean(value), ensure_ascii=False, default=str)


def from_json(text: str) -> Any:  # noqa: ANN401 - whatever the JSON holds
    """The value of a JSON column."""
    return orjson.loads(text)


def row_values(row: TrialRow) -> list[Any]:
    """The row's columns, in the order of `COLUMNS`."""
    values = row.model_dump()
    return [json_text(values[name]) if name in JSON_COLUMNS else values[name] for name in COLUMNS]


def row_from(values: Sequence[Any]) -> TrialRow:
    """A row from its columns. Raises `RecordError` when a column holds what it cannot."""
    fields = dict(zip(COLUMNS, values, strict=True))
    try:
        for name in JSON_COLUMNS:
            fields[name] = orjson.loads(fields[name])
        if fields["passed"] is not None:
            fields["passed"] = bool(fields["passed"])
        return TrialRow.model_validate(fields)
    except (ValidationError, orjson.JSONDecodeError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise RecordError(f"trial {fields['trial']}: its row cannot be read ({reason})") from error


@lru_cache(maxsize=1)
def column_list() -> str:
    """The columns, quoted, for a SELECT or INSERT."""
    return ", ".join(f'"{name}"' for name in COLUMNS)


def marks(values: Iterable[Any]) -> str:
    """As many question marks as there are values."""
    return ", ".join("?" for _ in values)
