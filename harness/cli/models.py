"""`harness models`: the local models of the catalogue, and their weights."""

from __future__ import annotations

import json as json_text

import click


@click.group("models", invoke_without_command=True)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="A JSON list of {name, description, licence, chat, bytes, download, sha256, path}.",
)
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """List local models, and download their weights."""
    if context.invoked_subcommand is not None:
        return
    from harness.models.local import catalogue, found, models_folder

    models = [(model, found(model)) for model in catalogue().values()]
    if as_json:
        listed = [
            {
                "name": model.name,
                "description": model.description,
                "licence": model.licence,
                "chat": model.chat,
                "bytes": model.bytes,
                "download": model.download,
                "sha256": model.sha256,
                "path": str(path) if path else None,
            }
            for model, path in models
        ]
        click.echo(json_text.dumps(listed, indent=2))
        return
    width = max(len(model.name) for model, _ in models)
    for model, path in models:
        state = "present" if path else f"{model.download / 1e6:,.0f} MB to download"
        click.echo(f"{model.name:<{width}}  {state:<22}  {model.licence:<11}  {model.description}")
    click.echo(f"\nWeights are kept in {models_folder()}. Fetch them with: harness models pull NAME")


@command.command("pull")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--json", "as_json", is_flag=True, help="A JSON object {name: path}.")
def pull(names: tuple[str, ...], as_json: bool) -> None:
    """Download the weights of local models, where they are not here yet."""
    from harness.models.local import catalogue_model, fetched

    models = [catalogue_model(name) for name in names]
    paths = {}
    for model in models:
        paths[model.name] = str(fetched(model).path)
        if not as_json:
            click.echo(paths[model.name])
    if as_json:
        click.echo(json_text.dumps(paths, indent=2))


@command.command("path")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="A JSON object {name: path or null}.")
@click.pass_context
def path(context: click.Context, name: str, as_json: bool) -> None:
    """Print where the weights of a local model are; exit code 1 when they are not here."""
    from harness.models.local import catalogue_model, found

    where = found(catalogue_model(name))
    if as_json:
        click.echo(json_text.dumps({name: str(where) if where else None}))
    elif where:
        click.echo(where)
    else:
        click.echo(f"{name} is not on this machine; fetch it with: harness models pull {name}", err=True)
    if where is None:
        context.exit(1)
