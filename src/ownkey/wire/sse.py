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

    __slots__ = ("_after_cr", "_between", "_held", "_limit", "_started", "oversized")

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self.oversized = False
        self._limit = limit
        self._held = bytearray()
        self._after_cr = False
        self._started = False
        self._between = False

    def feed(self, data: bytes) -> list[Frame]:
        """The events that `data` completes, in order."""
        if self._between and len(data) <= self._limit and (frame := _lone_event(data)):
            return [frame]
        if self.oversized or not data:
            return []
        frames = self._gather(self._unify(data) if self._after_cr or b"\r" in data else data)
        self._between = self._started and not (self._held or self._after_cr or self.oversized)
        return frames

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


def _lone_event(data: bytes) -> Frame | None:
    """The event, if `data` is a single whole one as providers write them; None for all else."""
    line, size = data.find(b"\n"), len(data)
    if data.startswith(b"data: "):
        if line == size - 2 and data.endswith(b"\n\n") and b"\r" not in data:
            return b"", data[6:-2]
        if line == size - 3 and data.endswith(b"\r\n\r\n") and data.find(b"\r") == size - 4:
            return b"", data[6:-4]
    elif data.startswith(b"event: ") and data.startswith(b"data: ", line + 1) and data.endswith(b"\n\n"):
        begin = line + 7
        if data.find(b"\n", begin) == size - 2 and b"\r" not in data:
            return data[7:line], data[begin:-2]
    return None


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
