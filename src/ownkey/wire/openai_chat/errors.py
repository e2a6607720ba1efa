"""OpenAI's error shape: `{"error": {"message", "type", "param", "code"}}`."""

from typing import Any

import msgspec

from ownkey.wire.context import CODE
from ownkey.wire.errors import ErrorKind, Errors, WireError, encodable

_ENCODE = msgspec.json.Encoder().encode

_TYPES = {
    ErrorKind.INVALID_REQUEST: "invalid_request_error",
    ErrorKind.AUTHENTICATION: "authentication_error",
    ErrorKind.BILLING: "insufficient_quota",
    ErrorKind.PERMISSION: "permission_error",
    ErrorKind.NOT_FOUND: "invalid_request_error",
    ErrorKind.CONFLICT: "invalid_request_error",
    ErrorKind.TOO_LARGE: "invalid_request_error",
    ErrorKind.CONTEXT_OVERFLOW: "invalid_request_error",
    ErrorKind.RATE_LIMIT: "rate_limit_error",
    ErrorKind.OVERLOADED: "server_error",
    ErrorKind.TIMEOUT: "timeout_error",
    ErrorKind.SERVER: "server_error",
}


class OpenAIErrors(Errors):
    """The request id travels in the headers alone."""

    def write(self, error: WireError, request_id: str) -> bytes:
        return _ENCODE({"error": error_object(error)})


ERRORS = OpenAIErrors()


def error_object(error: WireError) -> dict[str, Any]:
    """The inner object. Where an error has no code, its type stands in for it."""
    code = CODE if error.kind is ErrorKind.CONTEXT_OVERFLOW else error.code or error.type
    return {
        "message": encodable(error.message),
        "type": _TYPES[error.kind],
        "param": encodable(error.param) if error.param is not None else None,
        "code": encodable(code) if code is not None else None,
    }
