"""The data plane in a page: authenticate → read → plan → admit → open the account → attempt → relay → settle.

This is the one place where the order of the steps stands. Each step does at once what needs no waiting, and yields
what does; see `steps.py` for who carries them out.
"""

import itertools

from ownkey.domain.credential import Holdings
from ownkey.domain.errors import MethodNotAllowed, NotFound, OwnkeyError
from ownkey.domain.formats import WireFormat
from ownkey.domain.ids import RequestIds
from ownkey.domain.plan import Plan, PlanRequest
from ownkey.domain.tenancy import KeyScope, Principal
from ownkey.domain.usage import Usage
from ownkey.gateway.admit import Admission
from ownkey.gateway.attempts import Attempts
from ownkey.gateway.authenticate import Authenticator, check_rights
from ownkey.gateway.delivery import Delivery
from ownkey.gateway.directory import Directory
from ownkey.gateway.edge.exchange import Request, Responder
from ownkey.gateway.health import KeyHealth
from ownkey.gateway.ledger import Ledger
from ownkey.gateway.listing import ModelListing
from ownkey.gateway.meter import Meter
from ownkey.gateway.outcomes import Answered, Refused, Unreached
from ownkey.gateway.plans import Planner
from ownkey.gateway.query import refuse_key_in_query
from ownkey.gateway.read import Ask, read_request
from ownkey.gateway.receipt import receipt_headers
from ownkey.gateway.refusals import render_error, render_refusal
from ownkey.gateway.relay import Relay
from ownkey.gateway.responses import ResponseService, ResponseStore, check, continued
from ownkey.gateway.steps import Run, Steps, awaited
from ownkey.gateway.surfaces import Action, Surface, error_format, surface_of
from ownkey.storage.records import StoredResponse
from ownkey.wire import FORMATS

_NO_COMPACTION = (
    "Compaction (POST /v1/responses/compact) is not offered here: send the conversation to POST /v1/responses with a "
    "request for a summary."
)
_JSON = (b"content-type", b"application/json")
_ESTIMATED = (b"x-ownkey-estimated", b"true")


class Pipeline:
    """Answers data-plane requests. Every answer carries a receipt; every accepted request is settled once."""

    def __init__(
        self,
        authenticator: Authenticator,
        directory: Directory,
        planner: Planner,
        health: KeyHealth,
        admission: Admission,
        attempts: Attempts,
        relay: Relay,
        ledger: Ledger,
        listing: ModelListing,
        responses: ResponseStore,
        stored: ResponseService,
    ) -> None:
        self._authenticator = authenticator
        self._directory = directory
        self._planner = planner
        self._health = health
        self._admission = admission
        self._attempts = attempts
        self._relay = relay
        self._ledger = ledger
        self._listing = listing
        self._responses = responses
        self._stored = stored
        self._tickets = itertools.count()
        self._ids = RequestIds()

    def handle(self, request: Request, responder: Responder) -> None:
        """Answer one request, whatever happens; a client that leaves ends the work for it."""
        Run(self._steps(None, request, responder), responder)

    def handle_for(self, principal: Principal, request: Request, responder: Responder) -> None:
        """As `handle`, for a caller inside this process who is known: a key among the headers is not read."""
        Run(self._steps(principal, request, responder), responder)

    def _steps(self, principal: Principal | None, request: Request, responder: Responder) -> Steps[None]:
        try:
            yield from self._answer(principal, request, responder)
        except OwnkeyError as error:
            headers, body = render_error(_error_format(request), error)
            responder.answer(error.status, headers, body)

    def _answer(self, principal: Principal | None, request: Request, responder: Responder) -> Steps[None]:
        surface = _surface(request)
        if principal is not None:
            check_rights(principal, KeyScope.GATEWAY, request.peer)
        else:
            principal = self._authenticator.known(request, KeyScope.GATEWAY)
            if principal is None:
                principal = yield from awaited(self._authenticator.authenticate(request, KeyScope.GATEWAY))
        if principal.api_key is not None:
            self._health.api_key_used(principal.api_key.id, request.started_at)
        if surface.action is Action.COMPACT:
            raise NotFound(_NO_COMPACTION)
        if surface.action is not Action.RELAY:
            yield from self._answer_ourselves(surface.action, principal, request, responder)
            return
        ask = read_request(request, surface)
        holdings = self._directory.known_holdings(principal)
        if holdings is None:
            holdings = yield from awaited(self._directory.holdings(principal))
        if ask.format is WireFormat.OPENAI_RESPONSES:
            ask = yield from awaited(continued(self._responses, ask, principal, holdings))
        plan = self._plan(ask, holdings, principal, request)
        if not self._admission.try_admit(principal):
            yield from awaited(self._admission.admit(principal))
        request_id = self._ids.new(request.started_at)
        meter = Meter(request_id, request.started_at, request.received, principal, ask, plan)
        delivery = Delivery(request, responder, ask, meter, self._ledger)
        try:
            yield from self._deliver(delivery, holdings)
        except OwnkeyError as error:
            delivery.fail(error)
        except GeneratorExit:
            delivery.break_off()
            raise
        finally:
            delivery.close()

    def _deliver(self, delivery: Delivery, holdings: Holdings) -> Steps[None]:
        ask, plan = delivery.ask, delivery.meter.plan
        if plan.refusal is not None:
            raise plan.refusal
        attempts = plan.attempts
        if ask.format is WireFormat.OPENAI_RESPONSES:
            check(self._responses, ask, plan)
        estimate = FORMATS[ask.format].estimate
        if estimate is not None:
            # Counts of tokens come from providers that count in the client's format, else they are estimated here.
            attempts = tuple(attempt for attempt in attempts if attempt.format is ask.format)
            if not attempts:
                delivery.meter.usage = Usage()
                delivery.answer_ours([_JSON, _ESTIMATED], estimate(ask.parsed))
                return
        outcome = yield from self._attempts.run(delivery, attempts, holdings.preferences)
        match outcome:
            case Answered():
                delivery.accept(outcome)
                yield from self._relay.run(delivery)
            case Refused():
                delivery.refuse(
                    *render_refusal(outcome, ask.format, delivery.meter.request_id, delivery.meter.attempts)
                )
            case Unreached():
                raise outcome.error

    def _plan(self, ask: Ask | StoredResponse, holdings: Holdings, principal: Principal, request: Request) -> Plan:
        stored = isinstance(ask, StoredResponse)
        asked = PlanRequest(
            model=ask.model,
            client_format=WireFormat.OPENAI_RESPONSES if stored else ask.format,
            now=request.started_at,
            credential=ask.credential_id if stored else ask.credential,
            allowed_models=principal.api_key.models if principal.api_key else None,
            peer=request.peer,
            ticket=next(self._tickets),
        )
        return self._planner.plan(principal.user_id, asked, holdings)

    def _answer_ourselves(
        self, action: Action, principal: Principal, request: Request, responder: Responder
    ) -> Steps[None]:
        """What is no call of a model, costs nothing and is in no account."""
        request_id = self._ids.new(request.started_at)
        if action is Action.LIST_MODELS:
            holdings = yield from awaited(self._directory.holdings(principal))
            moment = request.started_at, request.peer
            listed = yield from awaited(self._listing.served(principal, holdings, *moment))
            format_ = _error_format(request)
            wanted = request.path.partition("/models")[2].lstrip("/")
            if wanted:
                found = self._listing.find(wanted, listed, principal, holdings, *moment)
                body = self._listing.answer_one(found, format_)
            else:
                body = self._listing.answer(listed, format_, request.raw_query)
            responder.answer(200, receipt_headers(format_, request_id, None, 0, [_JSON]), body)
            return
        row = yield from awaited(self._stored.find(request, principal))
        if not self._admission.try_admit(principal):
            yield from awaited(self._admission.admit(principal))
        if row.sealed is not None:
            yield from awaited(self._stored.answer_ours(row, request, responder, request_id))
            return
        holdings = yield from awaited(self._directory.holdings(principal))
        plan = self._plan(row, holdings, principal, request)
        yield from self._stored.pass_on(row, plan, request, responder, request_id)


def _surface(request: Request) -> Surface:
    surface = surface_of(request.path)
    if surface is None:
        raise NotFound(f"There is nothing at {request.path}: see the README for the paths that exist.")
    allowed = (None, request.method, "GET" if request.method == "HEAD" else None)
    if surface.method not in allowed:
        raise MethodNotAllowed(f"{request.path} takes {surface.method}, not {request.method}.")
    refuse_key_in_query(request.raw_query, surface)
    return surface


def _error_format(request: Request) -> WireFormat:
    """The format in which an error is told to this client, and a list of models."""
    from_anthropic = request.header(b"anthropic-version") is not None
    return error_format(request.path, from_anthropic, request.header(b"x-goog-api-key") is not None)
