"""Bodies on their way: what comes from the provider goes to the client in the same turn of the event loop."""

from collections.abc import Callable

from ownkey.domain.errors import OwnkeyError
from ownkey.gateway.delivery import Delivery
from ownkey.gateway.edge.crash import report_crash
from ownkey.gateway.edge.exchange import Responder
from ownkey.gateway.edge.responder import OUR_FAULT
from ownkey.gateway.keepalive import Keepalive
from ownkey.gateway.net import NetError, UpstreamResponse, Waiter
from ownkey.gateway.scrub import scrub
from ownkey.gateway.steps import Steps
from ownkey.gateway.streams import ClientStream
from ownkey.wire import ping_of


class RelayedBody:
    """The wait for the end of a body that is relayed. A client that takes little holds the provider back."""

    __slots__ = ("_responder", "_response", "_waiter", "failure", "over")

    def __init__(self, response: UpstreamResponse, responder: Responder) -> None:
        self._response = response
        self._responder = responder
        self._waiter: Waiter | None = None
        self.failure: OwnkeyError | None = None
        """Why the body broke off, where it did."""
        self.over = False

    def begin(self) -> None:
        """Relay what is here already, and have all that comes relayed."""
        response = self._response
        data = response.taken()
        ended, error = response.ended, response.error
        if not ended:
            self._responder.on_writable = response.resume
            response.flow(self)
        if data:
            self.received(data)
        if ended:
            self.ended(error)

    def then(self, waiter: Waiter) -> None:
        self._waiter = waiter

    def cancel(self) -> None:
        self._waiter = None
        self._response.abort()

    def received(self, data: bytes) -> None:
        """Bring a piece to the client. Called from outside the steps, so that what is raised here would never reach
        them: it ends the body as any other failure does."""
        if self.over:
            return
        try:
            self._bring(data)
        except OwnkeyError as error:
            failure = error
        except Exception as crash:  # noqa: BLE001 (nobody else would end the request)
            failure = _crashed(crash)
        else:
            return
        self._fail(failure)

    def _bring(self, data: bytes) -> None:
        raise NotImplementedError

    def ended(self, error: NetError | None) -> None:
        if not self.over:
            self._finish(error)

    def _write(self, data: bytes) -> None:
        responder = self._responder
        responder.write(data)
        if responder.paused:
            self._response.pause()

    def _fail(self, failure: OwnkeyError | None) -> None:
        self._finish(failure)
        self._response.abort()

    def _finish(self, failure: OwnkeyError | None) -> None:
        self.over = True
        self.failure = failure
        self._responder.on_writable = None
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.came(None)


class PassedBody(RelayedBody):
    """A body that passes as it is, but for what `clean` takes out. `start` is called before its first piece."""

    __slots__ = ("_clean", "_start", "started")

    def __init__(
        self,
        response: UpstreamResponse,
        responder: Responder,
        start: Callable[[], None],
        clean: Callable[[bytes], bytes] | None = None,
    ) -> None:
        super().__init__(response, responder)
        self._start = start
        self._clean = clean
        self.started = False

    def _bring(self, data: bytes) -> None:
        if not self.started:
            self.started = True
            self._start()
        self._write(self._clean(data) if self._clean is not None else data)

    def steps(self) -> Steps[None]:
        """Relay all of it; its end is left to the caller. Raises what broke it off, usually a NetError."""
        self.begin()
        while not self.over:
            yield self
        if self.failure is not None:
            raise self.failure
        if not self.started:
            self._start()


class RelayedStream(RelayedBody):
    """A stream of events that passes or is translated.

    Where the answer is to be `recorded`, the bytes that complete it are `held` back: the wait ends, the caller
    records them and calls `release`.
    """

    __slots__ = ("_content", "_delivery", "_fields", "_keepalive", "_recorded", "held", "stream", "watched")

    def __init__(
        self,
        delivery: Delivery,
        stream: ClientStream,
        fields: list[tuple[bytes, bytes]],
        ping_interval: float,
        recorded: bool,
    ) -> None:
        """`fields` go into the head, beside the receipt."""
        super().__init__(delivery.response, delivery.responder)
        self.stream = stream
        self.watched = delivery.meter.watched = stream.watched
        self.held = b""
        self._delivery = delivery
        self._fields = fields
        self._recorded = recorded
        self._content = False
        self._keepalive = Keepalive(ping_interval, self._ping)

    def _bring(self, data: bytes) -> None:
        stream, watched = self.stream, self.watched
        out = stream.feed(data)
        if watched.first_content and not self._content:
            self._content = True
            self._delivery.meter.first_content()
        if out:
            if self._recorded and watched.ended:
                self.held += out
                self._wake()
            else:
                self._pass(out)
        if watched.error is not None or stream.failure is not None:
            self._fail(stream.failure)

    def release(self) -> None:
        """What was held goes out."""
        held, self.held = self.held, b""
        self._pass(held)

    def start(self) -> None:
        """Send the head, as late as the first event: until then an error can be told as one."""
        if not self._delivery.meter.streaming:
            self._delivery.start(self._fields)

    def close(self) -> None:
        """No more pings."""
        self._keepalive.stop()

    def _pass(self, out: bytes) -> None:
        meter, error = self._delivery.meter, self.watched.error
        if not meter.streaming:
            if error is not None and not self._content:
                # Nothing but an error so far, which can still be told as one.
                return
            self.start()
        meter.events += out.count(b"data:")
        self._write(out if error is None else scrub(out, self._delivery.secret))
        self._keepalive.passed()

    def _ping(self) -> None:
        """Keep the client waiting. Before the first event this gives up telling an error by its status: clients that
        hear nothing for minutes leave."""
        if self.stream.between_events and not self._responder.gone and not self.held and not self.over:
            try:
                self.start()
                self._responder.write(ping_of(self._delivery.ask.format))
            except Exception as crash:  # noqa: BLE001 (as in `received`)
                self._fail(_crashed(crash))


def _crashed(crash: Exception) -> OwnkeyError:
    report_crash(crash)
    return OwnkeyError(OUR_FAULT)
