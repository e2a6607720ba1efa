"""How long a client may take for what it does next, and how much it may send that gets a message no further.

Pure: the clock comes in as monotonic seconds. `guarded.py` keeps the timer and acts on what is decided here.
"""

from math import inf
from typing import Final

from ownkey.domain.errors import OwnkeyError, RequestTimeout
from ownkey.gateway.edge import head
from ownkey.gateway.edge.limits import Limits

IDLE: Final = 0
"""Between messages."""
HEAD: Final = 1
BODY: Final = 2
UPGRADE: Final = 3
"""A head asked for h2c and is about to be read again without that wish."""
REFUSED: Final = 4
"""Nothing more is read as HTTP on this connection."""


class Patience:
    """The patience with one connection. `seen` counts bytes since the last progress."""

    __slots__ = ("_limits", "_progress", "_seconds", "_since", "seen")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # Since when the client has been taking its time; 0 when it is not.
        self._since = 0.0
        self._seconds = 0.0
        self._progress = 0
        self.seen = 0

    def begin(self) -> None:
        """A message begins."""
        self._since = 0.0
        self.seen = 0

    def body_begins(self) -> None:
        """The head is complete."""
        self._since = 0.0
        self._progress = 0

    def wait(self, now: float, seconds: float) -> float:
        """The client has so many seconds for what it does next; until when."""
        self._since = now
        self._seconds = seconds
        return now + seconds

    def more(self, phase: int, size: int, body_size: int, now: float) -> float | None:
        """Part of a message has arrived, `size` bytes of it now. The deadline for the rest, at the first part."""
        limits, since = self._limits, self._since
        progress, self._progress = self._progress, body_size
        if since == 0.0:
            return self.wait(now, limits.head_seconds if phase == HEAD else limits.body_seconds)
        if phase == HEAD or body_size == progress:
            # In a body: trailers or chunk extensions instead of content.
            self.seen += size
        else:
            self.seen = 0
        return None

    def excess(self, phase: int, target_size: int) -> OwnkeyError | None:
        """The error for a head without end, which the parser would collect."""
        limits = self._limits
        if phase == HEAD and target_size > limits.target:
            return head.target_too_long(limits)
        return head.head_too_large(limits) if self.seen > limits.head else None

    def deadline(self, phase: int, body_size: int, now: float, *, held: bool, answering: bool) -> float:
        """When the client has taken too long; `inf` while it owes nothing.

        `held`: its bytes are not being read, so that the delay is not its own. `answering`: a request of its
        connection is being answered.
        """
        if phase == BODY:
            if held:
                self._since = now
            limits = self._limits
            return self._since + limits.body_seconds + body_size / limits.body_rate
        if phase == HEAD or not answering:
            return self._since + self._seconds
        return inf

    @staticmethod
    def overdue(phase: int) -> RequestTimeout:
        """The error for a message that did not arrive in time."""
        part = "headers" if phase == HEAD else "body"
        return RequestTimeout(f"The request {part} took too long to arrive.")
