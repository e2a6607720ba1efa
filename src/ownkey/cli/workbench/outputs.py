"""Runs as files, in the formats of docs/exports.md."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

from ownkey.cli.failures import CommandFailed, WrongUsage
from ownkey.workbench.export import FORMATS, ExportedRun


def format_of(path: Path) -> str:
    """The format's name by a file's ending. Raises WrongUsage."""
    for name, kind in FORMATS.items():
        if path.suffix.lower() == kind.ending:
            return name
    endings = ", ".join(kind.ending for kind in FORMATS.values())
    raise WrongUsage(f"{path} has none of the endings {endings}")


def check_outputs(paths: Sequence[Path]) -> None:
    """Raise WrongUsage before a run rather than after it, for files that could not be written."""
    for path in paths:
        format_of(path)
        if not path.absolute().parent.is_dir():
            raise WrongUsage(f"{path} cannot be written: there is no folder {path.parent}")


def export_to(path: Path, run: ExportedRun, format_: str) -> None:
    """Write a run to a file, which is whole or not there. Raises CommandFailed."""
    write_whole(path, pieces(run, format_))


def pieces(run: ExportedRun, format_: str) -> Iterable[bytes]:
    """The file of a run, piece by piece."""
    stream = FORMATS[format_].export(run)
    with asyncio.Runner() as loop:
        while True:
            piece = loop.run(_next(stream))
            if piece is None:
                return
            yield piece


def write_whole(path: Path, data: Iterable[bytes]) -> None:
    """Replace a file in one step. Raises CommandFailed."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            file.writelines(data)
        draft.replace(path)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)


async def _next(stream: AsyncIterator[bytes]) -> bytes | None:
    return await anext(stream, None)
