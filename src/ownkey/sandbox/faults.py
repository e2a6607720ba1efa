"""Spoiling an answer half-way, whatever its format."""

from collections.abc import Generator

from ownkey.sandbox.behaviour import Fault
from ownkey.sandbox.exchange import Answer, Beat

_NOT_UTF8 = b"\xc3\x28\xff\n\n"


def spoil_stream(
    events: Generator[Beat, None, None], fault: Fault, tokens: int, error_event: bytes
) -> Generator[Beat, None, None]:
    """`events` spoilt at the middle one of its `tokens` tokens.

    A cut ends inside that event; garbage leaves half of it, bytes that are no UTF-8, and goes on;
    an error event takes its place and ends the stream.
    """
    passed, middle, done = 0, tokens // 2, False
    try:
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


def spoil_answer(answer: Answer, fault: Fault) -> Answer:
    """A whole answer of which only half arrives (cut) or is JSON (garbage)."""
    half = answer.body[: len(answer.body) // 2]
    if fault is Fault.CUT:
        missing = len(answer.body) - len(half)
        return Answer(answer.status, answer.head, half, delay=answer.delay, missing_bytes=missing)
    return Answer(answer.status, answer.head, half + _NOT_UTF8, delay=answer.delay)
