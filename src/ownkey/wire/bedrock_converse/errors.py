"""Bedrock's errors: `{"message": …}`, and the exceptions that arrive as events of a stream.

What kind of exception it is stands in the header `x-amzn-errortype`, at times also in the body as `__type`,
with a name space before it. The statuses are those of the service model.
"""

from typing import Any

import msgspec

from ownkey.wire.context import is_overflow
from ownkey.wire.errors import ErrorKind, ErrorReader, WireError, kind_of_status, read_error

_EXCEPTIONS: dict[str, tuple[ErrorKind, int]] = {
    "accessdeniedexception": (ErrorKind.PERMISSION, 403),
    "expiredtokenexception": (ErrorKind.AUTHENTICATION, 403),
    "incompletesignatureexception": (ErrorKind.AUTHENTICATION, 403),
    "internalserverexception": (ErrorKind.SERVER, 500),
    "invalidsignatureexception": (ErrorKind.AUTHENTICATION, 403),
    "missingauthenticationtokenexception": (ErrorKind.AUTHENTICATION, 403),
    "modelerrorexception": (ErrorKind.SERVER, 424),
    "modelnotreadyexception": (ErrorKind.RATE_LIMIT, 429),
    "modelstreamerrorexception": (ErrorKind.SERVER, 424),
    "modeltimeoutexception": (ErrorKind.TIMEOUT, 408),
    "resourcenotfoundexception": (ErrorKind.NOT_FOUND, 404),
    "servicequotaexceededexception": (ErrorKind.RATE_LIMIT, 400),
    "serviceunavailableexception": (ErrorKind.OVERLOADED, 503),
    "throttlingexception": (ErrorKind.RATE_LIMIT, 429),
    "unrecognizedclientexception": (ErrorKind.AUTHENTICATION, 403),
    "validationexception": (ErrorKind.INVALID_REQUEST, 400),
}
_BY_STATUS = {424: ErrorKind.SERVER, 503: ErrorKind.OVERLOADED}
_LONGEST = 4000
_OBJECT = msgspec.json.Decoder(dict[str, Any])


class ConverseErrors(ErrorReader):
    def read(self, status: int, body: bytes) -> WireError:
        return _read(status, body)


ERRORS = ConverseErrors()


def _read(status: int, body: bytes) -> WireError:
    try:
        fields = _OBJECT.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return read_error(status, body)
    message = _message(fields)
    name = _plain(fields.get("__type"))
    known = _EXCEPTIONS.get(name.lower())
    if message is None and known is None:
        return read_error(status, body)
    if is_overflow(status, message or ""):
        return WireError(ErrorKind.CONTEXT_OVERFLOW, message or "", 400, type=name or None)
    kind = known[0] if known else _BY_STATUS.get(status) or kind_of_status(status)
    if not 400 <= status <= 599:
        status = known[1] if known else 502
    return WireError(kind, message or f"The provider refused the request ({name}).", status, type=name or None)


def of_event(name: str, payload: bytes) -> WireError:
    """An exception that came as an event. The service writes its name with a small first letter."""
    kind, status = _EXCEPTIONS.get(name.lower(), (ErrorKind.SERVER, 502))
    try:
        message = _message(_OBJECT.decode(payload))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        message = None
    told = name[:1].upper() + name[1:200]
    if is_overflow(status, message or ""):
        kind, status = ErrorKind.CONTEXT_OVERFLOW, 400
    return WireError(kind, message or f"The provider broke off the answer ({told}).", status, type=told or None)


def _message(fields: dict[str, Any]) -> str | None:
    for name in ("message", "Message", "originalMessage"):
        value = fields.get(name)
        if isinstance(value, str) and value:
            return value[:_LONGEST]
    return None


def _plain(kind: object) -> str:
    return kind.partition(":")[0].rpartition("#")[2][:200] if isinstance(kind, str) else ""
