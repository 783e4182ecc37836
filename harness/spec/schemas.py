"""JSON Schemas of the kinds of file, for editors to complete and check by.

The options of the built-in environment kinds are folded into the scenario's schema, so that an editor knows
which keys `environment` and `setup` take once `kind` is written.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from harness.spec.resolved import Catalog
from harness.spec.scaffold import Scaffold
from harness.spec.scenario import Scenario
from harness.spec.sweep import ModelsFile, Sweep

DIALECT = "http://json-schema.org/draft-07/schema#"
"""What editors' YAML servers read best; `$defs` and `$ref` are understood by them all the same."""

_MODELS: dict[str, type[BaseModel]] = {
    "scenario": Scenario,
    "scaffold": Scaffold,
    "sweep": Sweep,
    "models": ModelsFile,
}


class _Described(GenerateJsonSchema):
    """Without made-up titles, and with the docstrings that stand below the fields as their descriptions.

    Pydantic could read the docstrings itself, but would do so whenever the models are imported.
    """

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        described = super().model_schema(schema)
        for name, text in _field_docstrings(schema["cls"]).items():
            info = schema["cls"].model_fields.get(name)
            part = described.get("properties", {}).get((info.alias if info else None) or name)
            if part is not None:
                part.setdefault("description", text)
        return described


def _field_docstrings(model: type) -> dict[str, str]:
    """Field name -> the string that stands below it, of a class and those it inherits from."""
    found: dict[str, str] = {}
    for cls in reversed([cls for cls in model.__mro__ if issubclass(cls, BaseModel) and cls is not BaseModel]):
        try:
            body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
        except (OSError, TypeError, SyntaxError):
            continue
        statements = body.body if isinstance(body, ast.ClassDef) else []
        for field, below in pairwise(statements):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
                and isinstance(below.value.value, str)
            ):
                found[field.target.id] = inspect.cleandoc(below.value.value)
    return found


def json_schemas(catalog: Catalog | None = None) -> dict[str, dict[str, Any]]:
    """Kind of file -> its JSON Schema, of those that a sweep is made of.

    With the options of the catalog's environment kinds, where one is given.
    """
    schemas = {kind: file_schema(model, kind) for kind, model in _MODELS.items()}
    if catalog is not None:
        _fold_environments(schemas["scenario"], catalog)
    return schemas


def file_schema(model: type[BaseModel], kind: str) -> dict[str, Any]:
    """The JSON Schema of files of a kind."""
    schema = _tidy(model.model_json_schema(by_alias=True, schema_generator=_Described))
    schema["properties"].pop("scope", None)
    for part in schema.get("$defs", {}).values():
        part.get("properties", {}).pop("scope", None)
    return {"$schema": DIALECT, **schema, "title": f"{kind} file of the harness"}


def _fold_environments(schema: dict[str, Any], catalog: Catalog) -> None:
    definitions = schema.setdefault("$defs", {})
    choices, setups = [], []
    for kind in catalog.kinds():
        loaded = catalog.load(kind)
        for part, model in (("environment", loaded.Options), ("setup", loaded.Setup)):
            inner = _tidy(model.model_json_schema(by_alias=True, schema_generator=_Described))
            name = f"{kind}-{part}"
            _move_definitions(inner, definitions, name)
            definitions[name] = inner
        definitions[f"{kind}-environment"].setdefault("properties", {})["kind"] = {"const": kind}
        condition = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
        choices.append({"if": condition, "then": {"$ref": f"#/$defs/{kind}-environment"}})
        task = {"properties": {"setup": {"$ref": f"#/$defs/{kind}-setup"}}}
        setups.append(
            {
                "if": {"properties": {"environment": condition}, "required": ["environment"]},
                "then": {"properties": {"tasks": {"items": task}}},
            }
        )
    environment = definitions["EnvironmentSpec"]
    kinds = environment["properties"]["kind"]
    # Talk can be added to any kind; the options of those that are not listed are told when the file is checked.
    own = r"^(conversation\+)?[A-Za-z_][\w.]*:[A-Za-z_]\w*$"
    kinds["anyOf"] = [{"enum": catalog.kinds()}, {"pattern": own}, {"pattern": r"^conversation\+[a-z][\w-]*$"}]
    environment["allOf"] = choices
    schema["allOf"] = setups


def _move_definitions(inner: dict[str, Any], definitions: dict[str, Any], prefix: str) -> None:
    moved = inner.pop("$defs", {})
    names = {f"#/$defs/{name}": f"#/$defs/{prefix}-{name}" for name in moved}
    _rename(inner, names)
    for name, part in moved.items():
        _rename(part, names)
        definitions[f"{prefix}-{name}"] = part


def _rename(part: object, names: dict[str, str]) -> None:
    if isinstance(part, dict):
        if part.get("$ref") in names:
            part["$ref"] = names[part["$ref"]]
        for value in part.values():
            _rename(value, names)
    elif isinstance(part, list):
        for value in part:
            _rename(value, names)


def _tidy(schema: Any) -> Any:  # noqa: ANN401 - any part of a schema in, one of the same type out
    """Descriptions on one line, and no keywords that JSON Schema does not know."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: re.sub(r"\s+", " ", value) if key == "description" and isinstance(value, str) else _tidy(value)
        for key, value in schema.items()
        if not (key == "discriminator" and isinstance(value, dict) and "propertyName" in value)
    }
