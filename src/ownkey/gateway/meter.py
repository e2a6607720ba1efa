"""The account of one exchange while it runs: what was tried, what was used, how it ended."""

import time

import msgspec
from msgspec import Struct, structs

from ownkey.domain.errors import OwnkeyError, UpstreamError
from ownkey.domain.plan import Attempt, Plan
from ownkey.domain.price import list_cost
from ownkey.domain.reservation import holds_media, input_bound, output_bound, price_bound
from ownkey.domain.tenancy import Principal, Scope
from ownkey.domain.usage import RequestRecord, RequestStatus, Usage
from ownkey.gateway.read import Ask
from ownkey.wire import ErrorKind, Watched

_encode = msgspec.json.Encoder().encode


class _Tried(Struct, frozen=True, gc=False):
    """An attempt as the receipt tells it."""

    credential_id: str
    provider: str
    model: str
    payer: str
    outcome: str
    status: int | None


class _Left(Struct, frozen=True, gc=False):
    """A dropped candidate as the receipt tells it."""

    credential_id: str
    label: str
    provider: str
    reason: str
    detail: str


class _Detail(Struct, frozen=True):
    attempts: list[_Tried]
    dropped: list[_Left]
    adaptations: tuple[str, ...]
    route: str | None


class Meter:
    """Collects the facts of one request; `opening` and `closing` turn them into the two journal records."""

    __slots__ = (
        "_began",
        "_named",
        "_tried",
        "adaptations",
        "ask",
        "at",
        "attempt",
        "error",
        "events",
        "http_status",
        "plan",
        "principal",
        "record",
        "request_id",
        "settled",
        "status",
        "streaming",
        "ttft_ms",
        "usage",
        "watched",
    )

    record: RequestRecord
    """What is written down of the request: see `opening` and `closing`."""

    def __init__(self, request_id: str, at: float, received: float, principal: Principal, ask: Ask, plan: Plan) -> None:
        self.request_id = request_id
        self.at = at
        self._began = received
        self.principal = principal
        self.ask = ask
        self.plan = plan
        self.attempt: Attempt | None = plan.attempts[0] if plan.attempts else None
        self._tried: list[_Tried] = []
        self.usage: Usage | None = None
        self.events = 0
        """Stream events passed on: the estimate of output tokens when none are reported."""
        self.ttft_ms: float | None = None
        self.status = RequestStatus.FAILED
        self.http_status = OwnkeyError.status
        self.error: str | None = OwnkeyError.code
        self.settled = False
        self.streaming = False
        """Whether the client has the head of a streamed answer: too late for an error of another kind."""
        self.adaptations: tuple[str, ...] = ()
        """The client's fields that were left out or changed for the provider."""
        self.watched: Watched | None = None
        """The stream being relayed."""

    @property
    def attempts(self) -> int:
        return len(self._tried)

    def tried(self, attempt: Attempt, outcome: str, status: int | None) -> None:
        """Note one attempt; `outcome` is a word for the receipt, `status` the provider's, if it answered."""
        self.attempt = attempt
        credential = attempt.credential
        self._tried.append(
            _Tried(credential.id, attempt.provider.name, attempt.upstream_model, attempt.payer, outcome, status)
        )

    def first_content(self) -> None:
        """The first content or reasoning reached us."""
        if self.ttft_ms is None:
            self.ttft_ms = self.elapsed_ms()

    def completed(self, http_status: int) -> None:
        self.status, self.http_status, self.error = RequestStatus.COMPLETED, http_status, None

    def failed(self, http_status: int, error: str) -> None:
        self.status, self.http_status, self.error = RequestStatus.FAILED, http_status, error

    def stream_ended(self, failure: str) -> None:
        """Judge a stream by what was seen of it; `failure` says why it broke off, if it did."""
        watched = self.watched
        if watched is None:
            self.failed(OwnkeyError.status, failure)
            return
        self.usage = watched.usage
        if watched.error is not None:
            kind = watched.error.kind
            self.failed(200, UpstreamError.code if kind is ErrorKind.SERVER else kind.value)
        elif watched.ended:
            self.completed(200)
        else:
            self.failed(200, failure)

    def cancelled(self, status: RequestStatus) -> None:
        """The exchange was broken off from outside; an answer that was over by then stays what it was."""
        watched = self.watched
        if watched is not None:
            self.stream_ended(status.value)
        if watched is None or not (watched.ended or watched.error):
            self.status, self.error = status, status.value

    def elapsed_ms(self) -> float:
        return (time.monotonic() - self._began) * 1000

    def counted(self) -> Usage:
        """The usage reported. Of an answer that broke off, what had passed is estimated; without any, nothing was."""
        if self.usage is not None and self.status is RequestStatus.COMPLETED:
            return self.usage
        output = self.events if self.ttft_ms is not None else 0
        if self.usage is not None:
            return structs.replace(self.usage, output_tokens=max(output, self.usage.output_tokens), reported=False)
        if self.status is RequestStatus.FAILED and not output:
            return Usage(reported=False)
        return Usage(self.ask.estimated_input_tokens, output, reported=False)

    def _costs(self, usage: Usage) -> tuple[int, int]:
        """(list cost, charged), both in nano-dollars. Only the platform's keys are charged for."""
        attempt = self.attempt
        if attempt is None:
            return 0, 0
        cost = list_cost(attempt.rates, usage)
        return cost, cost if attempt.payer is Scope.PLATFORM else 0

    def _reserved(self) -> int:
        """The most that the request can cost over all its attempts, in nano-dollars; 0 where nothing bounds it."""
        ask, attempts = self.ask, self.plan.attempts
        windows = [attempt.context_window for attempt in attempts if attempt.context_window is not None]
        window = max(windows, default=0) if len(windows) == len(attempts) else None
        media = ask.form is not None or holds_media(ask.body)
        most_in = input_bound(len(ask.body), media, window)
        most_out = output_bound(ask.max_tokens, ask.choices, window)
        if most_in is None or most_out is None:
            return 0
        return price_bound([attempt.rates for attempt in attempts], most_in, most_out)

    def opening(self) -> RequestRecord:
        """The record written before anything is sent: should we die, it stands, with the worst case asked for."""
        ask, principal, plan = self.ask, self.principal, self.plan
        estimate = ask.estimated_input_tokens
        most = ask.max_tokens or 0
        cost, charged = self._costs(Usage(estimate, most, reported=False))
        reserved = self._reserved()
        self.record = record = RequestRecord(
            id=self.request_id,
            at=self.at,
            user_id=principal.user_id,
            owner_scope=principal.owners[0].scope,
            owner_id=principal.owners[0].id,
            api_key_id=principal.api_key.id if principal.api_key else None,
            model=plan.model,
            upstream_model="",
            provider="",
            credential_id=None,
            payer="",
            client_format=ask.format,
            status=RequestStatus.INTERRUPTED,
            http_status=self.http_status,
            streamed=ask.stream,
            input_tokens=estimate,
            output_tokens=most,
            list_cost=cost,
            charged=charged,
            error=self.error,
            reserved=reserved,
            counted=reserved,
        )
        self._name_attempt(record)
        return record

    def closing(self) -> RequestRecord:
        """The opening record with what happened. It is the same object: the opening is on disk by now."""
        usage = self.counted()
        record = self.record
        record.list_cost, record.charged = self._costs(usage)
        if self.status is RequestStatus.FAILED and not usage.reported:
            # An estimate counts towards limits. A failed answer is charged for what its provider reported, if anything.
            record.charged = self._costs(self.usage)[1] if self.usage is not None else 0
        record.counted = record.list_cost
        if self.attempt is not self._named:
            self._name_attempt(record)
        record.status = self.status
        record.http_status = self.http_status
        record.error = self.error
        record.input_tokens = usage.input_tokens
        record.output_tokens = usage.output_tokens
        record.cached_tokens = usage.cached_tokens
        record.cache_write_tokens = usage.cache_write_tokens
        record.reasoning_tokens = usage.reasoning_tokens
        record.usage_reported = usage.reported
        record.latency_ms = self.elapsed_ms()
        record.ttft_ms = self.ttft_ms
        record.attempts = len(self._tried)
        record.detail = self._detail()
        return record

    def _name_attempt(self, record: RequestRecord) -> None:
        """Say in the record by which key the request goes, and who pays."""
        attempt = self._named = self.attempt
        if attempt is None:
            return
        credential = attempt.credential
        record.owner_scope = credential.owner.scope
        record.owner_id = credential.owner.id
        record.upstream_model = attempt.upstream_model
        record.provider = attempt.provider.name
        record.credential_id = credential.id
        record.payer = attempt.payer

    def _detail(self) -> str:
        dropped = [
            _Left(drop.credential.id, drop.credential.label, drop.credential.provider, drop.reason, drop.detail)
            for drop in self.plan.dropped
        ]
        return _encode(_Detail(self._tried, dropped, self.adaptations, self.plan.route)).decode()
