"""Request bodies while they arrive, and the budget that all of them share."""

import io

from ownkey.domain.errors import Unavailable


class Buffered:
    """How many body bytes one process holds for requests not yet answered."""

    __slots__ = ("held", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0


class Body:
    """One body, collected without copying when it arrives in one piece."""

    __slots__ = ("_buffered", "_first", "_rest", "_size")

    def __init__(self, buffered: Buffered) -> None:
        self._buffered = buffered
        self._first = b""
        self._rest: io.BytesIO | None = None
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Keep the next piece. Raises Unavailable when the process holds too much already."""
        budget = self._buffered
        size = len(piece)
        if budget.held + size > budget.limit:
            raise Unavailable(
                "The server is busy with other large requests: try again shortly.",
                operator="the budget for buffered bodies is used up",
                retry_after=1,
            )
        budget.held += size
        if not self._size:
            self._first = piece
        else:
            if self._rest is None:
                self._rest = io.BytesIO()
                self._rest.write(self._first)
                self._first = b""
            self._rest.write(piece)
        self._size += size

    def whole(self) -> bytes:
        """Everything added so far; the budget stays charged until `release`."""
        if self._rest is not None:
            self._first, self._rest = self._rest.getvalue(), None
        return self._first

    def release(self) -> None:
        """Forget the bytes and return them to the budget. Again is harmless."""
        self._buffered.held -= self._size
        self._size = 0
        self._first, self._rest = b"", None
