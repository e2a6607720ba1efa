"""A streamed answer as neutral events.

A reader yields one Started, any number of deltas, at most one Stopped, and ends in Finished or in
StreamFailed, which may also be the only event. `block` numbers the parts of the answer from 0 in
the order they began; parallel tool calls may interleave. A UsageReported holds running totals: the
last one counts.
"""

from msgspec import Struct

from ownkey.domain.usage import Usage
from ownkey.wire.errors import WireError
from ownkey.wire.neutral import Stop


class Started(Struct, frozen=True, gc=False):
    """The answer begins. `usage` is what is known of it already."""

    id: str
    model: str
    usage: Usage | None = None


class TextDelta(Struct, frozen=True, gc=False):
    block: int
    text: str


class RefusalDelta(Struct, frozen=True, gc=False):
    block: int
    text: str


class ReasoningDelta(Struct, frozen=True, gc=False):
    block: int
    text: str
    format: str | None = None


class ReasoningSigned(Struct, frozen=True, gc=False):
    """The signature of a reasoning block, whole."""

    block: int
    signature: str
    format: str | None = None


class ReasoningRedacted(Struct, frozen=True, gc=False):
    """A reasoning block whose text is withheld; `data` is opaque."""

    block: int
    data: str
    format: str | None = None


class ToolCallStarted(Struct, frozen=True, gc=False):
    """`signature`, `freeform` and `namespace` are as in `neutral.ToolCall`."""

    block: int
    id: str
    name: str
    signature: str | None = None
    freeform: bool = False
    namespace: str | None = None


class ToolCallDelta(Struct, frozen=True, gc=False):
    """A further piece of the call's arguments: JSON text, or any text where the tool is free-form."""

    block: int
    arguments: str


class Stopped(Struct, frozen=True, gc=False):
    stop: Stop


class UsageReported(Struct, frozen=True, gc=False):
    usage: Usage


class Pinged(Struct, frozen=True, gc=False):
    """The provider keeps the connection alive."""


class Finished(Struct, frozen=True, gc=False):
    """The format's own end mark was seen."""


class StreamFailed(Struct, frozen=True, gc=False):
    """The stream broke off, was malformed, or carried an error."""

    error: WireError


Event = (
    Started
    | TextDelta
    | RefusalDelta
    | ReasoningDelta
    | ReasoningSigned
    | ReasoningRedacted
    | ToolCallStarted
    | ToolCallDelta
    | Stopped
    | UsageReported
    | Pinged
    | Finished
    | StreamFailed
)
