"""`ownkey bench`: its options."""

import time
from pathlib import Path
from typing import Annotated

import typer

from ownkey.cli.client import JsonOption
from ownkey.cli.failures import one_line_errors
from ownkey.cli.workbench import options

_TARGET = "preset:model, or 'URL model'; append the name of the variable that holds its key; repeatable"


def bench(
    target: Annotated[list[str] | None, typer.Option("--target", "-t", help=_TARGET)] = None,
    endpoint: options.Endpoint = None,
    preset: options.Preset = None,
    model: Annotated[list[str] | None, typer.Option("--model", "-m", help="At one endpoint; repeatable")] = None,
    api_key_env: options.KeyEnv = None,
    complexity: Annotated[
        list[str] | None, typer.Option(help="simple, medium, complex; all unless given; repeatable")
    ] = None,
    size: Annotated[list[str] | None, typer.Option(help="Tokens in-out: 100-300, 1k-1k, 10k-1.5k, 100k-2k")] = None,
    repeats: Annotated[int | None, typer.Option(min=1, max=10_000, help="Variants of each prompt [1]")] = None,
    warm_up: Annotated[
        int | None, typer.Option("--warm-up", min=0, max=1000, help="Calls in advance, not counted")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=5000, help="Most concurrent calls [1; load 1000]")
    ] = None,
    timeout: options.Timeout = 120.0,
    retries: options.Retries = 0,
    prices: Annotated[
        list[str] | None, typer.Option("--prices", help="IN,OUT in USD per million tokens; once, or once per model")
    ] = None,
    max_cost: options.MaxCost = None,
    load: Annotated[str | None, typer.Option(help="Open loop: constant or poisson arrivals")] = None,
    rate: Annotated[float | None, typer.Option(min=0.001, help="Requests per second of the load")] = None,
    duration: Annotated[float | None, typer.Option(min=0.001, help="Seconds of the load")] = None,
    overhead: Annotated[bool, typer.Option("--overhead", help="The same calls directly and through Ownkey")] = False,
    through: Annotated[str | None, typer.Option(help="The model's name at Ownkey, if not preset/model")] = None,
    history: Annotated[Path | None, typer.Option(help="Folder of results: write there, show the trend")] = None,
    seed: Annotated[int | None, typer.Option(help="Generates the prompts; random unless given")] = None,
    check: options.Check = True,
    yes: options.Yes = False,
    as_json: JsonOption = False,
) -> None:
    """Compare providers and models by time, first token, tokens and cost; put load on them; measure Ownkey itself."""
    with one_line_errors():
        from ownkey.cli.bench.execution import execute
        from ownkey.cli.bench.plans import Asked

        asked = Asked(
            targets=target or (), endpoint=endpoint, preset=preset, models=model or (), key_env=api_key_env,
            prices=prices or (), complexities=complexity or (), sizes=size or (), repeats=repeats, warm_up=warm_up,
            concurrency=concurrency, timeout=timeout, retries=retries, max_cost=max_cost, load=load, rate=rate,
            duration=duration, overhead=overhead, through=through, history=history,
            seed=int(time.time()) if seed is None else seed, check=check, yes=yes,
        )  # fmt: skip
        code = execute(asked, as_json=as_json)
    if code:
        raise typer.Exit(code)
