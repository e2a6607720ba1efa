"""Asking a provider whether a key works, by its cheapest authenticated call."""

import time

from msgspec import Struct

from ownkey.domain.catalogue import Provider
from ownkey.domain.credential import CredentialStatus
from ownkey.domain.secret import Secret
from ownkey.gateway.net import NetError, Target, Timeouts, UpstreamClient, UpstreamRequest
from ownkey.gateway.scrub import scrub
from ownkey.gateway.tokens import TokenCache
from ownkey.providers.checks import check_request, read_check
from ownkey.providers.tokens import TokenRefused
from ownkey.providers.verdict import FailureKind

_BODY_LIMIT = 2 * 1024 * 1024
_TIMEOUTS = Timeouts(queue=5.0, connect=5.0, first_byte=20.0, idle=10.0, total=30.0)
"""A person waits for a test; the patience that a long answer deserves is not for it."""


class KeyTestResult(Struct, frozen=True):
    """What a test found. `latency_ms` runs from sending to the whole answer; None when nothing was sent."""

    status: CredentialStatus
    message: str
    latency_ms: float | None


async def run_key_test(
    client: UpstreamClient,
    tokens: TokenCache,
    provider: Provider,
    base_url: str,
    secret: Secret,
    config: dict[str, str],
    trusted: bool,
) -> KeyTestResult:
    """Test a key. An address that may not be called and a provider that cannot be reached leave it untested."""
    began = time.monotonic()
    try:
        exchanged = await tokens.exchange(provider, secret, config)
        if isinstance(exchanged, TokenRefused):
            return _without_token(exchanged, (time.monotonic() - began) * 1000)
        secret = exchanged
        check = check_request(provider, base_url, secret, config, time.time())
        target = Target.parse(check.url)
        request = UpstreamRequest(
            method=check.method.encode(),
            target=target,
            headers=check.headers,
            body=check.body,
            trusted=trusted,
            timeouts=_TIMEOUTS,
        )
        response = await client.send(request)
        body = await response.read(_BODY_LIMIT)
    except NetError as error:
        latency = (time.monotonic() - began) * 1000 if error.sent else None
        return KeyTestResult(CredentialStatus.UNTESTED, f"Not reached: {error.public}", latency)
    latency = (time.monotonic() - began) * 1000
    result = read_check(provider, response.status, scrub(body, secret), response.headers)
    return KeyTestResult(result.status, result.message, latency)


def _without_token(refused: TokenRefused, latency: float) -> KeyTestResult:
    verdict = refused.verdict
    text = f"{verdict.message.rstrip('.')}, when it was exchanged for an access token."
    status = CredentialStatus.RATE_LIMITED if verdict.kind is FailureKind.RATE_LIMIT else verdict.credential_status
    return KeyTestResult(status or CredentialStatus.UNTESTED, text, latency)
