"""`ownkey keys …`: provider keys."""

from typing import Annotated, Any

import typer

from ownkey.cli.client import DEFAULT_URL, Client, Json, JsonOption, UrlOption, signed_in
from ownkey.cli.failures import CommandFailed, WrongUsage
from ownkey.cli.output import read_key, show, show_table

app = typer.Typer(help="Provider keys: add, list, test, change, delete.", no_args_is_help=True)
_COLUMNS = ("id", "provider", "label", "masked_key", "status", "enabled", "is_default", "priority", "weight")
Which = Annotated[str, typer.Argument(help="Id or label of the key")]


@app.command()
def add(
    provider: Annotated[str, typer.Argument(help="A name from `ownkey providers`")],
    label: Annotated[str | None, typer.Option(help="Your name for the key")] = None,
    base_url: Annotated[str | None, typer.Option(help="Own endpoint, for providers without a fixed address")] = None,
    config: Annotated[
        list[str] | None, typer.Option(help="Further provider settings, such as region=eu-central-1")
    ] = None,
    model: Annotated[str | None, typer.Option(help="The one model this key serves")] = None,
    priority: Annotated[int | None, typer.Option(help="Lower is tried first [100]")] = None,
    weight: Annotated[int | None, typer.Option(help="Share among keys of one priority [1]")] = None,
    allow_model: Annotated[list[str] | None, typer.Option(help="Allowed model or pattern; repeatable")] = None,
    allow_ip: Annotated[list[str] | None, typer.Option(help="Allowed address or network; repeatable")] = None,
    expires_at: Annotated[str | None, typer.Option(help="Such as 2030-01-31T00:00:00Z")] = None,
    monthly_limit_usd: Annotated[str | None, typer.Option(help="Not yet supported")] = None,
    default: Annotated[bool, typer.Option("--default", help="Use this key first")] = False,
    scope: Annotated[str, typer.Option(help="user, or platform for operators")] = "user",
    no_key: Annotated[bool, typer.Option("--no-key", help="The endpoint needs no key")] = False,
    test: Annotated[bool, typer.Option(help="Test the key with its provider")] = True,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Store a key. It is read from the terminal or from standard input, never from the command line."""
    body: Json = {"provider": provider, "scope": scope, "test": test, "is_default": default}
    body |= _given(label=label, base_url=base_url, model=model, priority=priority, weight=weight)
    body |= _given(allowed_models=allow_model, allowed_ips=allow_ip, config=_settings(config))
    body |= _given(expires_at=expires_at, monthly_limit_usd=monthly_limit_usd)
    with signed_in(url) as client:
        if not no_key:
            body["api_key"] = read_key(f"Key for {provider}")
        stored = client.post("/credentials", body)
    told = stored["test"]["message"] if stored.get("test") else "It was not tested."
    _show_hint(stored)
    show(stored, as_json, f"Stored {stored['masked_key']} as {stored['label']!r} ({stored['id']}): {told}")


@app.command("list")
def list_keys(url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """List your keys with their health."""
    with signed_in(url) as client:
        rows = client.every("/credentials")
    show_table(rows, _COLUMNS, as_json, "No keys yet: add one with `ownkey keys add PROVIDER`.")


@app.command("test")
def check(which: Which, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Test a key with its provider. Exits with 1 when it does not."""
    with signed_in(url) as client:
        result = client.post(f"/credentials/{find_key(client, which)['id']}/test", {})
    _show_test(result, as_json, "")


@app.command()
def update(
    which: Which,
    label: Annotated[str | None, typer.Option(help="A new name")] = None,
    priority: Annotated[int | None, typer.Option(help="Lower is tried first")] = None,
    weight: Annotated[int | None, typer.Option(help="Share among keys of one priority")] = None,
    enable: Annotated[bool | None, typer.Option("--enable/--disable", help="Whether requests may use it")] = None,
    default: Annotated[bool | None, typer.Option("--default/--no-default", help="Use this key first")] = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Change a key's settings."""
    body = _given(label=label, priority=priority, weight=weight, enabled=enable, is_default=default)
    if not body:
        raise WrongUsage("nothing to change: see `ownkey keys update --help`")
    with signed_in(url) as client:
        changed = client.patch(f"/credentials/{find_key(client, which)['id']}", body)
    show(changed, as_json, f"Changed {changed['label']!r}.")


@app.command()
def rotate(which: Which, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Replace a key with a new one, read as `add` reads it, and test it. Exits with 1 when it does not work."""
    with signed_in(url) as client:
        found = find_key(client, which)
        body = {"api_key": read_key(f"New key for {found['provider']}"), "test": False}
        changed = client.patch(f"/credentials/{found['id']}", body)
        result = client.post(f"/credentials/{found['id']}/test", {})
    _show_hint(changed)
    _show_test(result, as_json, f"Replaced {found['label']!r}. ")


@app.command()
def rm(which: Which, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Delete a key: it stops working immediately, and its ciphertext is erased."""
    with signed_in(url) as client:
        found = find_key(client, which)
        client.delete(f"/credentials/{found['id']}")
    show({"deleted": found["id"]}, as_json, f"Deleted {found['label']!r}.")


def _settings(pairs: list[str] | None) -> dict[str, str] | None:
    """`name=value` as an object. None of it is secret: secrets are read from standard input."""
    if not pairs:
        return None
    split = [pair.partition("=") for pair in pairs]
    wrong = next((name for name, equals, _ in split if not equals), None)
    if wrong is not None:
        raise WrongUsage(f"--config {wrong} is not name=value, for example region=eu-central-1")
    return {name: value for name, _, value in split}


def _given(**values: Any) -> Json:
    return {name: value for name, value in values.items() if value not in (None, [])}


def _show_hint(stored: Json) -> None:
    """On standard error, so that JSON on standard output stays alone."""
    if stored.get("hint"):
        typer.echo(f"Note: {stored['hint']}", err=True)


def _show_test(result: Json, as_json: bool, before: str) -> None:
    latency = f" ({result['latency_ms']:.0f} ms)" if result.get("latency_ms") is not None else ""
    show(result, as_json, f"{before}{result['status']}: {result['message']}{latency}")
    if not result["success"]:
        raise typer.Exit(1)


def find_key(client: Client, which: str) -> Json:
    """The one key with this id or label. Raises CommandFailed for none or several."""
    rows = client.every("/credentials")
    found = [row for row in rows if row["id"] == which] or [row for row in rows if row["label"] == which]
    if len(found) != 1:
        count = "several keys have" if found else "no key has"
        raise CommandFailed(f"{count} the id or label {which!r}: see `ownkey keys list`")
    return found[0]
