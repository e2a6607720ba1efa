"""JSON, the whole run in one document, and JSONL, a request a line.

Both are written while the results are read. A line of the JSONL file is an element of the document's `results`.
"""

from collections.abc import AsyncIterator

import msgspec

from ownkey.workbench.export.blocks import in_blocks
from ownkey.workbench.export.run import ExportedRun
from ownkey.workbench.export.writing import request_record, run_document

_OPEN_END = b"]}"


def export_json(run: ExportedRun) -> AsyncIterator[bytes]:
    """One object as `document.RunDocument` describes it, a result a line."""
    return in_blocks(_document(run))


def export_jsonl(run: ExportedRun) -> AsyncIterator[bytes]:
    return in_blocks(_lines(run))


async def _document(run: ExportedRun) -> AsyncIterator[bytes]:
    encode = msgspec.json.Encoder().encode
    # `results` is the last key and empty: what follows it is written after the results.
    yield encode(run_document(run)).removesuffix(_OPEN_END)
    separator = b"\n"
    async for prompt, result in run.results:
        yield separator + encode(request_record(run, prompt, result))
        separator = b",\n"
    yield b"\n" + _OPEN_END + b"\n"


async def _lines(run: ExportedRun) -> AsyncIterator[bytes]:
    encode = msgspec.json.Encoder().encode
    async for prompt, result in run.results:
        yield encode(request_record(run, prompt, result)) + b"\n"
