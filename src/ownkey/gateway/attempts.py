"""Carrying out a plan: one attempt after the other until a provider answers or none is left.

Failover happens only before the first byte of an answer, only among the plan's attempts (so never to
another payer than the plan allows), and not after a provider that may bill what it did not answer.
"""

from ownkey.domain.credential import CredentialStatus, Preferences
from ownkey.domain.errors import SecretUnreadable, UnsupportedField, UpstreamError
from ownkey.domain.plan import Attempt
from ownkey.domain.secret import Secret
from ownkey.gateway.delivery import Delivery
from ownkey.gateway.health import KeyHealth
from ownkey.gateway.learned import LearnedFacts
from ownkey.gateway.meter import Meter
from ownkey.gateway.net import ConnectionLost, NetError, TimedOut, UpstreamClient, UpstreamRequest, UpstreamResponse
from ownkey.gateway.outcomes import Answered, Outcome, Refused, Unreached
from ownkey.gateway.outgoing import Outgoing, OutgoingBuilder
from ownkey.gateway.secrets import SecretCache
from ownkey.gateway.steps import Steps, awaited
from ownkey.gateway.tokens import TokenCache
from ownkey.providers.tokens import TokenRefused
from ownkey.providers.verdict import FailureKind, classify, unreachable
from ownkey.wire import FORMATS, WireError
from ownkey.wire.errors import kind_of_status
from ownkey.wire.fit import rejected_fields

_ABOUT_THE_REQUEST = frozenset({400, 422})
_ERROR_BODY_LIMIT = 1024 * 1024
_STATUS_WITHOUT_TOKEN = {
    FailureKind.INVALID_KEY: 401,
    FailureKind.EXPIRED_KEY: 401,
    FailureKind.REVOKED_KEY: 401,
    FailureKind.PERMISSION: 403,
    FailureKind.RATE_LIMIT: 429,
    FailureKind.OVERLOADED: 503,
}


class Attempts:
    """Sends requests as planned and teaches `KeyHealth` what came of it."""

    def __init__(
        self,
        client: UpstreamClient,
        secrets: SecretCache,
        tokens: TokenCache,
        health: KeyHealth,
        builder: OutgoingBuilder,
        learned: LearnedFacts,
    ) -> None:
        self._client = client
        self._tokens = tokens
        self._secrets = secrets
        self._health = health
        self._builder = builder
        self._learned = learned

    def run(self, delivery: Delivery, attempts: tuple[Attempt, ...], preferences: Preferences) -> Steps[Outcome]:
        """The first answer, or the last refusal. There is at least one attempt.

        Raises SecretUnreadable, and UnsupportedField when no attempt's format can say what the client asked.
        """
        meter = delivery.meter
        last: Outcome | None = None
        unsupported: UnsupportedField | None = None
        for attempt in attempts:
            try:
                last = yield from self._try(delivery, attempt, preferences)
            except UnsupportedField as error:
                unsupported = unsupported or error
                meter.tried(attempt, error.code, None)
                continue
            self._learn(last, meter)
            if not _may_fail_over(last):
                break
        if last is not None:
            return last
        assert unsupported is not None, "a plan without attempts is refused before"  # noqa: S101
        raise unsupported

    def _try(self, delivery: Delivery, attempt: Attempt, preferences: Preferences) -> Steps[Outcome]:
        meter = delivery.meter
        stored = self._secrets.known(attempt.credential)
        if stored is None:
            stored = yield from self._open(attempt, meter)
        secret = self._tokens.known(attempt.provider, stored, attempt.credential.config)
        if secret is None:
            try:
                exchanged = yield from awaited(
                    self._tokens.exchange(attempt.provider, stored, attempt.credential.config)
                )
            except NetError as error:
                return Unreached(attempt, error)
            if isinstance(exchanged, TokenRefused):
                return _without_token(attempt, exchanged, stored)
            secret = exchanged
        without = self._learned.without(attempt)
        outgoing = self._builder.build(delivery.request, delivery.ask, attempt, preferences, secret, without)
        meter.adaptations = outgoing.adaptations
        outcome = yield from self._once(attempt, outgoing, secret)
        rejected = _rejected(outcome, outgoing)
        if not rejected:
            return outcome
        # Nothing was answered and nothing billed: the same key is asked once more without what we had added.
        meter.tried(attempt, "field_rejected", outcome.status if isinstance(outcome, Refused) else None)
        without = (*without, *rejected)
        outgoing = self._builder.build(delivery.request, delivery.ask, attempt, preferences, secret, without)
        meter.adaptations = outgoing.adaptations
        outcome = yield from self._once(attempt, outgoing, secret)
        if isinstance(outcome, Answered):
            self._learned.learn(attempt, rejected)
        return outcome

    def _once(self, attempt: Attempt, outgoing: Outgoing, secret: Secret) -> Steps[Outcome]:
        came: UpstreamResponse | NetError
        sending = self._client.send_now(outgoing.request)
        if sending is not None:
            came = yield sending
        else:
            came = yield from self._send(outgoing.request)
        if isinstance(came, NetError):
            if isinstance(came, ConnectionLost) and came.unread and sending is not None:
                # The provider closed an idle connection and has nothing of the request: see UpstreamClient.send.
                came = yield from self._send(outgoing.request, fresh=True)
            if isinstance(came, NetError):
                return Unreached(attempt, came)
        if accepts(came):
            return Answered(attempt, came, secret, outgoing.back)
        return (yield from self._refused(attempt, came, secret))

    def _send(self, request: UpstreamRequest, *, fresh: bool = False) -> Steps[UpstreamResponse | NetError]:
        try:
            return (yield from awaited(self._client.send(request, fresh=fresh)))
        except NetError as error:
            return error

    def _open(self, attempt: Attempt, meter: Meter) -> Steps[Secret]:
        try:
            return (yield from awaited(self._secrets.open(attempt.credential)))
        except SecretUnreadable as error:
            self._health.note(attempt.credential, CredentialStatus.UNDECRYPTABLE, "the stored key does not decrypt")
            meter.tried(attempt, error.code, None)
            raise

    def _refused(self, attempt: Attempt, response: UpstreamResponse, secret: Secret) -> Steps[Outcome]:
        """Read a refusal and what it says of the key."""
        try:
            body = yield from whole_body(response, _ERROR_BODY_LIMIT)
        except NetError as error:
            return Unreached(attempt, error)
        finally:
            response.abort()
        if response.status == 401:
            self._tokens.forget(secret)
        verdict = classify(attempt.provider, response.status, body, response.headers)
        return Refused(attempt, response.status, response.headers, body, secret, verdict)

    def _learn(self, outcome: Outcome, meter: Meter) -> None:
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


def _rejected(outcome: Outcome, outgoing: Outgoing) -> tuple[str, ...]:
    """The fields that Ownkey added and the provider's error names, if it is an error of the request."""
    if not outgoing.ours or not isinstance(outcome, Refused) or outcome.status not in _ABOUT_THE_REQUEST:
        return ()
    return rejected_fields(outcome.attempt.format, outcome.attempt.facts, outcome.body, outgoing.ours)


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
            return not _may_be_billed(outcome.error)


def _may_be_billed(error: NetError) -> bool:
    """Whether the provider may bill what got no answer: it took the request and stays silent, or began to answer.

    A connection that ends before the first byte of an answer is a keep-alive connection closed in the same moment,
    or a server that went down: nothing was answered, and the next attempt is made.
    """
    if isinstance(error, TimedOut):
        return error.sent
    return isinstance(error, ConnectionLost) and error.answered


def whole_body(response: UpstreamResponse, limit: int) -> Steps[bytes]:
    """The whole body. Raises ResponseTooLarge above `limit` bytes, or the NetError that broke it off."""
    body = response.whole()
    if body is not None:
        if len(body) > limit:
            raise response.too_large(limit)
        return body
    if response.error is not None:
        raise response.error
    result: bytes | NetError = yield response.reading(limit)
    if isinstance(result, NetError):
        raise result
    return result
