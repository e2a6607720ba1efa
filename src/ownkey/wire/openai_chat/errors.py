"""OpenAI's error shape: `{"error": {"message", "type", "param", "code"}}`."""

from typing import Any

import msgspec

from ownkey.domain.errors import OwnkeyError
from ownkey.wire.errors import ErrorKind, WireError, encodable, own_error, read_error

_ENCODE = msgspec.json.Encoder().encode

_TYPES = {
    ErrorKind.INVALID_REQUEST: "invalid_request_error",
    ErrorKind.AUTHENTICATION: "authentication_error",
    ErrorKind.BILLING: "insufficient_quota",
    ErrorKind.PERMISSION: "permission_error",
    ErrorKind.NOT_FOUND: "invalid_request_error",
    ErrorKind.CONFLICT: "invalid_request_error",
    ErrorKind.TOO_LARGE: "invalid_request_error",
    ErrorKind.RATE_LIMIT: "rate_limit_error",
    ErrorKind.OVERLOADED: "server_error",
    ErrorKind.TIMEOUT: "timeout_error",
    ErrorKind.SERVER: "server_error",
}


def read(status: int, body: bytes) -> WireError:
    return read_error(status, body)


def write(error: WireError, request_id: str) -> bytes:
    """The request id travels in the headers alone. An error without a code is told by its type."""
    del request_id
    return _ENCODE({"error": error_object(error)})


def write_own(error: OwnkeyError, request_id: str) -> bytes:
    return write(own_error(error), request_id)


def error_object(error: WireError) -> dict[str, Any]:
    code = error.code or error.type
    return {
        "message": encodable(error.message),
        "type": _TYPES[error.kind],
        "param": encodable(error.param) if error.param is not None else None,
        "code": encodable(code) if code is not None else None,
    }
