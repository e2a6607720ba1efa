"""Google's error shape: `{"error": {"code", "message", "status", "details"}}` (google.rpc.Status as JSON)."""

import re
from typing import Any, cast

import msgspec

from ownkey.wire.context import CODE
from ownkey.wire.error_texts import text_of_body
from ownkey.wire.errors import ErrorKind, Errors, WireError, encodable, error_of_value

_ENCODE = msgspec.json.Encoder().encode
_DURATION = re.compile(r"\d{1,9}(?:\.\d{1,9})?s")

STATUSES = {
    ErrorKind.INVALID_REQUEST: "INVALID_ARGUMENT",
    ErrorKind.AUTHENTICATION: "UNAUTHENTICATED",
    ErrorKind.BILLING: "RESOURCE_EXHAUSTED",
    ErrorKind.PERMISSION: "PERMISSION_DENIED",
    ErrorKind.NOT_FOUND: "NOT_FOUND",
    ErrorKind.CONFLICT: "ABORTED",
    ErrorKind.TOO_LARGE: "INVALID_ARGUMENT",
    ErrorKind.CONTEXT_OVERFLOW: "INVALID_ARGUMENT",
    ErrorKind.RATE_LIMIT: "RESOURCE_EXHAUSTED",
    ErrorKind.OVERLOADED: "UNAVAILABLE",
    ErrorKind.TIMEOUT: "DEADLINE_EXCEEDED",
    ErrorKind.SERVER: "INTERNAL",
}
_UNAVAILABLE = 503
_OVERFLOW = "exceeds the maximum number of tokens allowed"
"""Gemini's words for a request that is too long, by which clients know it."""


class GoogleErrors(Errors):
    def read(self, status: int, body: bytes) -> WireError:
        try:
            value: Any = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            value = text_of_body(body)
        return of_value(status, value)

    def write(self, error: WireError, request_id: str) -> bytes:
        return _ENCODE(error_body(error, request_id))


ERRORS = GoogleErrors()


def of_value(status: int, value: object) -> WireError:
    """The error in a decoded body. A status below 400 means the error came inside an answer.

    Google answers an invalid key with 400; only the reason among the details tells it from a bad request.
    """
    error = error_of_value(status, value)
    inner = _field(_first(value), "error")
    named, reason = _field(inner, "status"), _reason(_field(inner, "details"))
    kind = ErrorKind.AUTHENTICATION if reason == "API_KEY_INVALID" else error.kind
    code = reason or (named[:200] if isinstance(named, str) else None)
    delay = _retry_delay(_field(inner, "details"))
    return msgspec.structs.replace(error, kind=kind, code=code or error.code, retry_after=delay)


def _first(value: object) -> object:
    """The error of an array of them."""
    if not isinstance(value, list):
        return value
    return next(iter(cast("list[object]", value)), None)


def _field(value: object, name: str) -> object:
    return cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None


def _reason(details: object) -> str | None:
    for detail in cast("list[object]", details) if isinstance(details, list) else ():
        reason = _field(detail, "reason")
        if isinstance(reason, str) and reason:
            return reason[:200]
    return None


def _retry_delay(details: object) -> float | None:
    """The `retryDelay` of a RetryInfo (a protobuf Duration as JSON, `34.07s`)."""
    for detail in cast("list[object]", details) if isinstance(details, list) else ():
        delay = _field(detail, "retryDelay")
        if isinstance(delay, str) and _DURATION.fullmatch(delay):
            return float(delay[:-1])
    return None


def error_body(error: WireError, request_id: str = "") -> dict[str, Any]:
    """The code we or the provider give it becomes the reason; the field's name a violation of it."""
    status = "UNAVAILABLE" if error.status == _UNAVAILABLE else STATUSES[error.kind]
    message = encodable(error.message)
    reason = error.code or error.type
    if error.kind is ErrorKind.CONTEXT_OVERFLOW:
        reason = CODE
        if _OVERFLOW not in message:
            message = f"The input token count {_OVERFLOW}: {message}"
    body: dict[str, Any] = {"code": error.status, "message": message, "status": status}
    details: list[dict[str, Any]] = []
    if reason is not None:
        info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": encodable(reason).upper()}
        details.append(info | {"domain": "ownkey"})
    if error.param is not None:
        violation = {"field": encodable(error.param), "description": message}
        details.append({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]})
    if error.retry_after is not None:
        delay = f"{max(error.retry_after, 0.001):.3f}".rstrip("0").rstrip(".")
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{delay}s"})
    if request_id:
        details.append({"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": request_id})
    return {"error": body | {"details": details} if details else body}
