"""Holding back the beginning of an event until its end has come, so that a client never has half of one."""

_ENDS = (b"\n\n", b"\r\r", b"\n\r\n")
"""Two line ends in a row, in the spellings that servers use."""
_LONGEST_END = 3
_LIMIT = 8 * 1024 * 1024


def end_of_last_event(data: bytes | bytearray, stop: int, start: int = 0) -> int:
    """The position after the last end of an event between `start` and `stop`; 0 when there is none."""
    found = [at + len(end) for end in _ENDS if (at := data.rfind(end, start, stop)) >= 0]
    return max(found, default=0)


class WholeEvents:
    """Cuts a stream of server-sent events at their ends, wherever the network cut it.

    With whole events only, a broken stream can always be followed by an error event, and a secret
    inside an event is found before any part of it is passed on. An event above `limit` bytes goes
    on in pieces all the same: `inside` is then true until its end has passed.
    """

    __slots__ = ("_held", "_limit", "inside")

    def __init__(self, limit: int = _LIMIT) -> None:
        self._held = bytearray()
        self._limit = limit
        self.inside = False

    def feed(self, data: bytes) -> bytes:
        """The whole events that `data` completes: usually `data` itself."""
        if not self._held and data.endswith(b"\n\n"):
            self.inside = False
            return data
        return self._gather(data)

    def rest(self) -> bytes:
        """What is held at the end of the stream: an event that no blank line closed."""
        rest = bytes(self._held)
        self._held.clear()
        return rest

    def _gather(self, data: bytes) -> bytes:
        held = self._held
        start = max(len(held) - _LONGEST_END + 1, 0)
        held += data
        cut = end_of_last_event(held, len(held), start)
        if cut:
            self.inside = False
        elif len(held) > self._limit:
            self.inside = True
            cut = len(held)
        whole = bytes(held[:cut])
        del held[:cut]
        return whole
