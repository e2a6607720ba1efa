"""JSON values on lines of their own, read incrementally."""

from ownkey.wire.sse import MAX_EVENT, Frame


class LineParser:
    """Splits a byte stream into lines, wherever the bytes were cut; empty lines count for nothing.

    A line is an event without a name. `oversized` is set when a line exceeded `limit` bytes; nothing is
    parsed after that.
    """

    __slots__ = ("_held", "_limit", "oversized")

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self.oversized = False
        self._limit = limit
        self._held = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The lines that `data` completes, in order."""
        if self.oversized:
            return []
        end = data.rfind(b"\n")
        if end < 0:
            self._hold(data)
            return []
        whole = bytes(self._held) + data[:end] if self._held else data[:end]
        self._held.clear()
        frames: list[Frame] = []
        for line in whole.split(b"\n"):
            if len(line) > self._limit:
                self.oversized = True
                return frames
            if stripped := line.strip():
                frames.append((b"", stripped))
        self._hold(data[end + 1 :])
        return frames

    def _hold(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > self._limit:
            self.oversized = True
            self._held.clear()

    @property
    def rest(self) -> bytes:
        """The bytes of a line that is not complete yet."""
        return bytes(self._held)
