"""Telling an error in the client's own format: ours, and the provider's with its secrets taken out."""

from collections.abc import Sequence
from math import ceil

from msgspec import structs

from ownkey.domain.errors import NoHealthyCredential, OwnkeyError, SecretUnreadable, UpstreamError
from ownkey.domain.formats import WireFormat
from ownkey.domain.ids import new_id
from ownkey.domain.plan import Attempt
from ownkey.gateway.outcomes import Refused
from ownkey.gateway.receipt import HeaderFields, receipt_headers
from ownkey.gateway.scrub import scrub
from ownkey.wire import FORMATS, ErrorKind, WireError, error_reader

_JSON = (b"content-type", b"application/json")
_PASSED = frozenset(
    {
        b"content-type",
        b"openai-processing-ms",
        b"openai-version",
        b"request-id",
        b"retry-after",
        b"retry-after-ms",
        b"x-request-id",
        b"x-should-retry",
    }
)
_PASSED_BESIDE_TYPE = _PASSED - {b"content-type"}
_PASSED_IF_TRANSLATED = frozenset({b"retry-after", b"retry-after-ms", b"x-should-retry"})
_PASSED_PREFIXES = (b"x-ratelimit-", b"anthropic-ratelimit-")


def passed_headers(headers: Sequence[tuple[bytes, bytes]]) -> HeaderFields:
    """The provider's headers that a client of the same format may want; everything else stays behind."""
    return [field for field in headers if field[0] in _PASSED or field[0].startswith(_PASSED_PREFIXES)]


def passed_beside_type(headers: Sequence[tuple[bytes, bytes]]) -> HeaderFields:
    """As `passed_headers`, for an answer whose content type we name ourselves."""
    return [field for field in headers if field[0] in _PASSED_BESIDE_TYPE or field[0].startswith(_PASSED_PREFIXES)]


def render_error(
    format_: WireFormat, error: OwnkeyError, request_id: str = "", attempt: Attempt | None = None, attempts: int = 0
) -> tuple[HeaderFields, bytes]:
    """(headers, body) of one of our own errors. Without a request id, as for what is no request yet, it gets one."""
    request_id = request_id or new_id("req")
    headers: HeaderFields = [_JSON]
    if error.retry_after is not None:
        headers.append(_retry_after(error.retry_after))
    if isinstance(error, NoHealthyCredential | SecretUnreadable):
        # The SDKs would otherwise repeat what only a person can mend.
        headers.append((b"x-should-retry", b"false"))
    body = FORMATS[format_].errors.write_own(error, request_id)
    return receipt_headers(format_, request_id, attempt, attempts, headers), body


def _retry_after(seconds: float) -> tuple[bytes, bytes]:
    return b"retry-after", b"%d" % max(1, ceil(seconds))


def render_refusal(
    refused: Refused, client_format: WireFormat, request_id: str, attempts: int
) -> tuple[int, HeaderFields, bytes]:
    """(status, headers, body) of a provider's error: as it came when the formats agree, else translated.

    An answer that is no error by its status, such as a redirect, means nothing to a client and is told as ours.
    """
    if not 400 <= refused.status <= 599:
        error = UpstreamError(refused.verdict.message)
        return error.status, *render_error(client_format, error, request_id, refused.attempt, attempts)
    body, status = scrub(refused.body, refused.secret), refused.status
    if refused.attempt.format is client_format:
        passed = passed_headers(refused.headers)
    else:
        error = error_reader(refused.attempt.format).read(refused.status, body)
        passed = [_JSON, *(field for field in refused.headers if field[0] in _PASSED_IF_TRANSLATED)]
        if refused.verdict.stated:
            error = structs.replace(error, retry_after=refused.verdict.rest_seconds)
            if not any(field[0] == b"retry-after" for field in passed):
                passed.append(_retry_after(refused.verdict.rest_seconds))
        if error.kind is ErrorKind.CONTEXT_OVERFLOW:
            status = error.status
        body = FORMATS[client_format].errors.write(error, request_id)
    passed = [(name, scrub(value, refused.secret)) for name, value in passed]
    return status, receipt_headers(client_format, request_id, refused.attempt, attempts, passed), body


def render_reported(
    error: WireError, client_format: WireFormat, request_id: str, attempt: Attempt, attempts: int
) -> tuple[int, HeaderFields, bytes]:
    """(status, headers, body) of an error that a provider reported inside an accepted answer; the caller scrubs it."""
    body = FORMATS[client_format].errors.write(error, request_id)
    headers = [_JSON] if error.retry_after is None else [_JSON, _retry_after(error.retry_after)]
    return error.status, receipt_headers(client_format, request_id, attempt, attempts, headers), body
