"""`harness schema`: write JSON Schemas, by which an editor completes and checks the YAML files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("schemas"), show_default=True,
    help="Folder to write into.",
)  # fmt: skip
@click.option(
    "--outputs", is_flag=True, help="Of what --json prints (comparison, results, ...) instead of what is read."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of writing files.")
def command(out: Path, outputs: bool, as_json: bool) -> int:
    """Write scenario, scaffold, sweep, models, script and variants .schema.json into a folder.

    An editor with a YAML language server uses them where a file begins with a line such as
    `# yaml-language-server: $schema=schemas/scenario.schema.json`.

    With --outputs: comparison, results, trial and scaffold-drawing .schema.json, every field of them explained.

    The JSON object: {"scenario": <JSON Schema>, "scaffold": ..., "sweep": ..., "models": ..., "script": ...,
    "variants": ...}.
    """
    from harness.errors import UserError

    if outputs:
        from harness.report.shapes import output_schemas

        schemas = output_schemas()
    else:
        schemas = input_schemas()
    if as_json:
        click.echo(json.dumps(schemas, indent=2, ensure_ascii=False))
        return 0
    try:
        out.mkdir(parents=True, exist_ok=True)
        for kind, schema in schemas.items():
            path = out / f"{kind}.schema.json"
            path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            click.echo(str(path))
    except OSError as error:
        raise UserError(f"{error.filename}: cannot be written: {error.strerror}") from None
    return 0


def input_schemas() -> dict[str, dict[str, Any]]:
    """Kind of file that people write -> its JSON Schema."""
    from harness.environments import CATALOG
    from harness.intervene.surfaces import Variants
    from harness.models.scripted_file import Script
    from harness.spec import file_schema, json_schemas

    return {
        **json_schemas(CATALOG), "script": file_schema(Script, "script"), "variants": file_schema(Variants, "variants")
    }  # fmt: skip
