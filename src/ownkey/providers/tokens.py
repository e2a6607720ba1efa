"""Exchanging a client's secret for an access token (OAuth 2.0 client credentials, RFC 6749 section 4.4).

Written for Microsoft Entra ID, whose errors are numbered (AADSTS…): "Microsoft Entra authentication
and authorization error codes".
"""

import re
from collections.abc import Iterable
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from msgspec import Meta, Struct

from ownkey.domain.address import filled
from ownkey.domain.catalogue import Provider
from ownkey.domain.secret import Secret
from ownkey.providers.verdict import FailureKind, Verdict, classify, verdict_of

_LONGEST = 24 * 3600
_FORM = (b"content-type", b"application/x-www-form-urlencoded")
_JSON = (b"accept", b"application/json")


class TokenRequest(Struct, frozen=True):
    """The POST that requests a token. The secret is in the body."""

    url: str
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def __repr__(self) -> str:
        return f"TokenRequest({self.url})"

    __str__ = __repr__


class AccessToken(Struct, frozen=True):
    """`lifetime` is in seconds from now."""

    secret: Secret
    lifetime: float


class TokenRefused(Struct, frozen=True):
    """Why there is no token; `verdict` says what that means for the key and holds none of the server's text."""

    verdict: Verdict
    status: int


class _Answer(Struct):
    access_token: str
    expires_in: Annotated[int, Meta(ge=0)] | Annotated[str, Meta(pattern="^[0-9]{1,9}$")] = 3600


class _Error(Struct):
    error: str = ""
    error_description: str = ""
    error_codes: list[int] = []


_ANSWER = msgspec.json.Decoder(_Answer)
_ERROR = msgspec.json.Decoder(_Error)
_TOKEN = re.compile(r"[!-~]{8,}")

_PASSING = frozenset({FailureKind.RATE_LIMIT, FailureKind.TIMEOUT, FailureKind.OVERLOADED, FailureKind.SERVER_ERROR})

_BY_CODE = {
    7000215: FailureKind.INVALID_KEY,  # invalid client secret
    7000222: FailureKind.EXPIRED_KEY,  # expired client secret
    7000112: FailureKind.REVOKED_KEY,  # the application is disabled
    7000216: FailureKind.INVALID_KEY,  # client secret or assertion missing
    700016: FailureKind.INVALID_KEY,  # the application is not in this directory
    90002: FailureKind.INVALID_KEY,  # no such directory
    900023: FailureKind.INVALID_KEY,  # the directory's name is invalid
    900021: FailureKind.INVALID_KEY,  # no directory named
    700027: FailureKind.INVALID_KEY,  # client assertion with an invalid signature
    500011: FailureKind.PERMISSION,  # the scope's resource is not in this directory
    70011: FailureKind.PERMISSION,  # invalid scope
    53003: FailureKind.PERMISSION,  # blocked by conditional access
    90033: FailureKind.OVERLOADED,  # a transient error
    90055: FailureKind.RATE_LIMIT,  # too many requests
}
_BY_NAME = {
    "invalid_client": FailureKind.INVALID_KEY,
    "unauthorized_client": FailureKind.INVALID_KEY,
    "invalid_scope": FailureKind.PERMISSION,
    "temporarily_unavailable": FailureKind.OVERLOADED,
}


def token_request(provider: Provider, secret: Secret, config: dict[str, str]) -> TokenRequest | None:
    """How a key is exchanged; None for one that is sent as it is. Raises InvalidRequest for a setting in no URL."""
    grant = provider.token
    if grant is None or not all(config.get(name) for name in grant.requires):
        return None
    form = {
        "grant_type": "client_credentials",
        "client_id": config["client_id"],
        "client_secret": secret.reveal(),
        "scope": grant.scope,
    }
    return TokenRequest(filled(grant.url, config), [_FORM, _JSON], urlencode(form).encode())


def read_token(
    provider: Provider, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]], exchanged: Secret
) -> AccessToken | TokenRefused:
    """The token server's answer. The token's Secret also hides the secret it was exchanged for."""
    if 200 <= status < 300:
        try:
            answer = _ANSWER.decode(body)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            answer = None
        if answer is None or _TOKEN.fullmatch(answer.access_token) is None:
            return TokenRefused(verdict_of(provider, FailureKind.UNEXPECTED, status), status)
        secret = Secret(answer.access_token, (exchanged.reveal(),))
        return AccessToken(secret, float(min(int(answer.expires_in), _LONGEST)))
    usual = classify(provider, status, body, headers)
    if usual.kind in _PASSING:
        return TokenRefused(usual, status)
    return TokenRefused(verdict_of(provider, _kind(body), status), status)


def _kind(body: bytes) -> FailureKind:
    try:
        told = _ERROR.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return FailureKind.UNEXPECTED
    codes = (_BY_CODE.get(code) for code in told.error_codes)
    known = next((kind for kind in codes if kind is not None), None)
    return known or _BY_NAME.get(told.error, FailureKind.UNEXPECTED)
