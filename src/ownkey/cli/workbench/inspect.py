"""`ownkey workbench suites`, `check` and `export`."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from ownkey.cli.client import DEFAULT_URL, Json, JsonOption, UrlOption, signed_in
from ownkey.cli.failures import CommandFailed, WrongUsage, one_line_errors
from ownkey.cli.output import show, show_table
from ownkey.cli.workbench import options


def suites(as_json: JsonOption = False) -> None:
    """List the curated suites."""
    import msgspec

    from ownkey.workbench.suites import CuratedSuites

    rows = [msgspec.to_builtins(info) for info in CuratedSuites().curated_suites()]
    show_table(rows, ("id", "task", "difficulty", "prompts", "licence", "description"), as_json, "No suites.")


def check(
    endpoint: options.Endpoint = None,
    preset: options.Preset = None,
    model: Annotated[str, typer.Option("--model", "-m", help="The model's name at the endpoint")] = "",
    api_key_env: options.KeyEnv = None,
    timeout: options.Timeout = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Look whether a model answers and what its endpoint can do. Exits with 1 when it does not."""
    if not model:
        raise WrongUsage("say which model: --model NAME")
    with one_line_errors():
        from ownkey.cli.workbench.connections import next_step, open_connections
        from ownkey.cli.workbench.execution import in_loop
        from ownkey.cli.workbench.report import plain
        from ownkey.cli.workbench.targets import open_chooser
        from ownkey.workbench.endpoint import ConnectionCheck

        chosen = open_chooser().at(endpoint, preset, model, api_key_env)

        async def work() -> ConnectionCheck:
            async with open_connections() as connections:
                return (await connections.check(chosen, timeout * 1000))[1]

        found = in_loop(work())
        told: dict[str, Any] = plain(found)
    steps = "\n".join(_step(step) for step in told["steps"])
    show(told, as_json, f"{steps}\n{found.message} {next_step(chosen, found)}".strip())
    if not found.success:
        raise typer.Exit(1)


def _step(step: dict[str, Any]) -> str:
    mark = {True: "ok ", False: "BAD", None: " ? "}[step["ok"]]
    took = f" ({step['ms']:,.0f} ms)" if step.get("ms") is not None else ""
    return f"{mark}  {step['name']}: {step['message']}{took}"


_SERVERS = "wrun_"


def export(
    run: Annotated[str, typer.Argument(help="A run's id, its file, or a run that was exported as JSON")],
    format_: Annotated[str | None, typer.Option("--format", help="json, csv, jsonl, junit or html")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; else standard output")] = None,
    run_dir: options.RunDir = options.RUN_FOLDER,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Write a run in another format without asking a model again."""
    with one_line_errors():
        from ownkey.cli.workbench.report import format_of, write_whole
        from ownkey.workbench.export import FORMATS

        if as_json and output is None:
            raise WrongUsage("--json reports what was written, and requires --output")
        name = format_ or ("html" if output is None else format_of(output))
        if name not in FORMATS:
            raise WrongUsage(f"--format {name!r} is unknown: choose from {', '.join(FORMATS)}")
        data = _data(run, name, run_dir, url)
        if output is None:
            for piece in data:
                sys.stdout.buffer.write(piece)
            return
        write_whole(output, data)
    told: Json = {"run": run, "format": name, "file": str(output)}
    show(told, as_json, f"Wrote {output}")


def _data(named: str, format_: str, run_dir: Path, url: str) -> Iterable[bytes]:
    from ownkey.cli.workbench.report import pieces
    from ownkey.cli.workbench.run_files import RunFile, find_run, is_run_file
    from ownkey.workbench.export import read_json

    path = find_run(named, run_dir)
    if path is None:
        if named.startswith(_SERVERS) and os.environ.get("OWNKEY_API_KEY", "").strip():
            return _from_server(named, format_, url)
        raise CommandFailed(f"there is no run {named!r} in {run_dir} and no such file; OWNKEY_URL names a server")
    try:
        if is_run_file(path):
            file = RunFile.read(path)
            return pieces(file.exported(file.summary()), format_)
        return pieces(read_json(path.read_bytes()), format_)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}") from None


def _from_server(run_id: str, format_: str, url: str) -> Iterable[bytes]:
    with signed_in(url) as client:
        yield from client.download(f"/workbench/runs/{run_id}/export", {"format": format_})
