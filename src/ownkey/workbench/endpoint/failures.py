"""Why a call has no answer, and what to do about it."""

import re
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from ownkey.domain.errors import (
    InsufficientCredits,
    InvalidRequest,
    ModelNotFound,
    NotAllowed,
    OwnkeyError,
    RateLimited,
    RequestTooLarge,
    Unauthenticated,
    Unavailable,
    UpstreamTimeout,
)
from ownkey.gateway.net import (
    AddressBlocked,
    ConnectFailed,
    ConnectionLost,
    ProtocolViolation,
    ResponseTooLarge,
    Stage,
    TimedOut,
    TlsFailed,
)
from ownkey.providers.phrases import Saying, what_it_says
from ownkey.providers.problem import Problem, read_problem
from ownkey.providers.waits import stated_wait
from ownkey.wire.errors import MalformedAnswer, WireError
from ownkey.workbench.records import Failure, FailureKind

LONGEST_MESSAGE = 300
LONGEST_ERROR_BODY = 256 * 1024

Scrub = Callable[[str], str]
Headers = Sequence[tuple[bytes, bytes]]

_OURS: tuple[tuple[type[OwnkeyError], FailureKind], ...] = (
    (AddressBlocked, FailureKind.BLOCKED_ADDRESS),
    (TlsFailed, FailureKind.TLS),
    (UpstreamTimeout, FailureKind.TIMEOUT),
    (ConnectFailed, FailureKind.NETWORK),
    (ConnectionLost, FailureKind.NETWORK),
    (ProtocolViolation, FailureKind.MALFORMED_RESPONSE),
    (ResponseTooLarge, FailureKind.MALFORMED_RESPONSE),
    (MalformedAnswer, FailureKind.MALFORMED_RESPONSE),
    (Unauthenticated, FailureKind.AUTH),
    (InsufficientCredits, FailureKind.AUTH),
    (NotAllowed, FailureKind.AUTH),
    (ModelNotFound, FailureKind.MODEL_NOT_FOUND),
    (RateLimited, FailureKind.RATE_LIMIT),
    (RequestTooLarge, FailureKind.CONTEXT_LENGTH),
    (Unavailable, FailureKind.SERVER_ERROR),
)

_STAGES = {
    Stage.QUEUE: "Every connection to the endpoint was in use for too long.",
    Stage.CONNECT: "No connection to the endpoint could be made in time.",
    Stage.WRITE: "The endpoint stopped reading the request.",
    Stage.FIRST_BYTE: "The endpoint took the request and did not begin to answer in time.",
    Stage.IDLE: "The endpoint stopped in the middle of its answer.",
    Stage.TOTAL: "The answer was not complete within the time limit.",
}

_CONTEXT_WORDS = frozenset(
    {"context_length_exceeded", "string_above_max_length", "exceed_context_size_error", "request_too_large"}
)
_CONTEXT = re.compile(
    r"(?:maximum|max) context length|context (?:length|window|size)|prompt is too long|too many (?:input )?tokens"
    r"|input is too long|exceeds? the (?:available|maximum) (?:context|number of tokens)",
    re.IGNORECASE,
)
_FILTER_WORDS = frozenset(
    {"content_filter", "content_policy_violation", "responsibleaipolicyviolation", "contentfilter", "sensitive_content"}
)
_FILTER = re.compile(r"content (?:management |filter|moderation )|content[_ ]policy|safety system", re.IGNORECASE)
_A_MODEL = re.compile(r"\b(?:model|deployment)s?\b", re.IGNORECASE)
_UNKNOWN_MODEL = re.compile(
    r"\bmodel:? ?[\"'`]?\S{0,200},? (?:(?:is|was|does|could) ?)?n[o']t (?:be )?"
    r"(?:found|exist|available|supported|a valid)\b"
    r"|\b(?:unknown|invalid|no such) model\b",
    re.IGNORECASE,
)
_ABOUT_THE_KEY = frozenset(
    {Saying.TOO_DEAR, Saying.QUOTA, Saying.REVOKED, Saying.EXPIRED, Saying.INVALID, Saying.SCOPE, Saying.PERMISSION}
)
_NO_CREDIT = frozenset({Saying.TOO_DEAR, Saying.QUOTA})
_MAY_BE_LONG = frozenset({400, 413, 422, 500})
_MAY_BE_A_MODEL = frozenset({400, 403, 404, 410, 422})
_MAY_STATE_A_WAIT = frozenset({FailureKind.RATE_LIMIT, FailureKind.SERVER_ERROR})

_BY_STATUS = {
    401: FailureKind.AUTH,
    402: FailureKind.AUTH,
    403: FailureKind.AUTH,
    404: FailureKind.MALFORMED_RESPONSE,
    405: FailureKind.MALFORMED_RESPONSE,
    407: FailureKind.AUTH,
    408: FailureKind.TIMEOUT,
    410: FailureKind.MALFORMED_RESPONSE,
    413: FailureKind.CONTEXT_LENGTH,
    429: FailureKind.RATE_LIMIT,
}

_TEXT = {
    FailureKind.AUTH: "The endpoint does not accept the key",
    FailureKind.MODEL_NOT_FOUND: "The endpoint does not know the model",
    FailureKind.RATE_LIMIT: "The endpoint asks to slow down",
    FailureKind.CONTEXT_LENGTH: "The prompt is too long for the model",
    FailureKind.CONTENT_FILTER: "The endpoint's filter withheld the answer",
    FailureKind.SERVER_ERROR: "The endpoint has a fault",
    FailureKind.TIMEOUT: "The endpoint says that it took too long",
    FailureKind.MALFORMED_RESPONSE: "There are no chat completions at this base URL",
    FailureKind.UNKNOWN: "The endpoint does not accept the request",
}
_TEXT_WITHOUT_CREDIT = "The account behind the key has no credit or quota left"


def failure_of_error(error: OwnkeyError, scrub: Scrub) -> Failure:
    """A call without an answer, or with one that broke off."""
    if isinstance(error, MalformedAnswer):
        if error.error is not None:
            return failure_of_words(error.error, scrub)
        return Failure(FailureKind.MALFORMED_RESPONSE, one_line(scrub(f"The answer cannot be used: {error.operator}.")))
    kind = next((kind for type_, kind in _OURS if isinstance(error, type_)), FailureKind.UNKNOWN)
    if isinstance(error, InvalidRequest) and error.param == "api_key":
        kind = FailureKind.AUTH
    wait = None if error.retry_after is None else error.retry_after * 1000
    return Failure(kind, one_line(scrub(_own_text(error))), retry_after_ms=wait)


def failure_of_words(error: WireError, scrub: Scrub) -> Failure:
    """An error inside a response with status 200."""
    words = frozenset(word.lower() for word in (error.type, error.code) if word)
    problem = Problem(scrub(error.message), words, is_json=True)
    return _failure(error.status, problem, None, "", scrub, shown=None)


def failure_of_status(status: int, body: bytes, headers: Headers, now: float, scrub: Scrub) -> Failure:
    """An answer that is no success. `now` is Unix seconds."""
    if 300 <= status < 400:
        return _redirect(status, headers, scrub)
    body = scrub(body[:LONGEST_ERROR_BODY].decode("utf-8", "replace")).encode()
    problem = read_problem(body, headers)
    plain = "" if problem.is_json or body.lstrip().startswith(b"<") else body[:1000].decode("utf-8", "replace")
    wait = stated_wait(headers, now) or problem.retry_delay
    return _failure(status, problem, wait, plain, scrub, shown=status)


def one_line(text: str, limit: int = LONGEST_MESSAGE) -> str:
    """`text` in one printable line of at most `limit` characters."""
    # White space may go, but not without end: a hostile text is as long as an answer may be.
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 8 * limit]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _failure(
    status: int, problem: Problem, wait: float | None, plain: str, scrub: Scrub, *, shown: int | None
) -> Failure:
    saying = what_it_says(problem)
    kind = _kind(status, problem, saying, wait)
    text = _TEXT_WITHOUT_CREDIT if kind is FailureKind.AUTH and (saying in _NO_CREDIT or status == 402) else _TEXT[kind]
    if shown is not None:
        text = f"{text} ({shown})"
    quote = scrub(problem.message or plain).strip()
    told = wait is not None and kind in _MAY_STATE_A_WAIT
    return Failure(
        kind,
        one_line(f"{text}: {quote}" if quote else f"{text}."),
        status=shown,
        retry_after_ms=wait * 1000 if told and wait is not None else None,
    )


def _kind(status: int, problem: Problem, saying: Saying | None, wait: float | None) -> FailureKind:
    message = problem.message
    if status in _MAY_BE_LONG and (problem.words & _CONTEXT_WORDS or _CONTEXT.search(message)):
        return FailureKind.CONTEXT_LENGTH
    if saying is Saying.FLAGGED or problem.words & _FILTER_WORDS or (status in (400, 403) and _FILTER.search(message)):
        return FailureKind.CONTENT_FILTER
    if wait and (status == 402 or saying is Saying.QUOTA):
        # Said with a time to come back it is a limit that passes: see `providers.verdict`.
        return FailureKind.RATE_LIMIT
    if saying in _ABOUT_THE_KEY:
        return FailureKind.AUTH
    if saying is Saying.RATE:
        return FailureKind.RATE_LIMIT
    if status in _MAY_BE_A_MODEL and (saying is Saying.NO_MODEL or _names_a_model(status, message)):
        return FailureKind.MODEL_NOT_FOUND
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return FailureKind.SERVER_ERROR if status >= 500 else FailureKind.UNKNOWN


def _names_a_model(status: int, message: str) -> bool:
    """A 404 that mentions a model means it; any other refusal must say what is wrong with it."""
    return bool(_A_MODEL.search(message) if status in (404, 410) else _UNKNOWN_MODEL.search(message))


def _redirect(status: int, headers: Headers, scrub: Scrub) -> Failure:
    location = next((value for name, value in headers if name == b"location"), b"").decode("latin-1")
    try:
        place = urlsplit(location)
        where = f" to {place.scheme}://{place.netloc.rpartition('@')[2]}" if place.netloc else ""
    except ValueError:
        where = ""
    text = f"The endpoint redirects ({status}{scrub(where)}), which is not followed: give the address it leads to."
    return Failure(FailureKind.MALFORMED_RESPONSE, one_line(text), status=status)


def _own_text(error: OwnkeyError) -> str:
    if isinstance(error, TimedOut):
        return _STAGES[error.stage]
    if isinstance(error, (ConnectFailed, TlsFailed)):
        # These name the origin that the person gave, and what its name resolves to where that is public.
        return f"{error.public} {error.operator}."
    if isinstance(error, ProtocolViolation):
        return (
            "The endpoint's answer is not HTTP/1.1 as it should be, or is compressed although that was not asked for."
        )
    return error.public


_NEXT = {
    FailureKind.TIMEOUT: "Raise the time limit, ask for a shorter answer, or see whether the endpoint is overloaded.",
    FailureKind.AUTH: (
        "Check that the key belongs to this endpoint, has not expired, may use this model, "
        "and that its account has credit."
    ),
    FailureKind.MODEL_NOT_FOUND: (
        "Check the model's name against the endpoint's list of models; a local server must load it first."
    ),
    FailureKind.RATE_LIMIT: "Lower the concurrency or wait a minute, then retry the failed requests.",
    FailureKind.CONTEXT_LENGTH: "Shorten the prompt or lower the token limit, or choose a model with a larger context.",
    FailureKind.CONTENT_FILTER: "Reword the prompt, or change the filter in the provider's settings.",
    FailureKind.NETWORK: (
        "Check that the server runs and that host name and port are right; a firewall may be in the way."
    ),
    FailureKind.TLS: (
        "Check the certificate of the endpoint; for a server without TLS write http:// instead of https://."
    ),
    FailureKind.BLOCKED_ADDRESS: (
        "Private and local addresses are closed: the operator can open one by its host and port "
        "with OWNKEY_ALLOW_PRIVATE_ENDPOINTS."
    ),
    FailureKind.MALFORMED_RESPONSE: (
        "Check the base URL: it is the part before /chat/completions, usually ends in /v1, "
        "and must lead to an endpoint in OpenAI's format."
    ),
    FailureKind.SERVER_ERROR: (
        "Wait and retry the failed requests; if it goes on, read the endpoint's own log or status page."
    ),
    FailureKind.CANCELLED: "Start it again when you want to.",
    FailureKind.UNKNOWN: "Read what the endpoint said, and run the connection check to see what it accepts.",
}


def advice(kind: FailureKind) -> str:
    """One sentence."""
    return _NEXT[kind]
