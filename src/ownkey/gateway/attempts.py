"""Carrying out a plan: one attempt after the other until a provider answers or none is left.

Failover happens only before the first byte of an answer, only among the plan's attempts (so never to
another payer than the plan allows), and only where sending again cannot bill twice.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from msgspec import Struct

from ownkey.domain.credential import CredentialStatus, Preferences
from ownkey.domain.errors import SecretUnreadable, UnsupportedField, UpstreamError
from ownkey.domain.plan import Attempt, Plan
from ownkey.domain.secret import Secret
from ownkey.gateway.edge.exchange import Request
from ownkey.gateway.health import KeyHealth
from ownkey.gateway.meter import Meter
from ownkey.gateway.net import NetError, TimedOut, UpstreamClient, UpstreamResponse
from ownkey.gateway.outgoing import OutgoingBuilder
from ownkey.gateway.read import Ask
from ownkey.gateway.secrets import SecretCache
from ownkey.gateway.tokens import TokenCache
from ownkey.providers.tokens import TokenRefused
from ownkey.providers.verdict import FailureKind, Verdict, classify, unreachable
from ownkey.wire import FORMATS, WireError
from ownkey.wire.errors import kind_of_status

_ERROR_BODY_LIMIT = 1024 * 1024
_STATUS_WITHOUT_TOKEN = {
    FailureKind.INVALID_KEY: 401,
    FailureKind.EXPIRED_KEY: 401,
    FailureKind.REVOKED_KEY: 401,
    FailureKind.PERMISSION: 403,
    FailureKind.RATE_LIMIT: 429,
    FailureKind.OVERLOADED: 503,
}


class Answered(Struct, frozen=True):
    """A provider accepted the request (2xx, and not a web page); its body is still to be read."""

    attempt: Attempt
    response: UpstreamResponse
    secret: Secret


class Refused(Struct, frozen=True):
    """A provider said no, or what its interface cannot say (a redirect, a page); the body is whole."""

    attempt: Attempt
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    secret: Secret
    verdict: Verdict


class Unreached(Struct, frozen=True):
    """No answer came."""

    attempt: Attempt
    error: NetError


Outcome = Answered | Refused | Unreached
FirstAttempt = Callable[[], Coroutine[Any, Any, Outcome]]
"""What is left to do of a first attempt that is under way."""


class Attempts:
    """Sends requests as planned and teaches `KeyHealth` what came of it."""

    def __init__(
        self,
        client: UpstreamClient,
        secrets: SecretCache,
        tokens: TokenCache,
        health: KeyHealth,
        builder: OutgoingBuilder,
    ) -> None:
        self._client = client
        self._tokens = tokens
        self._secrets = secrets
        self._health = health
        self._builder = builder

    async def run(
        self,
        request: Request,
        ask: Ask,
        plan: Plan,
        preferences: Preferences,
        meter: Meter,
        first: FirstAttempt | None = None,
    ) -> Outcome:
        """The first answer, or the last refusal. `first` is the first attempt where it is under way already.

        Raises SecretUnreadable, and UnsupportedField when no attempt's format can say what the client asked.
        """
        last: Outcome | None = None
        unsupported: UnsupportedField | None = None
        for attempt in plan.attempts:
            try:
                last = await (first() if first else self._try(request, ask, attempt, preferences, meter))
            except UnsupportedField as error:
                unsupported = unsupported or error
                meter.tried(attempt, error.code, None)
                continue
            first = None
            self.learn(last, meter)
            if not _may_fail_over(last):
                break
        if last is not None:
            return last
        assert unsupported is not None, "a plan without attempts is refused before"  # noqa: S101
        raise unsupported

    async def _try(
        self, request: Request, ask: Ask, attempt: Attempt, preferences: Preferences, meter: Meter
    ) -> Outcome:
        try:
            secret = await self._secrets.open(attempt.credential)
        except SecretUnreadable as error:
            self._health.note(attempt.credential, CredentialStatus.UNDECRYPTABLE, "the stored key does not decrypt")
            meter.tried(attempt, error.code, None)
            raise
        try:
            exchanged = await self._tokens.exchange(attempt.provider, secret, attempt.credential.config)
        except NetError as error:
            return Unreached(attempt, error)
        if isinstance(exchanged, TokenRefused):
            return _without_token(attempt, exchanged, secret)
        secret = exchanged
        outgoing = self._builder.build(request, ask, attempt, preferences, secret)
        meter.hints_dropped = outgoing.dropped
        try:
            response = await self._client.send(outgoing.request)
        except NetError as error:
            return Unreached(attempt, error)
        return await self.judge(attempt, secret, response)

    async def judge(self, attempt: Attempt, secret: Secret, came: UpstreamResponse | NetError) -> Outcome:
        """What an answer, or its absence, means. Reads the body of a refusal."""
        if isinstance(came, NetError):
            return Unreached(attempt, came)
        response = came
        try:
            if accepts(response):
                return Answered(attempt, response, secret)
            body = await response.read(_ERROR_BODY_LIMIT)
        except NetError as error:
            return Unreached(attempt, error)
        if response.status == 401:
            self._tokens.forget(secret)
        verdict = classify(attempt.provider, response.status, body, response.headers)
        return Refused(attempt, response.status, response.headers, body, secret, verdict)

    def learn(self, outcome: Outcome, meter: Meter) -> None:
        attempt = outcome.attempt
        match outcome:
            case Answered():
                self._health.succeeded(attempt.credential, attempt.upstream_model)
                meter.tried(attempt, "answered", outcome.response.status)
            case Refused():
                self._health.failed(attempt.credential, attempt.upstream_model, outcome.verdict)
                meter.tried(attempt, outcome.verdict.kind, outcome.status)
            case Unreached():
                self._health.failed(attempt.credential, attempt.upstream_model, unreachable(outcome.error.public))
                meter.tried(attempt, outcome.error.code, None)


def _without_token(attempt: Attempt, refused: TokenRefused, secret: Secret) -> Refused:
    """The refusal to exchange the key, told as if the provider itself had refused it."""
    status = _STATUS_WITHOUT_TOKEN.get(refused.verdict.kind, UpstreamError.status)
    error = WireError(kind_of_status(status), refused.verdict.message, status, code=refused.verdict.kind.value)
    headers = [(b"content-type", b"application/json")]
    return Refused(attempt, status, headers, FORMATS[attempt.format].errors.write(error, ""), secret, refused.verdict)


def accepts(response: UpstreamResponse) -> bool:
    """Whether this is a success. A proxy's log-in page also answers with 200, and would make any key look valid."""
    if not 200 <= response.status < 300:
        return False
    kind = response.header(b"content-type")
    return kind is None or kind[:9].lower() != b"text/html"


def _may_fail_over(outcome: Outcome) -> bool:
    match outcome:
        case Answered():
            return False
        case Refused():
            return outcome.verdict.failover
        case Unreached():
            # A provider that took the request and stays silent may yet bill it: it is not sent again.
            return not (isinstance(outcome.error, TimedOut) and outcome.error.sent)
