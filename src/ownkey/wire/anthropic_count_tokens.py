"""Anthropic's count of a request's tokens. Where a provider counts, it passes; else `counting` estimates."""

from typing import Any

import msgspec

from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire.anthropic_messages import errors, request_reading
from ownkey.wire.anthropic_messages.observe import MessageObserver
from ownkey.wire.anthropic_messages.outline import outline as message_outline
from ownkey.wire.counting import estimated_tokens
from ownkey.wire.format import Format, Outline
from ownkey.wire.passing_only import no_defaults, no_usage_asked

_ENCODE = msgspec.json.Encoder().encode
_NOTHING_USED = Usage()


class _Count(msgspec.Struct):
    input_tokens: int


_COUNT = msgspec.json.Decoder(_Count)


def _outline(parsed: dict[str, Any]) -> Outline:
    """A count is never streamed and writes no tokens."""
    return Outline(message_outline(parsed).model, stream=False, max_tokens=0)


def _usage_of(body: bytes) -> Usage | None:
    """Nothing is used by counting; None where the answer is no count."""
    try:
        _COUNT.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return _NOTHING_USED


def estimate(parsed: dict[str, Any]) -> bytes:
    """The answer with our estimate. Raises InvalidRequest and UnsupportedField, as the message itself would."""
    conversation = request_reading.read({**parsed, "max_tokens": 1, "stream": None})
    return _ENCODE({"input_tokens": estimated_tokens(conversation)})


ANTHROPIC_COUNT_TOKENS = Format(
    name=WireFormat.ANTHROPIC_COUNT_TOKENS,
    outline=_outline,
    defaults=no_defaults,
    ask_usage=no_usage_asked,
    usage_of=_usage_of,
    observer=MessageObserver,
    errors=errors,
    estimate=estimate,
)
