"""What a provider's refusal means for the request and for the key. The whole table is in docs/failover.md."""

import time
from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from ownkey.domain.catalogue import Provider
from ownkey.domain.credential import CredentialStatus
from ownkey.providers.phrases import Saying, what_it_says
from ownkey.providers.problem import Problem, read_problem
from ownkey.providers.waits import LONGEST_WAIT, reset_wait, stated_wait
from ownkey.wire.context import is_overflow


class FailureKind(StrEnum):
    """Why a provider did not serve a request."""

    INVALID_KEY = "invalid_key"
    REVOKED_KEY = "revoked_key"
    EXPIRED_KEY = "expired_key"
    PERMISSION = "permission"
    QUOTA = "quota"
    RATE_LIMIT = "rate_limit"
    MODEL_NOT_FOUND = "model_not_found"
    REQUEST = "request"
    TIMEOUT = "timeout"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    UNREACHABLE = "unreachable"
    UNEXPECTED = "unexpected"


class Verdict(Struct, frozen=True):
    """`failover`: another key may serve the request. `credential_status`: the key's new state, None to leave it.

    The key rests for `rest_seconds`: the whole key when it gets a new state, otherwise this key with this
    model. A `stated` rest is the provider's own and is respected; any other only moves the key to the end.
    `message` is for the key's owner and contains none of the provider's text.
    """

    kind: FailureKind
    message: str
    failover: bool
    credential_status: CredentialStatus | None = None
    rest_seconds: float = 0.0
    stated: bool = False


_STATUS = {
    FailureKind.INVALID_KEY: CredentialStatus.INVALID,
    FailureKind.REVOKED_KEY: CredentialStatus.REVOKED,
    FailureKind.EXPIRED_KEY: CredentialStatus.EXPIRED,
    FailureKind.QUOTA: CredentialStatus.QUOTA_EXHAUSTED,
}

_REST = {
    FailureKind.INVALID_KEY: 60.0,
    FailureKind.REVOKED_KEY: 300.0,
    FailureKind.EXPIRED_KEY: 300.0,
    FailureKind.QUOTA: 60.0,
    FailureKind.PERMISSION: 30.0,
    FailureKind.RATE_LIMIT: 10.0,
    FailureKind.MODEL_NOT_FOUND: 30.0,
    FailureKind.TIMEOUT: 5.0,
    FailureKind.OVERLOADED: 5.0,
    FailureKind.SERVER_ERROR: 3.0,
    FailureKind.UNREACHABLE: 5.0,
    FailureKind.UNEXPECTED: 30.0,
}
"""Seconds of rest when the provider names none."""

_TEXT = {
    FailureKind.INVALID_KEY: "does not accept the key",
    FailureKind.REVOKED_KEY: "says that the key or its account is revoked, disabled or blocked",
    FailureKind.EXPIRED_KEY: "says that the key has expired",
    FailureKind.PERMISSION: "does not permit the key to do this",
    FailureKind.QUOTA: "says that the key's credit or quota is used up",
    FailureKind.RATE_LIMIT: "asks the key to slow down",
    FailureKind.MODEL_NOT_FOUND: "does not know the model, or not for this key",
    FailureKind.REQUEST: "does not accept the request",
    FailureKind.TIMEOUT: "took too long",
    FailureKind.OVERLOADED: "is overloaded",
    FailureKind.SERVER_ERROR: "has a fault",
    FailureKind.UNEXPECTED: "gave an answer that its interface does not have: is the address right?",
}


def classify(
    provider: Provider,
    status: int,
    body: bytes,
    headers: Iterable[tuple[bytes, bytes]],
    now: float | None = None,
) -> Verdict:
    """Judge a response of status 300 or above. `now` is in Unix seconds, by default the current time."""
    now = time.time() if now is None else now
    headers = list(headers)
    problem = read_problem(body, headers)
    wait = _wait(problem, headers, now)
    saying = what_it_says(problem) if status in _ABOUT_THE_KEY else None
    kind = _kind(status, saying, wait)
    if kind is FailureKind.SERVER_ERROR and is_overflow(status, problem.message, *problem.words):
        # llama.cpp and Ollama answer with 500 to a request that is too long for the model.
        kind = FailureKind.REQUEST
    stated = wait is not None and kind in _MAY_STATE_A_WAIT
    # A request that costs more than the account has says nothing about the next one.
    state_of_key = None if saying is Saying.TOO_DEAR else _STATUS.get(kind)
    default_rest = 0.0 if saying is Saying.TOO_DEAR else _REST.get(kind, 0.0)
    return Verdict(
        kind=kind,
        message=f"{provider.title} {_TEXT[kind]} ({status}).",
        failover=kind is not FailureKind.REQUEST,
        credential_status=state_of_key,
        rest_seconds=wait if wait is not None and stated else default_rest,
        stated=stated,
    )


def verdict_of(provider: Provider, kind: FailureKind, status: int) -> Verdict:
    """The verdict where the kind is known without the response's text."""
    return Verdict(
        kind=kind,
        message=f"{provider.title} {_TEXT[kind]} ({status}).",
        failover=kind is not FailureKind.REQUEST,
        credential_status=_STATUS.get(kind),
        rest_seconds=_REST.get(kind, 0.0),
    )


def unreachable(reason: str) -> Verdict:
    """The verdict when there is no response. `reason` is Ownkey's own text."""
    return Verdict(
        kind=FailureKind.UNREACHABLE,
        message=reason,
        failover=True,
        rest_seconds=_REST[FailureKind.UNREACHABLE],
    )


_MAY_STATE_A_WAIT = frozenset(
    {FailureKind.RATE_LIMIT, FailureKind.OVERLOADED, FailureKind.TIMEOUT, FailureKind.SERVER_ERROR}
)
"""Waiting resolves only these; a wrong key that should wait is still wrong."""


def _wait(problem: Problem, headers: Iterable[tuple[bytes, bytes]], now: float) -> float | None:
    wait = stated_wait(headers, now)
    if wait is None and problem.retry_delay is not None:
        wait = min(problem.retry_delay, LONGEST_WAIT)
    if wait is None and problem.reset_header is not None:
        wait = reset_wait(problem.reset_header, now)
    return wait if wait else None


def _kind(status: int, saying: Saying | None, wait: float | None) -> FailureKind:
    if status == 402 and wait is not None:
        # OpenRouter's budget of requests under way: it passes, as a limit does.
        return FailureKind.RATE_LIMIT
    if saying is Saying.QUOTA and wait is not None:
        # The words of an empty account with a time to come back are a limit that passes.
        return FailureKind.RATE_LIMIT
    if status == 429 and saying not in (Saying.QUOTA, Saying.TOO_DEAR):
        return FailureKind.RATE_LIMIT
    if saying is not None and not (saying is Saying.NO_MODEL and status not in _MAY_BE_A_MODEL):
        return _BY_SAYING[saying]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status < 400:
        return FailureKind.UNEXPECTED
    return FailureKind.REQUEST if status < 500 else FailureKind.SERVER_ERROR


_ABOUT_THE_KEY = frozenset({400, 401, 402, 403, 404, 412, 413, 429})
"""Statuses under which vendors also say that something is wrong with the key."""

_MAY_BE_A_MODEL = frozenset({400, 403, 404})

_BY_SAYING = {
    Saying.QUOTA: FailureKind.QUOTA,
    Saying.TOO_DEAR: FailureKind.QUOTA,
    Saying.RATE: FailureKind.RATE_LIMIT,
    Saying.REVOKED: FailureKind.REVOKED_KEY,
    Saying.EXPIRED: FailureKind.EXPIRED_KEY,
    Saying.INVALID: FailureKind.INVALID_KEY,
    Saying.FLAGGED: FailureKind.REQUEST,
    Saying.SCOPE: FailureKind.PERMISSION,
    Saying.PERMISSION: FailureKind.PERMISSION,
    Saying.NO_MODEL: FailureKind.MODEL_NOT_FOUND,
}

_BY_STATUS = {
    401: FailureKind.INVALID_KEY,
    402: FailureKind.QUOTA,
    403: FailureKind.PERMISSION,
    404: FailureKind.MODEL_NOT_FOUND,
    408: FailureKind.TIMEOUT,
    409: FailureKind.OVERLOADED,
    410: FailureKind.MODEL_NOT_FOUND,
    424: FailureKind.SERVER_ERROR,
    425: FailureKind.OVERLOADED,
    429: FailureKind.RATE_LIMIT,
    498: FailureKind.OVERLOADED,
    499: FailureKind.SERVER_ERROR,
    503: FailureKind.OVERLOADED,
    504: FailureKind.TIMEOUT,
    524: FailureKind.TIMEOUT,
    529: FailureKind.OVERLOADED,
}
