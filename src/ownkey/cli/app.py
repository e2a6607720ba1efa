"""All commands joined. Exit codes: 0 success, 1 error, 2 wrong usage, 100 failed checks (workbench)."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ownkey.cli import admin, api_keys, keys, lookups, models, routes, workbench
from ownkey.cli.bench import bench
from ownkey.cli.doctor import doctor
from ownkey.cli.failures import CommandFailed, one_line_errors

app = typer.Typer(
    name="ownkey",
    help="A gateway for language models where everyone brings their own keys.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(keys.app, name="keys")
app.add_typer(api_keys.app, name="api-keys")
app.add_typer(routes.app, name="routes")
app.add_typer(admin.app, name="admin")
app.add_typer(models.app, name="models")
app.add_typer(workbench.app, name="workbench")
for command in (lookups.providers, lookups.usage, lookups.requests, lookups.explain, doctor, bench):
    app.command()(command)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [8080]")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where database, journal and master key live [.data]")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file (ownkey.toml)")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes; more than one needs Postgres")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write the log as JSON")] = False,
) -> None:
    """Start the server."""
    with one_line_errors():
        from ownkey.config import load_settings
        from ownkey.main.server import serve as run

        overrides = {"host": host, "port": port, "data_dir": data_dir, "workers": workers}
        run(load_settings(os.environ, overrides | ({"log_format": "json"} if as_json else {}), config))


@app.command()
def sandbox(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one and prints it")] = 8089,
    ttft_ms: Annotated[float, typer.Option(min=0, help="Milliseconds to the first byte")] = 0.0,
    tokens_per_second: Annotated[float, typer.Option(min=0, help="Pace of streamed tokens; 0 means no delay")] = 0.0,
    seed: Annotated[int | None, typer.Option(help="Vary both by up to a quarter, reproducibly")] = None,
    ttft: Annotated[
        str | None,
        typer.Option(help="Distribution of the time to first byte in ms, such as lognormal:200:0.5; see the page"),
    ] = None,
    gap: Annotated[
        str | None, typer.Option(help="Distribution of the time before each further token, such as exponential:20")
    ] = None,
    recent_requests: Annotated[int, typer.Option(min=0, help="How many requests the debugging log holds")] = 512,
    lenient: Annotated[bool, typer.Option("--lenient", help="Accept requests that the vendors refuse")] = False,
) -> None:
    """Start a simulator of all providers: no key needed, nothing billed."""
    from ownkey.sandbox import Options, parse_distribution, run

    try:
        options = Options(
            ttft_ms=ttft_ms,
            tokens_per_second=tokens_per_second,
            seed=seed,
            ttft=parse_distribution(ttft) if ttft else None,
            gap=parse_distribution(gap) if gap else None,
            recent_requests=recent_requests,
            lenient=lenient,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--ttft, --gap") from error
    run(host, port, options)


def main() -> None:
    """Run the command line; errors are reported on one line, without a traceback."""
    try:
        app()
    except CommandFailed as error:
        print(f"ownkey: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
