"""Answers of formats that no chat is translated into: JSON, events, or bytes that pass as they come."""

import re
from enum import Enum

from ownkey.domain.formats import Operation
from ownkey.gateway.attempts import Answered
from ownkey.gateway.edge.exchange import Responder
from ownkey.gateway.ledger import Ledger
from ownkey.gateway.meter import Meter
from ownkey.gateway.read import Ask
from ownkey.gateway.receipt import receipt_headers
from ownkey.gateway.refusals import passed_headers
from ownkey.wire import FORMATS, MalformedAnswer

_CHATS = frozenset({Operation.CHAT, Operation.COMPLETION})
_JSON = re.compile(rb"application/(?:[a-z0-9.+-]+\+)?json")
_EVENTS = b"text/event-stream"
_ALLOWED = re.compile(
    rb"audio/[a-z0-9.+-]+|application/(?:octet-stream|ogg|x-subrip)|text/(?:plain|vtt|srt)|video/(?:mp4|webm)"
)
"""Sound, subtitles and plain text. Pages, scripts and archives are no answer to any of our formats."""
_UNKNOWN = b"application/octet-stream"


class Body(Enum):
    """How an answer's body is relayed."""

    WHOLE = "whole"
    EVENTS = "events"
    BYTES = "bytes"


def body_of(answered: Answered, ask: Ask) -> Body:
    """A chat is answered as it was asked. Elsewhere the provider's content type tells: some models ignore `stream`."""
    if ask.format.operation in _CHATS:
        return Body.EVENTS if ask.stream else Body.WHOLE
    kind = _media_type(answered)
    if ask.stream and kind == _EVENTS:
        return Body.EVENTS
    if not FORMATS[ask.format].media or _JSON.fullmatch(kind) is not None:
        return Body.WHOLE
    return Body.BYTES


async def pass_bytes(answered: Answered, ask: Ask, responder: Responder, meter: Meter, ledger: Ledger) -> None:
    """Relay a body that is neither JSON nor events, piece by piece. Its usage is not told.

    Raises MalformedAnswer for a kind that is not allowed, and NetError where the body breaks off: the
    client then sees a body without its end.
    """
    kind = _media_type(answered)
    if _ALLOWED.fullmatch(kind) is None:
        raise MalformedAnswer(f"an answer of the kind {kind[:100]!r}")
    response = answered.response
    chunk = await response.chunk()
    meter.first_content()
    passed = [field for field in passed_headers(response.headers) if field[0] != b"content-type"]
    ours = [
        (b"content-type", response.header(b"content-type") or _UNKNOWN),
        # A browser must not take it for anything else.
        (b"x-content-type-options", b"nosniff"),
    ]
    headers = receipt_headers(ask.format, meter.request_id, answered.attempt, meter.attempts, [*ours, *passed])
    meter.streaming = True
    # Without a length, so that the account is settled before the client can see the end.
    responder.start(response.status, headers, None)
    while chunk:
        responder.write(chunk)
        await responder.drain()
        chunk = await response.chunk()
    meter.completed(response.status)
    ledger.settle(meter)
    responder.end()


def _media_type(answered: Answered) -> bytes:
    """The answer's media type without parameters, in lower case."""
    kind = answered.response.header(b"content-type") or _UNKNOWN
    return kind.partition(b";")[0].strip().lower()
