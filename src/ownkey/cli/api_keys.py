"""`ownkey api-keys …`: Ownkey's own keys for apps and scripts."""

from typing import Annotated

import typer

from ownkey.cli.client import DEFAULT_URL, CommandFailed, Json, JsonOption, KeyOption, UrlOption, signed_in
from ownkey.cli.output import show, show_table
from ownkey.cli.secret_input import read_secret
from ownkey.cli.signing_in import session_client

app = typer.Typer(help="Ownkey API keys for apps and scripts.", no_args_is_help=True)
_COLUMNS = ("id", "name", "prefix", "scopes", "models", "expires_at", "last_used_at")


@app.command()
def create(
    name: Annotated[str, typer.Option(help="What the key is for")],
    scope: Annotated[list[str] | None, typer.Option(help="gateway (call models) or manage; repeatable")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Allowed model or pattern; repeatable")] = None,
    expires_at: Annotated[str | None, typer.Option(help="Such as 2030-01-31T00:00:00Z")] = None,
    requests_per_minute: Annotated[int | None, typer.Option(help="A limit for this key")] = None,
    email: Annotated[str | None, typer.Option(help="Sign in by password instead of an API key")] = None,
    url: UrlOption = DEFAULT_URL,
    api_key: KeyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Make a key and print it, this once."""
    body: Json = {"name": name}
    if scope:
        body["scopes"] = scope
    if model:
        body["models"] = model
    if expires_at:
        body["expires_at"] = expires_at
    if requests_per_minute:
        body["limits"] = {"requests_per_minute": requests_per_minute}
    if email:
        with session_client(url, email, read_secret("Password")) as client:
            made = client.post("/api-keys", body)
    else:
        made = signed_in(url, api_key).post("/api-keys", body)
    show(made, as_json, made["key"])


@app.command("list")
def list_keys(url: UrlOption = DEFAULT_URL, api_key: KeyOption = "", as_json: JsonOption = False) -> None:
    """List your API keys."""
    rows = signed_in(url, api_key).every("/api-keys")
    show_table(rows, _COLUMNS, as_json, "No API keys yet: make one with `ownkey api-keys create --name …`.")


@app.command()
def revoke(
    which: Annotated[str, typer.Argument(help="Id or name of the key")],
    url: UrlOption = DEFAULT_URL,
    api_key: KeyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Revoke a key: it stops working everywhere within a second."""
    client = signed_in(url, api_key)
    found = [row for row in client.every("/api-keys") if which in (row["id"], row["name"])]
    if len(found) != 1:
        raise CommandFailed(f"{len(found)} API keys have the id or name {which!r}: see `ownkey api-keys list`")
    client.delete(f"/api-keys/{found[0]['id']}")
    show({"revoked": found[0]["id"]}, as_json, f"Revoked {found[0]['name']!r}.")
