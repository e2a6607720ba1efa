"""Anthropic's error shape: `{"type": "error", "error": {"type", "message"}, "request_id"}`."""

from typing import Any

import msgspec

from ownkey.wire.errors import ErrorKind, Errors, WireError, encodable

_ENCODE = msgspec.json.Encoder().encode

_TYPES = {
    ErrorKind.INVALID_REQUEST: "invalid_request_error",
    ErrorKind.AUTHENTICATION: "authentication_error",
    ErrorKind.BILLING: "billing_error",
    ErrorKind.PERMISSION: "permission_error",
    ErrorKind.NOT_FOUND: "not_found_error",
    ErrorKind.CONFLICT: "conflict_error",
    ErrorKind.TOO_LARGE: "request_too_large",
    ErrorKind.CONTEXT_OVERFLOW: "invalid_request_error",
    ErrorKind.RATE_LIMIT: "rate_limit_error",
    ErrorKind.OVERLOADED: "overloaded_error",
    ErrorKind.TIMEOUT: "timeout_error",
    ErrorKind.SERVER: "api_error",
}


_OVERFLOW = "prompt is too long"
"""By these words clients such as Claude Code know that they must shorten the conversation."""


class AnthropicErrors(Errors):
    def write(self, error: WireError, request_id: str) -> bytes:
        return _ENCODE(error_body(error) | {"request_id": request_id})


ERRORS = AnthropicErrors()


def error_body(error: WireError) -> dict[str, Any]:
    """The shape has no place for the field's name, so the message begins with it, as Anthropic's own do."""
    message = error.message
    if error.kind is ErrorKind.CONTEXT_OVERFLOW and _OVERFLOW not in message.lower():
        message = f"{_OVERFLOW}: {message}"
    if error.param and error.param not in message:
        message = f"{error.param}: {message}"
    return {"type": "error", "error": {"type": _TYPES[error.kind], "message": encodable(message)}}
