"""What nearly every request is: everything known, a connection at hand, and the answer comes as a whole.

The same steps as the pipeline's, each of the same functions, but without a task: from the last byte of
the request to the first byte sent upstream nothing is waited for, and the provider's answer calls back.
As soon as a step would have to wait, or anything is out of the ordinary, the pipeline takes over:
before the account is open from the beginning, afterwards from the attempt.
"""

from functools import partial

from ownkey.domain.credential import Holdings
from ownkey.domain.errors import OwnkeyError
from ownkey.domain.formats import WireFormat
from ownkey.domain.ids import RequestIds
from ownkey.domain.plan import Attempt
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import KeyScope
from ownkey.domain.usage import RequestStatus
from ownkey.gateway.attempts import Answered, Attempts, accepts
from ownkey.gateway.authenticate import Authenticator
from ownkey.gateway.directory import Directory
from ownkey.gateway.edge.exchange import QuickResponder, Request
from ownkey.gateway.health import KeyHealth
from ownkey.gateway.ledger import Ledger
from ownkey.gateway.meter import Meter
from ownkey.gateway.net import NetError, Sending, UpstreamClient, UpstreamResponse
from ownkey.gateway.outgoing import OutgoingBuilder
from ownkey.gateway.pipeline import Pipeline
from ownkey.gateway.query import refuse_key_in_query
from ownkey.gateway.read import read_request
from ownkey.gateway.refusals import render_error
from ownkey.gateway.relay import Relay
from ownkey.gateway.secrets import SecretCache
from ownkey.gateway.surfaces import Deed, surface_of
from ownkey.gateway.tokens import TokenCache
from ownkey.wire import FORMATS


class WarmPath:
    """Takes requests on without waiting, for the pipeline that it shares its parts with."""

    def __init__(
        self,
        authenticator: Authenticator,
        directory: Directory,
        health: KeyHealth,
        secrets: SecretCache,
        tokens: TokenCache,
        builder: OutgoingBuilder,
        client: UpstreamClient,
        attempts: Attempts,
        relay: Relay,
        ledger: Ledger,
        pipeline: Pipeline,
    ) -> None:
        self._authenticator = authenticator
        self._directory = directory
        self._health = health
        self._secrets = secrets
        self._tokens = tokens
        self._builder = builder
        self._client = client
        self._ids = RequestIds()
        self.attempts = attempts
        self.relay = relay
        self.ledger = ledger
        self.pipeline = pipeline

    def take(self, request: Request, responder: QuickResponder) -> bool:
        """Take the request on; False leaves it to the pipeline as if nothing had been done."""
        try:
            opened = self._open(request)
        except OwnkeyError:
            # Told by the pipeline, which finds the same.
            return False
        if opened is None:
            return False
        holdings, meter = opened
        try:
            self.ledger.open(meter)
        except OwnkeyError as error:
            responder.answer(error.status, *render_error(meter.ask.format, error, meter.request_id))
            return True
        errand = WarmErrand(self, request, responder, holdings, meter)
        if not self._send(errand):
            responder.go_on(self.pipeline.go_on(request, responder, holdings, meter, None))
        return True

    def _open(self, request: Request) -> tuple[Holdings, Meter] | None:
        """Everything before the account is opened; None where something would have to be waited for."""
        surface = surface_of(request.path)
        if surface is None or surface.deed is not Deed.RELAY or request.method != surface.method:
            return None
        refuse_key_in_query(request.raw_query, surface)
        if surface.format is WireFormat.OPENAI_RESPONSES:
            # What it goes on from has to be looked up, and the answer to be remembered.
            return None
        principal = self._authenticator.known(request, KeyScope.GATEWAY)
        if principal is None:
            return None
        grant = principal.api_key
        if grant is not None:
            if grant.requests_per_minute is not None:
                return None
            self._health.api_key_used(grant.id, request.started_at)
        holdings = self._directory.known_holdings(principal)
        if holdings is None:
            return None
        ask = read_request(request, surface)
        if FORMATS[ask.format].estimate is not None:
            return None
        plan = self.pipeline.plan(ask, holdings, principal, request)
        if plan.refusal is not None:
            return None
        request_id = self._ids.new(request.started_at)
        return holdings, Meter(request_id, request.started_at, request.received, principal, ask, plan)

    def _send(self, errand: "WarmErrand") -> bool:
        """Send the first attempt, if that needs no waiting."""
        meter = errand.meter
        attempt = meter.plan.attempts[0]
        stored = self._secrets.known(attempt.credential)
        if stored is None:
            return False
        try:
            secret = self._tokens.known(attempt.provider, stored, attempt.credential.config)
            if secret is None:
                return False
            outgoing = self._builder.build(errand.request, meter.ask, attempt, errand.holdings.preferences, secret)
            sending = self._client.send_now(outgoing.request, errand.came)
        except OwnkeyError:
            # As above: the pipeline knows what comes next.
            return False
        meter.hints_dropped = outgoing.dropped
        if sending is None:
            return False
        errand.sent(attempt, secret, sending)
        return True


class WarmErrand:
    """One request on its way to the provider. Implements `Errand`."""

    __slots__ = ("_attempt", "_over", "_path", "_responder", "_secret", "_sending", "holdings", "meter", "request")

    def __init__(
        self, path: WarmPath, request: Request, responder: QuickResponder, holdings: Holdings, meter: Meter
    ) -> None:
        self._path = path
        self._responder = responder
        self._over = False
        self.request = request
        self.holdings = holdings
        self.meter = meter

    def sent(self, attempt: Attempt, secret: Secret, sending: Sending) -> None:
        """The request is on its way."""
        self._attempt = attempt
        self._secret = secret
        self._sending = sending
        self._responder.attend(self)

    def came(self, came: UpstreamResponse | NetError) -> None:
        """The provider has begun to answer, or never will."""
        if self._over:
            return
        self._over = True
        path, meter = self._path, self.meter
        ask = meter.ask
        if not (ask.stream or FORMATS[ask.format].media) and isinstance(came, UpstreamResponse) and accepts(came):
            body = came.whole()
            if body is not None:
                self._answer(Answered(self._attempt, came, self._secret), body)
                return
        judged = partial(path.attempts.judge, self._attempt, self._secret, came)
        self._responder.go_on(path.pipeline.go_on(self.request, self._responder, self.holdings, meter, judged))

    def _answer(self, answered: Answered, body: bytes) -> None:
        path, meter = self._path, self.meter
        path.attempts.learn(answered, meter)
        try:
            path.relay.tell_whole(body, answered, meter.ask, self._responder, meter)
        except OwnkeyError as error:
            path.pipeline.fail(error, self._responder, meter)

    def leave(self) -> None:
        """The client has left: give the request up."""
        self._give_up(RequestStatus.CANCELLED)

    def cancel(self) -> None:
        """The server stops: give the request up."""
        self._give_up(RequestStatus.INTERRUPTED)

    def _give_up(self, status: RequestStatus) -> None:
        if self._over:
            return
        self._over = True
        self._sending.abandon()
        self.meter.cancelled(status)
        self._path.ledger.settle(self.meter)
