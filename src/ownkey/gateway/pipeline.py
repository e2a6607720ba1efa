"""The data plane in a page: authenticate → read → plan → admit → attempt → relay → settle."""

import asyncio
import itertools
from collections.abc import Generator
from contextlib import contextmanager

from ownkey.domain.credential import Holdings
from ownkey.domain.errors import MethodNotAllowed, NotFound, OwnkeyError, UpstreamError
from ownkey.domain.formats import WireFormat
from ownkey.domain.ids import new_id
from ownkey.domain.plan import Plan, PlanRequest
from ownkey.domain.tenancy import KeyScope, Principal
from ownkey.domain.usage import RequestStatus
from ownkey.gateway.admit import Admission
from ownkey.gateway.attempts import Answered, Attempts, FirstAttempt, Refused, Unreached
from ownkey.gateway.authenticate import Authenticator, check_rights
from ownkey.gateway.directory import Directory
from ownkey.gateway.edge.exchange import Request, Responder
from ownkey.gateway.health import KeyHealth
from ownkey.gateway.ledger import Ledger
from ownkey.gateway.listing import ModelListing
from ownkey.gateway.meter import Meter
from ownkey.gateway.plans import Planner
from ownkey.gateway.query import refuse_key_in_query
from ownkey.gateway.read import Ask, read_request
from ownkey.gateway.receipt import receipt_headers
from ownkey.gateway.refusals import render_error, render_refusal
from ownkey.gateway.relay import Relay
from ownkey.gateway.responses import ResponseDesk, ResponseStore, check, continued
from ownkey.gateway.surfaces import Deed, Surface, error_format, surface_of
from ownkey.gateway.token_counts import answer_estimate, counts_itself
from ownkey.storage.records import StoredResponse
from ownkey.wire import FORMATS


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
        desk: ResponseDesk,
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
        self._desk = desk
        self._tickets = itertools.count()

    async def handle(self, request: Request, responder: Responder) -> None:
        """Answer one request, whatever happens; a client that leaves ends the work for it."""
        await self._handle(None, request, responder)

    async def handle_for(self, principal: Principal, request: Request, responder: Responder) -> None:
        """As `handle`, for a caller inside this process who is known: a key among the headers is not read."""
        await self._handle(principal, request, responder)

    async def _handle(self, principal: Principal | None, request: Request, responder: Responder) -> None:
        request_id = new_id("req")
        from_anthropic = request.header(b"anthropic-version") is not None
        format_ = error_format(request.path, from_anthropic, request.header(b"x-goog-api-key") is not None)
        with _leaving(responder):
            try:
                await self._answer(request_id, format_, principal, request, responder)
            except OwnkeyError as error:
                headers, body = render_error(format_, error, request_id)
                responder.answer(error.status, headers, body)

    async def _answer(
        self,
        request_id: str,
        format_: WireFormat,
        principal: Principal | None,
        request: Request,
        responder: Responder,
    ) -> None:
        surface = _surface(request)
        if principal is None:
            principal = await self._authenticator.authenticate(request, KeyScope.GATEWAY)
        else:
            check_rights(principal, KeyScope.GATEWAY, request.peer)
        if principal.api_key is not None:
            self._health.api_key_used(principal.api_key.id, request.started_at)
        if surface.deed is Deed.LIST_MODELS:
            await self._list(request_id, format_, request, responder, principal)
            return
        if surface.deed is Deed.STORED_RESPONSE:
            await self._stored_response(request_id, request, responder, principal)
            return
        ask = read_request(request, surface)
        holdings = self._directory.known_holdings(principal) or await self._directory.holdings(principal)
        if ask.format is WireFormat.OPENAI_RESPONSES:
            ask = await continued(self._responses, ask, principal, holdings)
        plan = self.plan(ask, holdings, principal, request)
        await self._admission.admit(principal)
        meter = Meter(request_id, request.started_at, request.received, principal, ask, plan)
        self._ledger.open(meter)
        await self._settled(request, responder, holdings, meter, None)

    async def go_on(
        self,
        request: Request,
        responder: Responder,
        holdings: Holdings,
        meter: Meter,
        first: FirstAttempt | None,
    ) -> None:
        """Answer a request whose account is open; `first` is its first attempt where that is under way already."""
        with _leaving(responder):
            await self._settled(request, responder, holdings, meter, first)

    async def _settled(
        self,
        request: Request,
        responder: Responder,
        holdings: Holdings,
        meter: Meter,
        first: FirstAttempt | None,
    ) -> None:
        try:
            await self._carry_out(request, responder, holdings, meter, first)
        except OwnkeyError as error:
            self.fail(error, responder, meter)
        except asyncio.CancelledError:
            meter.cancelled(RequestStatus.CANCELLED if responder.gone else RequestStatus.INTERRUPTED)
            raise
        finally:
            self._ledger.settle(meter)

    async def _carry_out(
        self,
        request: Request,
        responder: Responder,
        holdings: Holdings,
        meter: Meter,
        first: FirstAttempt | None,
    ) -> None:
        ask, plan = meter.ask, meter.plan
        if plan.refusal is not None:
            raise plan.refusal
        if ask.format is WireFormat.OPENAI_RESPONSES:
            check(self._responses, ask, plan)
        estimate = FORMATS[ask.format].estimate
        if estimate is not None:
            plan = counts_itself(plan, ask.format)
            if not plan.attempts:
                answer_estimate(estimate(ask.parsed), ask, responder, meter, self._ledger)
                return
        outcome = await self._attempts.run(request, ask, plan, holdings.preferences, meter, first)
        match outcome:
            case Answered():
                await self._relay.run(outcome, ask, responder, meter)
            case Refused():
                status, headers, body = render_refusal(outcome, ask.format, meter.request_id, meter.attempts)
                meter.failed(status, UpstreamError.code)
                self._ledger.settle(meter)
                responder.answer(status, headers, body)
            case Unreached():
                raise outcome.error

    def fail(self, error: OwnkeyError, responder: Responder, meter: Meter) -> None:
        """Settle a request that came to nothing, and say so as far as the client can still be told."""
        meter.failed(error.status, error.code)
        self._ledger.settle(meter)
        if meter.streaming:
            responder.abort()
            return
        headers, body = render_error(meter.ask.format, error, meter.request_id, meter.attempt, meter.attempts)
        responder.answer(error.status, headers, body)

    def plan(self, ask: Ask | StoredResponse, holdings: Holdings, principal: Principal, request: Request) -> Plan:
        """The plan for a request of this principal, as `route/explain` shows it too."""
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

    async def _stored_response(
        self, request_id: str, request: Request, responder: Responder, principal: Principal
    ) -> None:
        row = await self._desk.find(request, principal)
        await self._admission.admit(principal)
        if row.sealed is not None:
            await self._desk.answer_ours(row, request, responder, request_id)
            return
        holdings = await self._directory.holdings(principal)
        plan = self.plan(row, holdings, principal, request)
        await self._desk.pass_on(row, plan, request, responder, request_id)

    async def _list(
        self, request_id: str, format_: WireFormat, request: Request, responder: Responder, principal: Principal
    ) -> None:
        holdings = await self._directory.holdings(principal)
        listed = await self._listing.served(principal, holdings, request.started_at, request.peer)
        wanted = request.path.partition("/models")[2].lstrip("/") or None
        body = self._listing.answer(listed, format_, wanted, request.raw_query)
        headers = receipt_headers(format_, request_id, None, 0, [(b"content-type", b"application/json")])
        responder.answer(200, headers, body)


@contextmanager
def _leaving(responder: Responder) -> Generator[None]:
    """Cancel this task when the client leaves, and end with that."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101
    responder.left.add_done_callback(lambda _: task.cancel())
    try:
        yield
    except asyncio.CancelledError:
        if not responder.gone:
            raise


def _surface(request: Request) -> Surface:
    surface = surface_of(request.path)
    if surface is None:
        raise NotFound(f"There is nothing at {request.path}: see the README for the paths that exist.")
    allowed = (None, request.method, "GET" if request.method == "HEAD" else None)
    if surface.method not in allowed:
        raise MethodNotAllowed(f"{request.path} takes {surface.method}, not {request.method}.")
    refuse_key_in_query(request.raw_query, surface)
    return surface
