"""Chat in any wire format: read the question, think of the reply, write it whole or as a stream."""

from collections.abc import Generator
from typing import Protocol

from ownkey.sandbox.behaviour import Ask, Fault, Reply, reply_to
from ownkey.sandbox.context import Context, Handler
from ownkey.sandbox.errors import Problem
from ownkey.sandbox.exchange import Answer, Beat, EventStream, Response
from ownkey.sandbox.faults import spoil_answer, spoil_stream
from ownkey.sandbox.pacing import UNPACED, Pace


class ChatFormat(Protocol):
    """One wire format. `read` raises Refused; the others write what a vendor would."""

    def read(self, context: Context) -> Ask: ...

    def answer(self, context: Context, ask: Ask, reply: Reply) -> bytes: ...

    def events(self, context: Context, ask: Ask, reply: Reply) -> Generator[Beat, None, None]: ...

    def error_event(self, context: Context, problem: Problem) -> bytes: ...


def chat_handler(wire: ChatFormat, stream_type: str | None = None) -> Handler:
    """The handler that answers chat requests in `wire`.

    `stream_type` is the media type of streams that are no server-sent events.
    """

    def handle(context: Context) -> Response:
        ask = wire.read(context)
        reply = reply_to(ask, context.plan.key, context.scene)
        pace = context.pace(reply.delay)
        if ask.stream:
            return _stream(wire, context, ask, reply, pace, stream_type)
        body = wire.answer(context, ask, reply)
        delay = pace.due(reply.output_tokens() * ask.count) if pace is not UNPACED else 0.0
        answer = Answer(200, context.head(), body, delay)
        return spoil_answer(answer, reply.fault) if reply.fault else answer

    return handle


def _stream(
    wire: ChatFormat, context: Context, ask: Ask, reply: Reply, pace: Pace, stream_type: str | None
) -> EventStream:
    events = wire.events(context, ask, reply)
    if reply.fault:
        error_event = wire.error_event(context, reply.error_event) if reply.error_event else b""
        events = spoil_stream(events, reply.fault, reply.output_tokens() * ask.count, error_event)
    return EventStream(context.stream_head(stream_type), events, pace, breaks_off=reply.fault is Fault.CUT)
