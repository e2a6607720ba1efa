"""Spoiling an answer half-way, whatever its format, and leaving out of it what a model does not tell."""

from collections.abc import Generator

from msgspec import structs

from ownkey.sandbox.exchange import Answer, Beat
from ownkey.sandbox.turn import Fault, Reply
from ownkey.sandbox.withheld_usage import stream_without_usage, without_usage

_NOT_UTF8 = b"\xc3\x28\xff\n\n"


def finish_stream(
    events: Generator[Beat, None, None], reply: Reply, tokens: int, error_event: bytes
) -> Generator[Beat, None, None]:
    """`events` of `tokens` tokens in all as the reply wants them: in larger chunks, without usage, spoilt."""
    if reply.chunk > 1:
        events = _in_chunks(events, reply.chunk, tokens)
    if reply.usage_factor is None:
        events = stream_without_usage(events)
    return spoil_stream(events, reply.fault, tokens, error_event) if reply.fault else events


def _in_chunks(events: Generator[Beat, None, None], chunk: int, tokens: int) -> Generator[Beat, None, None]:
    """The events carry `chunk` tokens each; this sets their counts right."""
    left = tokens
    try:
        for carried, data in events:
            tokens_carried = min(carried * chunk, left)
            left -= tokens_carried
            yield tokens_carried, data
    finally:
        events.close()


def spoil_stream(
    events: Generator[Beat, None, None], fault: Fault, tokens: int, error_event: bytes
) -> Generator[Beat, None, None]:
    """`events` spoilt at the middle one of its `tokens` tokens.

    A cut ends inside that event; garbage leaves half of it, bytes that are no UTF-8, and goes on;
    an error event takes its place and ends the stream, or is all there is.
    """
    passed, middle, done = 0, tokens // 2, False
    try:
        if fault is Fault.ERROR_ONLY:
            yield 0, error_event
            return
        for beat in events:
            carried, data = beat
            if done or not carried or passed < middle:
                passed += carried
                yield beat
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
    """A whole answer as the reply wants it: without usage, spoilt."""
    if reply.usage_factor is None:
        answer = structs.replace(answer, body=without_usage(answer.body))
    return spoil_answer(answer, reply.fault) if reply.fault in (Fault.CUT, Fault.GARBAGE) else answer


def spoil_answer(answer: Answer, fault: Fault) -> Answer:
    """A whole answer of which only half arrives (cut) or is JSON (garbage)."""
    half = answer.body[: len(answer.body) // 2]
    if fault is Fault.CUT:
        missing = len(answer.body) - len(half)
        return Answer(answer.status, answer.head, half, delay=answer.delay, missing_bytes=missing)
    return Answer(answer.status, answer.head, half + _NOT_UTF8, delay=answer.delay)
