"""What a user's text tells the models to do, so that a test can lead them.

For `tool` and `tools` a direction is `sandbox:call`, a tool's name and its arguments as a JSON object, anywhere in
the last user message:

    sandbox:call Read {"file_path": "/tmp/notes.txt"}

The object may span lines. For `right-P`, the right answer is told by the rest of a line, and for `judge` a verdict
takes the place of its own:

    sandbox:answer Paris
    sandbox:verdict {"pass": false, "score": 0.2, "reason": "Told so."}

What only looks like a direction is text like any other.
"""

import json
import re
from collections.abc import Iterator

from msgspec import Struct

_OPENING = re.compile(r"sandbox:call\s+([A-Za-z0-9_.-]{1,128})\s+(?=\{)")
_ANSWER = re.compile(r"sandbox:answer[ \t]+(\S[^\r\n]*)")
_VERDICT = re.compile(r"sandbox:verdict\s+(?=\{)")
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


def answer_in(text: str) -> str | None:
    """What follows `sandbox:answer` on its line; None when there is none."""
    found = _ANSWER.search(text)
    return found[1].strip() if found else None


def verdict_in(text: str) -> str | None:
    """The JSON object after the first `sandbox:verdict`, as it was given; None when there is none."""
    found = _VERDICT.search(text)
    if found is None:
        return None
    try:
        _, end = _DECODER.raw_decode(text, found.end())
    except (json.JSONDecodeError, RecursionError):
        return None
    return text[found.end() : end]
