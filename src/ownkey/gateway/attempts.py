"""Carrying out a plan: one attempt after the other until a provider answers or none is left.

Failover happens only before the first byte of an answer, only among the plan's attempts (so never to
another payer than the plan allows), and only where sending again cannot bill twice.
"""

from msgspec import Struct

from ownkey.domain.credential import CredentialStatus, Preferences
from ownkey.domain.errors import SecretUnreadable
from ownkey.domain.plan import Attempt, Plan
from ownkey.domain.secret import Secret
from ownkey.gateway.edge.exchange import Request
from ownkey.gateway.health import KeyHealth
from ownkey.gateway.meter import Meter
from ownkey.gateway.net import NetError, TimedOut, UpstreamClient, UpstreamRequest, UpstreamResponse
from ownkey.gateway.outgoing import OutgoingBuilder
from ownkey.gateway.read import Ask
from ownkey.gateway.secrets import SecretCache
from ownkey.providers.verdict import Verdict, classify, unreachable

_ERROR_BODY_LIMIT = 1024 * 1024


class Answered(Struct, frozen=True):
    """A provider accepted the request; its body is still to be read."""

    attempt: Attempt
    response: UpstreamResponse
    secret: Secret


class Refused(Struct, frozen=True):
    """A provider said no; the body is whole."""

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


class Attempts:
    """Sends requests as planned and teaches `KeyHealth` what came of it."""

    def __init__(
        self, client: UpstreamClient, secrets: SecretCache, health: KeyHealth, builder: OutgoingBuilder
    ) -> None:
        self._client = client
        self._secrets = secrets
        self._health = health
        self._builder = builder

    async def run(self, request: Request, ask: Ask, plan: Plan, preferences: Preferences, meter: Meter) -> Outcome:
        """The first attempt's answer, or the last refusal. Raises SecretUnreadable and UnsupportedField."""
        last: Outcome | None = None
        for attempt in plan.attempts:
            last = await self._try(request, ask, attempt, preferences)
            self._learn(last, meter)
            if not _may_fail_over(last):
                break
        assert last is not None, "a plan without attempts is refused before"  # noqa: S101
        return last

    async def _try(self, request: Request, ask: Ask, attempt: Attempt, preferences: Preferences) -> Outcome:
        try:
            secret = await self._secrets.open(attempt.credential)
        except SecretUnreadable:
            self._health.note(attempt.credential, CredentialStatus.UNDECRYPTABLE, "the stored key does not decrypt")
            raise
        outgoing = self._builder.build(request, ask, attempt, preferences, secret)
        try:
            response = await self._client.send(
                UpstreamRequest(
                    method=b"POST",
                    target=outgoing.target,
                    headers=outgoing.headers,
                    body=outgoing.body,
                    trusted=attempt.trusted,
                )
            )
            if response.status < 400:
                return Answered(attempt, response, secret)
            body = await response.read(_ERROR_BODY_LIMIT)
        except NetError as error:
            return Unreached(attempt, error)
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


def _may_fail_over(outcome: Outcome) -> bool:
    match outcome:
        case Answered():
            return False
        case Refused():
            return outcome.verdict.failover
        case Unreached():
            # A provider that took the request and stays silent may yet bill it: it is not sent again.
            return not (isinstance(outcome.error, TimedOut) and outcome.error.sent)
