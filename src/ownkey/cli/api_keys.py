"""`ownkey api-keys …`: Ownkey's own keys for apps and scripts."""

from typing import Annotated

import typer

from ownkey.cli.client import DEFAULT_URL, Json, JsonOption, UrlOption, by_password, signed_in
from ownkey.cli.failures import CommandFailed
from ownkey.cli.output import read_secret, show, show_table

app = typer.Typer(help="Ownkey API keys for apps and scripts.", no_args_is_help=True)
_COLUMNS = ("id", "name", "prefix", "scopes", "models", "expires_at", "last_used_at")


@app.command()
def create(
    name: Annotated[str, typer.Option(help="What the key is for")],
    scope: Annotated[list[str] | None, typer.Option(help="gateway (call models) or manage; repeatable")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Allowed model or pattern; repeatable")] = None,
    allow_ip: Annotated[list[str] | None, typer.Option(help="Allowed address or network; repeatable")] = None,
    expires_at: Annotated[str | None, typer.Option(help="Such as 2030-01-31T00:00:00Z")] = None,
    requests_per_minute: Annotated[int | None, typer.Option(min=1, help="A limit for this key")] = None,
    email: Annotated[str | None, typer.Option(help="Sign in by password instead of an API key")] = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Create a key and print it, only this once."""
    body: Json = {"name": name}
    if scope:
        body["scopes"] = scope
    if model:
        body["models"] = model
    if allow_ip:
        body["allowed_ips"] = allow_ip
    if expires_at:
        body["expires_at"] = expires_at
    if requests_per_minute is not None:
        body["limits"] = {"requests_per_minute": requests_per_minute}
    with by_password(url, email, read_secret("Password")) if email else signed_in(url) as client:
        made = client.post("/api-keys", body)
    show(made, as_json, made["key"])


@app.command("list")
def list_keys(url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """List your API keys."""
    with signed_in(url) as client:
        rows = client.every("/api-keys")
    show_table(rows, _COLUMNS, as_json, "No API keys yet: create one with `ownkey api-keys create --name …`.")


@app.command()
def revoke(
    which: Annotated[str, typer.Argument(help="Id or name of the key")],
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Revoke a key: it stops working everywhere within a second."""
    with signed_in(url) as client:
        rows = client.every("/api-keys")
        found = [row for row in rows if row["id"] == which] or [row for row in rows if row["name"] == which]
        if len(found) != 1:
            raise CommandFailed(f"{len(found)} API keys have the id or name {which!r}: see `ownkey api-keys list`")
        client.delete(f"/api-keys/{found[0]['id']}")
    show({"revoked": found[0]["id"]}, as_json, f"Revoked {found[0]['name']!r}.")
