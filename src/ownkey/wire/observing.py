"""The part every observer shares: finding whole events in bytes that pass, however they were cut."""

import re

from ownkey.domain.usage import Usage
from ownkey.wire.errors import WireError
from ownkey.wire.sse import MAX_EVENT, Frame, parse_block

_EVENT_END = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?=[^\n]))")
"""Two line ends of any kind; a final CR counts only once it is clear that no LF follows it."""


class PassingObserver:
    """Watches a stream and forwards it. A format says what to look for in whole events.

    With `strip` the bytes of an unfinished event are held back until it is whole, so that the event
    can be taken out; without it every byte goes on at once. An event above `limit` bytes is
    forwarded unseen. `_drop` are bytes that are taken out of every event.
    """

    __slots__ = (
        "_drop",
        "_held",
        "_limit",
        "_skipping",
        "_strip",
        "closing",
        "ended",
        "error",
        "first_content",
        "usage",
    )

    def __init__(self, strip: bool = False, limit: int = MAX_EVENT) -> None:
        self.usage: Usage | None = None
        self.first_content = False
        self.ended = False
        self.error: WireError | None = None
        self.closing = b""
        self._drop = b""
        self._strip = strip
        self._limit = limit
        self._held = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> bytes:
        whole = data.endswith((b"\n\n", b"\r\n\r\n"))
        if whole and not self._held and not self._skipping:
            if not self.counts(data) and self.first_content:
                return data.replace(self._drop, b"") if self._drop else data
            kept = self.inspect(data)
            return kept if self._strip else data
        passed = self._gather(data)
        return passed if self._strip else data

    def finish(self) -> bytes:
        """The held bytes: an event that no blank line closed."""
        rest = bytes(self._held)
        self._held.clear()
        if rest and not self._skipping:
            rest = self.inspect(rest)
        return rest if self._strip else b""

    def counts(self, whole: bytes) -> bool:
        """Whether whole events may hold more than another piece of the answer, so that `inspect` must see them.

        This is all that is done for an ordinary event: a few searches for bytes, with no decoding.
        """
        return True

    def inspect(self, whole: bytes) -> bytes:
        """Look into one or more whole events; return those to forward (`whole` itself when all)."""
        raise NotImplementedError

    def _gather(self, data: bytes) -> bytes:
        held = self._held
        start = max(len(held) - 3, 0)
        held += data
        unseen = b""
        if self._skipping:
            unseen = self._skip()
            if self._skipping:
                return unseen
            start = 0
        cut = 0
        for match in _EVENT_END.finditer(held, start):
            cut = match.end()
        whole = bytes(held[:cut])
        del held[:cut]
        forward = self.inspect(whole) if whole else b""
        if len(held) > self._limit:
            self._skipping = True
            forward += self._skip()
        return unseen + forward

    def _skip(self) -> bytes:
        """Take the bytes of an oversized event, up to its end if that is here."""
        held = self._held
        match = _EVENT_END.search(held)
        if match:
            self._skipping = False
            cut = match.end()
        else:
            # Line ends at the tail may be the first half of the event's end.
            tail = held[-3:]
            cut = len(held) - (len(tail) - len(tail.rstrip(b"\r\n")))
        skipped = bytes(held[:cut])
        del held[:cut]
        return skipped


def raw_events(whole: bytes) -> list[bytes]:
    """Whole events as they stand in the stream, each with its end."""
    events: list[bytes] = []
    begin = 0
    for match in _EVENT_END.finditer(whole):
        events.append(whole[begin : match.end()])
        begin = match.end()
    if begin < len(whole):
        events.append(whole[begin:])
    return events


def frame_of(event: bytes) -> Frame | None:
    """The name and data of one whole event."""
    block = event.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in event else event
    return parse_block(block.strip(b"\n"))
