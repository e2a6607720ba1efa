"""Counting the tokens of a request where no provider does it: an estimate from the size, as the meter makes it."""

from msgspec import structs

from ownkey.domain.formats import WireFormat
from ownkey.gateway.read import Ask
from ownkey.gateway.receipt import HeaderFields, receipt_headers
from ownkey.wire.gemini_count_tokens import estimate

_CONVERSATIONS = {WireFormat.GEMINI_COUNT_TOKENS: WireFormat.GEMINI}


def as_conversation(ask: Ask) -> Ask | None:
    """The request as if the conversation itself were asked for; None when it counts nothing."""
    format_ = _CONVERSATIONS.get(ask.format)
    return None if format_ is None else structs.replace(ask, format=format_)


def estimated_count(ask: Ask, request_id: str) -> tuple[HeaderFields, bytes]:
    """(headers, body) of our own count; a header says that it is an estimate."""
    fields = [(b"content-type", b"application/json"), (b"x-ownkey-estimate", b"true")]
    return receipt_headers(ask.format, request_id, None, 0, fields), estimate(max(1, ask.estimated_input_tokens))
