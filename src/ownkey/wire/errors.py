"""Errors as they travel: read from a provider in any shape, written in the shape of the client's format."""

from abc import ABC, abstractmethod
from enum import StrEnum
from typing import Any, cast

import msgspec
from msgspec import Struct

from ownkey.domain.errors import OwnkeyError, UpstreamError
from ownkey.wire.context import is_overflow
from ownkey.wire.error_texts import place_of, text_of, text_of_body

_LONGEST_NAME = 200


class ErrorKind(StrEnum):
    """What went wrong, in terms every format has a word for."""

    INVALID_REQUEST = "invalid_request"
    AUTHENTICATION = "authentication"
    BILLING = "billing"
    PERMISSION = "permission"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    CONTEXT_OVERFLOW = "context_overflow"
    """The request is too long for the model; the status is 400 in every format."""
    RATE_LIMIT = "rate_limit"
    OVERLOADED = "overloaded"
    TIMEOUT = "timeout"
    SERVER = "server"


class WireError(Struct, frozen=True):
    """An error as a format tells it; `type`, `code` and `param` are the source's own words.

    `status` is the HTTP status, or for an error inside a stream the one it would have had.
    """

    kind: ErrorKind
    message: str
    status: int
    type: str | None = None
    code: str | None = None
    param: str | None = None
    retry_after: float | None = None
    """Seconds to wait, where that is known."""


class MalformedAnswer(UpstreamError):
    """A provider's answer breaks its own format; `error` is what it says where it holds an error after all."""

    def __init__(self, operator: str, error: WireError | None = None) -> None:
        public = error.message if error else "The provider sent an answer that does not follow its own format."
        super().__init__(public, operator=operator)
        self.error = error


_BY_STATUS = {
    400: ErrorKind.INVALID_REQUEST,
    401: ErrorKind.AUTHENTICATION,
    402: ErrorKind.BILLING,
    403: ErrorKind.PERMISSION,
    404: ErrorKind.NOT_FOUND,
    405: ErrorKind.INVALID_REQUEST,
    408: ErrorKind.TIMEOUT,
    409: ErrorKind.CONFLICT,
    413: ErrorKind.TOO_LARGE,
    415: ErrorKind.INVALID_REQUEST,
    422: ErrorKind.INVALID_REQUEST,
    429: ErrorKind.RATE_LIMIT,
    451: ErrorKind.PERMISSION,
    504: ErrorKind.TIMEOUT,
    529: ErrorKind.OVERLOADED,
}

_BY_NAME = {
    "invalid_request_error": (ErrorKind.INVALID_REQUEST, 400),
    "authentication_error": (ErrorKind.AUTHENTICATION, 401),
    "invalid_api_key": (ErrorKind.AUTHENTICATION, 401),
    "billing_error": (ErrorKind.BILLING, 402),
    "insufficient_quota": (ErrorKind.BILLING, 429),
    "permission_error": (ErrorKind.PERMISSION, 403),
    "not_found_error": (ErrorKind.NOT_FOUND, 404),
    "conflict_error": (ErrorKind.CONFLICT, 409),
    "request_too_large": (ErrorKind.TOO_LARGE, 413),
    "rate_limit_error": (ErrorKind.RATE_LIMIT, 429),
    "rate_limit_exceeded": (ErrorKind.RATE_LIMIT, 429),
    "timeout_error": (ErrorKind.TIMEOUT, 504),
    "overloaded_error": (ErrorKind.OVERLOADED, 529),
}


def kind_of_status(status: int) -> ErrorKind:
    return _BY_STATUS.get(status, ErrorKind.INVALID_REQUEST if 400 <= status < 500 else ErrorKind.SERVER)


def own_error(error: OwnkeyError) -> WireError:
    """Ownkey's own error, ready to be written in any format."""
    return WireError(
        kind_of_status(error.status), error.public, error.status, None, error.code, error.param, error.retry_after
    )


class ErrorReader:
    """Reads the errors of providers whose shape `read_error` knows."""

    def read(self, status: int, body: bytes) -> WireError:
        """The error in a body; never raises."""
        return read_error(status, body)


class Errors(ErrorReader, ABC):
    """Errors in a format that clients speak."""

    @abstractmethod
    def write(self, error: WireError, request_id: str) -> bytes:
        """The body of an error response. `request_id` is left out where the shape has no place for it."""

    def write_own(self, error: OwnkeyError, request_id: str) -> bytes:
        """Ownkey's own error."""
        return self.write(own_error(error), request_id)


def truncated() -> WireError:
    """A stream that ended without its end mark."""
    return broken("The provider's stream ended before the answer was complete.")


def broken(message: str = "The provider's stream does not follow its own format.") -> WireError:
    return WireError(ErrorKind.SERVER, message, UpstreamError.status, code=UpstreamError.code)


def read_error(status: int, body: bytes) -> WireError:
    """Read an error body of any provider; never raises.

    Known shapes: `{"error": {…}}`, `{"error": "…"}`, a list of such, bodies that hold the text at the top
    (`error_texts`), plain text and pages. Anything else gives a message that names the status.
    """
    try:
        value: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        value = text_of_body(body)
    return error_of_value(status, value)


def error_of_value(status: int, value: object) -> WireError:
    """As `read_error`, of a decoded body. A status below 400 means the error came inside an answer."""
    if isinstance(value, list) and value:
        value = cast("list[object]", value)[0]
    fields = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    inner = fields.get("error")
    if isinstance(inner, dict):
        fields = cast("dict[str, object]", inner)
    message = text_of(value if isinstance(value, str) else fields)
    kind_name, code, param = _name(fields.get("type")), _name(fields.get("code")), _name(fields.get("param"))
    code = code or _name(_of(fields.get("details"), "error_code"))
    param = param or place_of(fields)
    if is_overflow(status, message, kind_name, code):
        kind, status = ErrorKind.CONTEXT_OVERFLOW, 400
    else:
        kind, status = _classify(status, kind_name, code)
    return WireError(kind, message or _plain(status), status, kind_name, code, param)


def _classify(status: int, type_: str | None, code: str | None) -> tuple[ErrorKind, int]:
    for name in (code, type_):
        if name in _BY_NAME:
            kind, named_status = _BY_NAME[name]
            if status < 400:
                return kind, named_status
            if kind is ErrorKind.BILLING:
                return kind, status
    if status < 400:
        status = int(code) if code is not None and code.isascii() and code.isdigit() and len(code) == 3 else 502
    if not 400 <= status <= 599:
        status = 502
    return kind_of_status(status), status


def _plain(status: int) -> str:
    return f"The provider answered with status {status} and no message."


def _of(value: object, key: str) -> object:
    return cast("dict[str, object]", value).get(key) if isinstance(value, dict) else None


def _name(value: object) -> str | None:
    if isinstance(value, str) and value:
        return value[:_LONGEST_NAME]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1_000_000:
        return str(value)
    return None


def encodable(text: str) -> str:
    """`text` with lone surrogates, which a client's own words may contain, replaced."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
