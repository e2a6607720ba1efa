"""Server-sent events, read incrementally (WHATWG HTML, "Interpreting an event stream").

Only the fields `event` and `data` matter here; ids and retry times are skipped, as comments are.
"""

MAX_EVENT = 8 * 1024 * 1024
"""The largest event read, in bytes: room for an image in base64, and an end to a hostile stream."""

PING = b": ping\n\n"
"""A comment, which every reader of server-sent events skips."""

_BOM = b"\xef\xbb\xbf"

Frame = tuple[bytes, bytes]
"""An event's name (empty when it has none) and its data, lines joined by a newline."""


class SseParser:
    """Splits a byte stream into events, wherever the bytes were cut.

    `oversized` is set when an event exceeded `limit` bytes; nothing is parsed after that.
    """

    __slots__ = ("_after_cr", "_held", "_limit", "_started", "oversized")

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self.oversized = False
        self._limit = limit
        self._held = bytearray()
        self._after_cr = False
        self._started = False

    def feed(self, data: bytes) -> list[Frame]:
        """The events that `data` completes, in order."""
        if self.oversized or not data:
            return []
        if self._after_cr or b"\r" in data:
            data = self._unify(data)
        if self._started and not self._held and data.endswith(b"\n\n") and len(data) <= self._limit:
            return [frame for block in data[:-2].split(b"\n\n") if (frame := parse_block(block))]
        return self._gather(data)

    def _unify(self, data: bytes) -> bytes:
        """Every line end as one newline; a line end cut in the middle counts once."""
        if self._after_cr and data[:1] == b"\n":
            data = data[1:]
        self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _gather(self, data: bytes) -> list[Frame]:
        held = self._held
        search_from = max(len(held) - 1, 0)
        held += data
        if not self._started:
            if len(held) < len(_BOM) and _BOM.startswith(held):
                return []
            self._started = True
            search_from = 0
            if held.startswith(_BOM):
                del held[: len(_BOM)]
        frames: list[Frame] = []
        begin = 0
        while (end := held.find(b"\n\n", search_from)) >= 0 and end - begin <= self._limit:
            frame = parse_block(bytes(held[begin:end]))
            begin = search_from = end + 2
            if frame:
                frames.append(frame)
        del held[:begin]
        if len(held) > self._limit + 1:  # one newline of the two that end an event may be here already
            self.oversized = True
            held.clear()
        return frames

    @property
    def rest(self) -> bytes:
        """The bytes of an event that is not complete yet."""
        return bytes(self._held)


def parse_block(block: bytes) -> Frame | None:
    """One event's lines, ended by newlines; None when it has no data."""
    if block.startswith(b"data: ") and b"\n" not in block:
        return (b"", block[6:])
    name = b""
    data: list[bytes] = []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
    return (name, b"\n".join(data)) if data else None
