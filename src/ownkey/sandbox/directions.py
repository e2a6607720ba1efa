"""What a user's text tells the `tool` and `tools` models to call, so that agents can be led through their work.

A direction is `sandbox:call`, a tool's name and its arguments as a JSON object, anywhere in the last user message:

    sandbox:call Read {"file_path": "/tmp/notes.txt"}

The object may span lines. What only looks like a direction is text like any other.
"""

import json
import re
from collections.abc import Iterator

from msgspec import Struct

_OPENING = re.compile(r"sandbox:call\s+([A-Za-z0-9_.-]{1,128})\s+(?=\{)")
_DECODER = json.JSONDecoder()


class Direction(Struct, frozen=True):
    """One call to make; `arguments` is the JSON text as it was given."""

    tool: str
    arguments: str


def directions_in(text: str) -> list[Direction]:
    """The directions in `text`, in order."""
    return list(_found(text)) if "sandbox:call" in text else []


def _found(text: str) -> Iterator[Direction]:
    at = 0
    while opening := _OPENING.search(text, at):
        at = start = opening.end()
        try:
            _, at = _DECODER.raw_decode(text, start)
        except (json.JSONDecodeError, RecursionError):
            continue
        yield Direction(opening[1], text[start:at])
