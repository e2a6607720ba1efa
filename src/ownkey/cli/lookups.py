"""Commands that only read: providers, usage, requests, explain."""

from typing import Annotated

import typer

from ownkey.cli.client import DEFAULT_URL, JsonOption, UrlOption, signed_in
from ownkey.cli.output import show, show_table


def providers(url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """List the providers a key can be stored for."""
    columns = ("name", "title", "eu", "formats", "key_example", "signup_url")
    with signed_in(url) as client:
        rows = client.every("/providers")
    show_table(rows, columns, as_json, "No providers.")


def usage(
    range_: Annotated[str, typer.Option("--range", help="24h, 7d, 30d, 90d or all")] = "30d",
    group_by: Annotated[str, typer.Option(help="model, provider, credential, user, day or hour")] = "model",
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Sum up usage."""
    with signed_in(url) as client:
        found = client.get("/usage", {"range": range_, "group_by": group_by})
    if as_json:
        show(found, True, "")
        return
    columns = ("key", "requests", "errors", "input_tokens", "output_tokens", "list_cost_usd", "charged_usd")
    rows = [*found["items"], found["total"] | {"key": "total"}] if found["items"] else []
    show_table(rows, columns, False, f"No usage in the range {range_}.")


def requests(
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many, newest first")] = 20,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """List the latest requests."""
    with signed_in(url) as client:
        rows = client.get("/requests", {"limit": str(limit)})["items"]
    columns = ("id", "at", "model", "provider", "payer", "status", "input_tokens", "output_tokens", "list_cost_usd")
    show_table(rows, columns, as_json, "No requests yet.")


def explain(
    model: Annotated[str, typer.Argument(help="Such as openai/gpt-5-mini")],
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show which key a request would use, and why not the others. Nothing is sent."""
    with signed_in(url) as client:
        plan = client.post("/route/explain", {"model": model})
    if as_json:
        show(plan, True, "")
        return
    columns = ("label", "provider", "upstream_model", "payer", "translated")
    told = plan["refusal"]["message"] if plan["refusal"] else "No attempt."
    show_table(plan["attempts"], columns, False, told)
    for drop in plan["dropped"]:
        print(f"not {drop['label']}: {drop['detail']}")
