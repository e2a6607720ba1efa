"""`ownkey routes …`: own names for models."""

from typing import Annotated

import typer

from ownkey.cli.client import DEFAULT_URL, Json, JsonOption, UrlOption, signed_in
from ownkey.cli.failures import CommandFailed
from ownkey.cli.keys import find_key
from ownkey.cli.output import show, show_table

app = typer.Typer(help="Your own names for models: add, list, delete.", no_args_is_help=True)
_COLUMNS = ("id", "name", "model", "credential_id", "created_at")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The model name that clients will send")],
    model: Annotated[str, typer.Argument(help="The model it refers to, such as openai/gpt-5-mini")],
    key: Annotated[str | None, typer.Option(help="Id or label of the one key that serves it")] = None,
    shadow: Annotated[bool, typer.Option("--shadow", help="Allow a name that is a model's own")] = False,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Give a model a name of your own."""
    body: Json = {"name": name, "model": model, "shadow": shadow}
    with signed_in(url) as client:
        if key is not None:
            body["credential_id"] = find_key(client, key)["id"]
        made = client.post("/routes", body)
    note = f" Not yet: {made['note']}" if made["note"] else ""
    show(made, as_json, f"{made['name']} refers to {made['model']}.{note}")


@app.command("list")
def list_routes(url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """List your routes."""
    with signed_in(url) as client:
        rows = client.every("/routes")
    show_table(rows, _COLUMNS, as_json, "No routes yet: add one with `ownkey routes add NAME MODEL`.")


@app.command()
def rm(
    which: Annotated[str, typer.Argument(help="Id or name of the route")],
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Delete a route."""
    with signed_in(url) as client:
        found = [row for row in client.every("/routes") if which in (row["id"], row["name"])]
        if not found:
            raise CommandFailed(f"no route has the id or name {which!r}: see `ownkey routes list`")
        client.delete(f"/routes/{found[0]['id']}")
    show({"deleted": found[0]["id"]}, as_json, f"Deleted {found[0]['name']!r}.")
