"""Finishing an answer in any format as the reply wants it: in larger chunks, without usage, or damaged half-way."""

from collections.abc import Generator
from typing import Any, cast

import msgspec
from msgspec import structs

from ownkey.sandbox.chat import Fault, Reply
from ownkey.sandbox.exchange import Answer, StreamEvent

_NOT_UTF8 = b"\xc3\x28\xff\n\n"


def finish_stream(
    events: Generator[StreamEvent, None, None], reply: Reply, tokens: int, error_event: bytes
) -> Generator[StreamEvent, None, None]:
    """`events` of `tokens` tokens in all as the reply wants them: in larger chunks, without usage, damaged."""
    if reply.chunk > 1:
        events = _in_chunks(events, reply.chunk, tokens)
    if reply.usage_factor is None:
        events = stream_without_usage(events)
    return damage_stream(events, reply.fault, tokens, error_event) if reply.fault else events


def _in_chunks(
    events: Generator[StreamEvent, None, None], chunk: int, tokens: int
) -> Generator[StreamEvent, None, None]:
    """The events carry `chunk` tokens each; this sets their counts right."""
    left = tokens
    try:
        for carried, data in events:
            tokens_carried = min(carried * chunk, left)
            left -= tokens_carried
            yield tokens_carried, data
    finally:
        events.close()


def damage_stream(
    events: Generator[StreamEvent, None, None], fault: Fault, tokens: int, error_event: bytes
) -> Generator[StreamEvent, None, None]:
    """`events` damaged at the middle one of its `tokens` tokens.

    A cut ends inside that event; garbage leaves half of it, bytes that are no UTF-8, and goes on;
    an error event takes its place and ends the stream, or is all there is.
    """
    passed, middle, done = 0, tokens // 2, False
    try:
        if fault is Fault.ERROR_ONLY:
            yield 0, error_event
            return
        for event in events:
            carried, data = event
            if done or not carried or passed < middle:
                passed += carried
                yield event
                continue
            done = True
            half = data[: len(data) // 2]
            if fault is Fault.CUT:
                yield 0, half
                return
            if fault is Fault.ERROR_EVENT:
                yield 0, error_event
                return
            yield 0, half + _NOT_UTF8
    finally:
        events.close()


def finish_answer(answer: Answer, reply: Reply) -> Answer:
    """A whole answer as the reply wants it: without usage, damaged."""
    if reply.usage_factor is None:
        answer = structs.replace(answer, body=without_usage(answer.body))
    return damage_answer(answer, reply.fault) if reply.fault in (Fault.CUT, Fault.GARBAGE) else answer


def damage_answer(answer: Answer, fault: Fault) -> Answer:
    """A whole answer of which only half arrives (cut) or is JSON (garbage)."""
    half = answer.body[: len(answer.body) // 2]
    if fault is Fault.CUT:
        missing = len(answer.body) - len(half)
        return Answer(answer.status, answer.head, half, delay=answer.delay, missing_bytes=missing)
    return Answer(answer.status, answer.head, half + _NOT_UTF8, delay=answer.delay)


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


def stream_without_usage(events: Generator[StreamEvent, None, None]) -> Generator[StreamEvent, None, None]:
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
