"""`ownkey workbench export`: a run in another format, from its file, an exported JSON, or a server."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from ownkey.cli.client import DEFAULT_URL, Json, JsonOption, UrlOption, signed_in
from ownkey.cli.failures import CommandFailed, WrongUsage, told_in_a_line
from ownkey.cli.output import show
from ownkey.cli.workbench import options

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
    with told_in_a_line():
        from ownkey.cli.workbench.outputs import format_of, write_whole
        from ownkey.workbench.export import FORMATS

        if as_json and output is None:
            raise WrongUsage("--json tells what was written, and goes with --output")
        name = format_ or ("html" if output is None else format_of(output))
        if name not in FORMATS:
            raise WrongUsage(f"--format {name!r} is none of {', '.join(FORMATS)}")
        data = _data(run, name, run_dir, url)
        if output is None:
            for piece in data:
                sys.stdout.buffer.write(piece)
            return
        write_whole(output, data)
    told: Json = {"run": run, "format": name, "file": str(output)}
    show(told, as_json, f"Wrote {output}")


def _data(named: str, format_: str, run_dir: Path, url: str) -> Iterable[bytes]:
    from ownkey.cli.workbench.outputs import pieces
    from ownkey.cli.workbench.run_files import RunFile, find_run, is_run_file
    from ownkey.workbench.export import read_json

    path = find_run(named, run_dir)
    if path is None:
        if named.startswith(_SERVERS) and os.environ.get("OWNKEY_API_KEY", "").strip():
            return _from_server(named, format_, url)
        raise CommandFailed(f"there is no run {named!r} in {run_dir} and no such file; OWNKEY_URL asks a server")
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
