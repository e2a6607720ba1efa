"""Answers and streams without the usage that their format tells, for endpoints that never send any."""

from collections.abc import Generator
from typing import Any, cast

import msgspec

from ownkey.sandbox.exchange import Beat

_FIELDS = frozenset(
    ("usage", "usageMetadata", "meta", "prompt_eval_count", "eval_count", "prompt_eval_duration", "eval_duration")
)
_DATA = b"data: "
_AWS_METADATA = b":event-type\x07\x00\x08metadata"
"""The header of Bedrock's event that carries nothing but the usage and the latency."""


def without_usage(body: bytes) -> bytes:
    """A JSON answer without its usage; what is no JSON stays as it is."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body
    _remove(value)
    return msgspec.json.encode(value)


def stream_without_usage(events: Generator[Beat, None, None]) -> Generator[Beat, None, None]:
    """Server-sent events, lines of JSON, or Amazon's messages without their usage."""
    try:
        for carried, data in events:
            if _AWS_METADATA not in data:
                yield carried, data if data[:1] == b"\0" else b"\n".join(map(_line, data.split(b"\n")))
    finally:
        events.close()


def _line(line: bytes) -> bytes:
    before = _DATA if line.startswith(_DATA) else b""
    text = line.removeprefix(before)
    if not text.startswith(b"{"):
        return line
    return before + without_usage(text.rstrip(b"\r")) + (b"\r" if text.endswith(b"\r") else b"")


def _remove(value: Any, depth: int = 0) -> None:
    """Usage stands in the object itself or in the response or message it holds."""
    if not isinstance(value, dict) or depth > 1:
        return
    found = cast("dict[str, Any]", value)
    for name in _FIELDS & found.keys():
        del found[name]
    for name in ("response", "message", "delta", "x_groq"):
        _remove(found.get(name), depth + 1)
