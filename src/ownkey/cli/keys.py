"""`ownkey keys …`: provider keys."""

from typing import Annotated, Any

import typer

from ownkey.cli.client import DEFAULT_URL, CommandFailed, Json, JsonOption, KeyOption, UrlOption, signed_in
from ownkey.cli.output import show, show_table
from ownkey.cli.secret_input import read_secret

app = typer.Typer(help="Provider keys: add, list, test, change, delete.", no_args_is_help=True)
_COLUMNS = ("id", "provider", "label", "masked_key", "status", "enabled", "is_default", "priority", "weight")
Which = Annotated[str, typer.Argument(help="Id or label of the key")]


@app.command()
def add(
    provider: Annotated[str, typer.Argument(help="A name from `ownkey providers`")],
    label: Annotated[str | None, typer.Option(help="Your name for the key")] = None,
    base_url: Annotated[str | None, typer.Option(help="Own endpoint, for providers without a fixed address")] = None,
    model: Annotated[str | None, typer.Option(help="The one model this key serves")] = None,
    priority: Annotated[int | None, typer.Option(help="Lower is tried first [100]")] = None,
    weight: Annotated[int | None, typer.Option(help="Share among keys of one priority [1]")] = None,
    default: Annotated[bool, typer.Option("--default", help="Use this key first")] = False,
    scope: Annotated[str, typer.Option(help="user, or platform for operators")] = "user",
    no_key: Annotated[bool, typer.Option("--no-key", help="The endpoint takes no key")] = False,
    test: Annotated[bool, typer.Option(help="Try the key with its provider")] = True,
    url: UrlOption = DEFAULT_URL,
    api_key: KeyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Store a key. It is read from the terminal or from standard input, never from the command line."""
    client = signed_in(url, api_key)
    body: Json = {"provider": provider, "scope": scope, "test": test, "is_default": default}
    body |= _given(label=label, base_url=base_url, model=model, priority=priority, weight=weight)
    if not no_key:
        body["api_key"] = read_secret(f"Key for {provider}")
    stored = client.post("/credentials", body)
    told = stored["test"]["message"] if stored.get("test") else "It was not tested."
    show(stored, as_json, f"Stored {stored['masked_key']} as {stored['label']!r} ({stored['id']}): {told}")


@app.command("list")
def list_keys(url: UrlOption = DEFAULT_URL, api_key: KeyOption = "", as_json: JsonOption = False) -> None:
    """List your keys with their health."""
    rows = signed_in(url, api_key).every("/credentials")
    show_table(rows, _COLUMNS, as_json, "No keys yet: add one with `ownkey keys add PROVIDER`.")


@app.command()
def test(which: Which, url: UrlOption = DEFAULT_URL, api_key: KeyOption = "", as_json: JsonOption = False) -> None:
    """Ask the provider whether a key works. Exits with 1 when it does not."""
    client = signed_in(url, api_key)
    result = client.post(f"/credentials/{_find(client, which)['id']}/test", {})
    latency = f" ({result['latency_ms']:.0f} ms)" if result.get("latency_ms") is not None else ""
    show(result, as_json, f"{result['status']}: {result['message']}{latency}")
    if not result["success"]:
        raise typer.Exit(1)


@app.command()
def update(
    which: Which,
    label: Annotated[str | None, typer.Option(help="A new name")] = None,
    priority: Annotated[int | None, typer.Option(help="Lower is tried first")] = None,
    weight: Annotated[int | None, typer.Option(help="Share among keys of one priority")] = None,
    enable: Annotated[bool | None, typer.Option("--enable/--disable", help="Whether requests may use it")] = None,
    default: Annotated[bool | None, typer.Option("--default/--no-default", help="Use this key first")] = None,
    url: UrlOption = DEFAULT_URL,
    api_key: KeyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Change a key's settings."""
    client = signed_in(url, api_key)
    body = _given(label=label, priority=priority, weight=weight, enabled=enable, is_default=default)
    if not body:
        raise CommandFailed("nothing to change: see --help")
    changed = client.patch(f"/credentials/{_find(client, which)['id']}", body)
    show(changed, as_json, f"Changed {changed['label']!r}.")


@app.command()
def rotate(which: Which, url: UrlOption = DEFAULT_URL, api_key: KeyOption = "", as_json: JsonOption = False) -> None:
    """Replace a key by a new one, which is read as `add` reads it, and test it."""
    client = signed_in(url, api_key)
    found = _find(client, which)
    client.patch(f"/credentials/{found['id']}", {"api_key": read_secret(f"New key for {found['provider']}")})
    result = client.post(f"/credentials/{found['id']}/test", {})
    show(result, as_json, f"Replaced {found['label']!r}. {result['status']}: {result['message']}")


@app.command()
def rm(which: Which, url: UrlOption = DEFAULT_URL, api_key: KeyOption = "", as_json: JsonOption = False) -> None:
    """Delete a key: it stops working at once and its ciphertext is gone."""
    client = signed_in(url, api_key)
    found = _find(client, which)
    client.delete(f"/credentials/{found['id']}")
    show({"deleted": found["id"]}, as_json, f"Deleted {found['label']!r}.")


def _given(**values: Any) -> Json:
    return {name: value for name, value in values.items() if value is not None}


def _find(client: Any, which: str) -> Json:
    rows: list[Json] = client.every("/credentials")
    found = [row for row in rows if which in (row["id"], row["label"])]
    if len(found) != 1:
        raise CommandFailed(f"no key has the id or label {which!r}: see `ownkey keys list`")
    return found[0]
