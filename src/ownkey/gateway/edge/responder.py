"""What every responder has in common: the order of its calls, the length of its body, and whom it attends to."""

from collections.abc import Callable

from ownkey.domain.errors import OwnkeyError
from ownkey.gateway.edge.exchange import HeaderList, PendingRequest

UNKNOWN = -1
OUR_FAULT = "Something went wrong inside Ownkey."


class BaseResponder:
    """Implements `Responder` over four calls that a carrier fills in: `_head`, `_piece`, `_complete`, `_break`."""

    __slots__ = ("_pending", "_remaining", "gone", "on_writable", "response_complete", "started")

    def __init__(self) -> None:
        self._pending: PendingRequest | None = None
        self._remaining = UNKNOWN
        self.on_writable: Callable[[], None] | None = None
        self.gone = False
        self.started = False
        """Whether a head is on its way to the client."""
        self.response_complete = False
        """Whether nothing more will be written."""

    @property
    def paused(self) -> bool:
        raise NotImplementedError

    def answer(self, status: int, headers: HeaderList, body: bytes) -> None:
        self.start(status, headers, len(body))
        self.write(body)
        self.end()

    def start(self, status: int, headers: HeaderList, length: int | None) -> None:
        if self.gone:
            return
        if self.started:
            raise RuntimeError("The answer has already begun.")
        self._head(status, headers, length)
        self.started = True
        self._remaining = UNKNOWN if length is None else length

    def write(self, data: bytes) -> None:
        if self.gone:
            return
        if not self.started or self.response_complete:
            raise RuntimeError("The answer has not begun, or is over.")
        if not data:
            return
        if self._remaining != UNKNOWN:
            if len(data) > self._remaining:
                raise RuntimeError("The body is longer than announced.")
            self._remaining -= len(data)
        self._piece(data)

    def end(self) -> None:
        if self.gone:
            return
        if not self.started or self.response_complete:
            raise RuntimeError("The answer has not begun, or is over.")
        if self._remaining > 0:
            self.abort()
            return
        self.response_complete = True
        self._complete()

    def abort(self) -> None:
        if self.response_complete or self.gone:
            return
        started = self.started
        self.started = self.response_complete = True
        self._break(started)

    def attend(self, pending: PendingRequest) -> None:
        self._pending = pending

    def finished(self, error: OwnkeyError | None = None) -> None:
        self._pending = self.on_writable = None
        if self.response_complete or self.gone:
            self.response_complete = True
        elif self.started:
            self.abort()
        else:
            self._refuse(error or OwnkeyError(OUR_FAULT))

    def leave(self) -> None:
        """The client has gone."""
        if self.response_complete or self.gone:
            return
        self.gone = True
        if self._pending is not None:
            self._pending.leave()

    def writable(self) -> None:
        """The client has taken enough of what was written."""
        if self.on_writable is not None:
            self.on_writable()

    # For the carrier to fill in.

    def _head(self, status: int, headers: HeaderList, length: int | None) -> None:
        """Send the head. Raises ValueError where a field is unfit."""
        raise NotImplementedError

    def _piece(self, data: bytes) -> None:
        """Send some bytes of the body, at least one."""
        raise NotImplementedError

    def _complete(self) -> None:
        """The body is complete."""
        raise NotImplementedError

    def _break(self, started: bool) -> None:
        """Nothing more comes; the client must see that."""
        raise NotImplementedError

    def _refuse(self, error: OwnkeyError) -> None:
        """Answer with an error; nothing has been sent."""
        raise NotImplementedError
