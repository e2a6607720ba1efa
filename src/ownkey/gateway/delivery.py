"""One accepted request, from the opening of its account to the end of its answer."""

from ownkey.domain.errors import OwnkeyError, UpstreamError
from ownkey.domain.plan import Attempt
from ownkey.domain.secret import Secret
from ownkey.domain.usage import RequestStatus
from ownkey.gateway.edge.exchange import Request, Responder
from ownkey.gateway.ledger import Ledger
from ownkey.gateway.meter import Meter
from ownkey.gateway.net import UpstreamResponse
from ownkey.gateway.outcomes import Answered
from ownkey.gateway.read import Ask
from ownkey.gateway.receipt import HeaderFields, cost_headers, receipt_headers
from ownkey.gateway.refusals import render_error, render_reported
from ownkey.gateway.scrub import scrub
from ownkey.wire import WireError
from ownkey.wire.format import WayBack


class Delivery:
    """Brings an answer to the client and settles the account before the client can see its end.

    Creating it opens the account, which raises Unavailable where the journal refuses. Every way in which an
    answer ends is a method here, so that none can forget to settle.
    """

    __slots__ = ("_ledger", "ask", "attempt", "back", "meter", "request", "responder", "response", "secret")

    response: UpstreamResponse
    """The accepted answer, with the attempt that brought it and the secret that it must not show: see `accept`."""
    attempt: Attempt
    secret: Secret
    back: WayBack

    def __init__(self, request: Request, responder: Responder, ask: Ask, meter: Meter, ledger: Ledger) -> None:
        self.request = request
        self.responder = responder
        self.ask = ask
        self.meter = meter
        self._ledger = ledger
        ledger.open(meter)

    def accept(self, answered: Answered) -> None:
        """This is the answer that will be brought to the client."""
        self.attempt = answered.attempt
        self.response = answered.response
        self.secret = answered.secret
        self.back = answered.back

    @property
    def same_format(self) -> bool:
        """Whether the accepted answer passes in the client's own format."""
        return self.attempt.format is self.ask.format and not self.back.translated

    # Answers as a whole.

    def answer(self, fields: HeaderFields, body: bytes) -> None:
        """Answer with the accepted response's status. `fields` are those beside the receipt."""
        meter, status = self.meter, self.response.status
        headers = receipt_headers(self.ask.format, meter.request_id, self.attempt, meter.attempts, fields)
        meter.completed(status)
        self._settle()
        headers += cost_headers(meter.record.list_cost, meter.record.charged)
        self.responder.answer(status, headers, body)

    def answer_ours(self, fields: HeaderFields, body: bytes) -> None:
        """Answer without a provider: recorded with what `meter.usage` says."""
        meter = self.meter
        meter.attempt = None
        meter.completed(200)
        headers = receipt_headers(self.ask.format, meter.request_id, None, meter.attempts, fields)
        self._settle()
        self.responder.answer(200, headers, body)

    def refuse(self, status: int, headers: HeaderFields, body: bytes) -> None:
        """Answer with a provider's refusal."""
        self.meter.failed(status, UpstreamError.code)
        self._settle()
        self.responder.answer(status, headers, body)

    def report(self, error: WireError) -> None:
        """Answer with an error that came inside an accepted answer, while the client has nothing of it yet."""
        meter = self.meter
        status, headers, body = render_reported(error, self.ask.format, meter.request_id, self.attempt, meter.attempts)
        self.refuse(status, headers, scrub(body, self.secret))

    def fail(self, error: OwnkeyError) -> None:
        """The request came to nothing: say so as far as the client can still be told."""
        meter = self.meter
        meter.failed(error.status, error.code)
        self._settle()
        if meter.streaming:
            self.responder.abort()
            return
        headers, body = render_error(self.ask.format, error, meter.request_id, meter.attempt, meter.attempts)
        self.responder.answer(error.status, headers, body)

    # Answers in pieces.

    def start(self, fields: HeaderFields) -> None:
        """Send the head of an answer in pieces."""
        meter = self.meter
        meter.streaming = True
        headers = receipt_headers(self.ask.format, meter.request_id, self.attempt, meter.attempts, fields)
        # Without a length, so that the account is settled before the client can see the end.
        self.responder.start(self.response.status, headers, None)

    def end(self, rest: bytes = b"") -> None:
        """Send the last piece of an answer whose outcome the meter knows."""
        self._settle()
        self.responder.write(rest)
        self.responder.end()

    def abort(self) -> None:
        """Break off an answer whose outcome the meter knows, so that the client sees that it is not complete."""
        self._settle()
        self.responder.abort()

    # The end without an answer.

    def break_off(self) -> None:
        """The client left, or the server stops."""
        if not self.meter.settled:
            self.meter.cancelled(RequestStatus.CANCELLED if self.responder.gone else RequestStatus.INTERRUPTED)

    def close(self) -> None:
        """Settle what no answer has settled."""
        self._settle()

    def _settle(self) -> None:
        self._ledger.settle(self.meter)
