"""Chat in any wire format: read the question, think of the reply, write it whole or as a stream."""

from collections.abc import Generator
from typing import Protocol

from ownkey.sandbox.behaviours import reply_to
from ownkey.sandbox.context import Context, Handler
from ownkey.sandbox.errors import Problem
from ownkey.sandbox.exchange import Answer, Beat, EventStream, Response
from ownkey.sandbox.faults import finish_answer, finish_stream
from ownkey.sandbox.turn import Ask, Fault, Reply


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
        if reply.usage_factor is None:
            ask.include_usage = False
        tokens = reply.output_tokens() * ask.count
        if ask.stream and not reply.whole:
            return _stream(wire, context, ask, reply, tokens, stream_type)
        body = wire.answer(context, ask, reply)
        return finish_answer(Answer(200, context.head(), body, context.delay(reply, tokens)), reply)

    return handle


def _stream(
    wire: ChatFormat, context: Context, ask: Ask, reply: Reply, tokens: int, stream_type: str | None
) -> EventStream:
    error_event = wire.error_event(context, reply.error_event) if reply.error_event else b""
    events = finish_stream(wire.events(context, ask, reply), reply, tokens, error_event)
    pace = context.stream_pace(reply, tokens)
    return EventStream(context.stream_head(stream_type), events, pace, breaks_off=reply.fault is Fault.CUT)
