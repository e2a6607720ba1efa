"""Telling an error in the client's own format: ours, and the provider's with its secrets taken out."""

from collections.abc import Sequence
from math import ceil

from ownkey.domain.errors import NoHealthyCredential, OwnkeyError
from ownkey.domain.formats import WireFormat
from ownkey.gateway.attempts import Refused
from ownkey.gateway.relay import passed_headers
from ownkey.gateway.scrub import scrub
from ownkey.wire import FORMATS

_JSON = (b"content-type", b"application/json")
_ALSO_PASSED = (b"retry-after", b"retry-after-ms", b"x-should-retry")


def render_error(format_: WireFormat, error: OwnkeyError, request_id: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """(headers, body) of one of our own errors."""
    headers: list[tuple[bytes, bytes]] = [_JSON]
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % max(1, ceil(error.retry_after))))
    if isinstance(error, NoHealthyCredential):
        # The SDKs would otherwise repeat what only a person can mend.
        headers.append((b"x-should-retry", b"false"))
    return headers, FORMATS[format_].errors.write_own(error, request_id)


def render_refusal(
    refused: Refused, client_format: WireFormat, request_id: str
) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """(headers, body) of a provider's error: as it came when the formats agree, else translated."""
    body = scrub(refused.body, refused.secret)
    headers = passed_headers(refused.headers)
    if refused.attempt.format is not client_format:
        error = FORMATS[refused.attempt.format].errors.read(refused.status, body)
        body = FORMATS[client_format].errors.write(error, request_id)
        headers = [_JSON]
    headers += [field for field in refused.headers if field[0] in _ALSO_PASSED]
    return _scrub_headers(headers, refused), body


def _scrub_headers(headers: Sequence[tuple[bytes, bytes]], refused: Refused) -> list[tuple[bytes, bytes]]:
    return [(name, scrub(value, refused.secret)) for name, value in headers]
