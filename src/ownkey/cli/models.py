"""`ownkey models` lists the catalogue of a server, `ownkey models facts` what is known of single models, and
`ownkey models refresh` renews the prices in a data directory."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from ownkey.cli.client import DEFAULT_URL, JsonOption, UrlOption, signed_in
from ownkey.cli.failures import CommandFailed, one_line_errors
from ownkey.cli.output import show, show_table

app = typer.Typer(help="List the curated models, or renew their prices.", invoke_without_command=True)


@app.callback()
def models(
    context: typer.Context,
    filters: Annotated[
        str, typer.Option("--filter", help="eu, recommended, usable, provider:NAME, tier:NAME; commas join them")
    ] = "",
    tier: Annotated[str | None, typer.Option(help="flagship, premium, standard, efficient, enterprise")] = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """List the curated models with prices in USD per million tokens."""
    if context.invoked_subcommand is not None:
        return
    query = {"filter": filters} | ({"tier": tier} if tier else {})
    with signed_in(url) as client:
        rows = client.every("/models", query)
    columns = ("id", "title", "input_usd", "output_usd", "priced_by", "context_window", "tier", "eu", "usable")
    show_table(rows, columns, as_json, "No model passes the filter.")
    if as_json:
        return
    for row in rows:
        if row["price_differs"]:
            stated, listed = row["stated_usd"], f"{row['input_usd']} / {row['output_usd']}"
            print(f"{row['id']}: stated {stated['input']} / {stated['output']}, {row['priced_by']} lists {listed}")


@app.command()
def facts(
    provider: Annotated[str | None, typer.Option(help="Only this provider's")] = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """List what is known of providers and models, and which fields providers rejected lately (for operators)."""
    with signed_in(url) as client:
        found = client.get("/models/facts", {"provider": provider} if provider else {})
    if as_json:
        show(found, True, "")
        return
    rows = [row | {"models": ", ".join(row["models"]), "facts": ", ".join(row["facts"])} for row in found["items"]]
    show_table(rows, ("provider", "models", "facts", "date", "source"), False, "No facts.")
    if found["learned"]:
        print("\nRejected lately, and left out until:")
        show_table(found["learned"], ("provider", "model", "field", "until"), False, "")


@app.command()
def refresh(
    file: Annotated[
        Path | None, typer.Option(help="Prices in genai-prices' own JSON format, instead of the installed package")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Where the server stores its data [.data]")
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", help="Settings file (ownkey.toml)")] = None,
    as_json: JsonOption = False,
) -> None:
    """Renew prices and context windows in the data directory; a running server uses them within seconds."""
    with one_line_errors():
        from ownkey.cli.refreshing import refresh_prices
        from ownkey.config import load_settings

        folder = load_settings(os.environ, {"data_dir": data_dir}, config).data_dir
        try:
            report = refresh_prices(folder, file)
        except OSError as error:
            raise CommandFailed(f"{error.filename or folder}: {error.strerror}; nothing was changed") from None
    if as_json:
        show(report, True, "")
    else:
        _tell(report)


def _tell(report: dict[str, Any]) -> None:
    columns = ("provider", "model", "before_usd", "after_usd")
    for kind in ("new", "raised", "lowered", "gone"):
        changes: list[dict[str, Any]] = report[kind]
        if changes:
            print(f"{len(changes)} {kind}:")
            rows = [row | {"before_usd": _pair(row["before"]), "after_usd": _pair(row["after"])} for row in changes]
            show_table(rows, columns, False, "")
    print(f"{len(report['context_windows'])} context windows changed.")
    print(f"{report['models']} prices from {report['source']} are in {report['file']}.")


def _pair(rates: dict[str, Any] | None) -> str:
    return "-" if rates is None else f"{rates['input']} / {rates['output']}"
