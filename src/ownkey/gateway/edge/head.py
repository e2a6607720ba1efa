"""What a request head must satisfy before anyone acts on it (RFC 9112, sections 3, 5 and 6).

llhttp has already refused bad tokens, control characters, folded lines and mixed framing; here is
what it leaves open: repeated fields that change the meaning, missing hosts, codings, sizes.
"""

from ownkey.domain.errors import InvalidRequest, RequestTooLarge
from ownkey.gateway.edge.exchange import HeaderList
from ownkey.gateway.edge.limits import Limits

_SINGLE = frozenset({b"host", b"content-length", b"transfer-encoding", b"content-type", b"content-encoding", b"expect"})

_HOP_BY_HOP = frozenset({b"connection", b"upgrade", b"http2-settings"})


class HeadTooLarge(RequestTooLarge):
    """The header fields, or one of them, exceed their limit."""

    status = 431


class TargetTooLong(RequestTooLarge):
    """The request target exceeds its limit."""

    status = 414


class UpgradeDeclined(InvalidRequest):
    """The request is an offer of another protocol only, such as a WebSocket; clients go on over HTTP after a 426."""

    status = 426


def read_fields(fields: HeaderList, version: str) -> dict[bytes, bytes]:
    """The first value of each field, once framing is known to be unambiguous and a host is there.

    The host itself is for `target.check_host`. Raises InvalidRequest.
    """
    if version not in {"1.1", "1.0"}:
        raise InvalidRequest("Only HTTP/1.1 and HTTP/1.0 are supported here.")
    first = dict(fields)
    if len(first) != len(fields):
        first = _first_of_repeated(fields)
    if b"host" not in first and version != "1.0":
        raise InvalidRequest("The Host header is missing.")
    coding = first.get(b"transfer-encoding")
    if coding is not None:
        _check_coding(coding, version, b"content-length" in first)
    return first


def target_too_long(limits: Limits) -> TargetTooLong:
    """The error for a request target beyond its limit."""
    return TargetTooLong(f"The request target is longer than the limit of {limits.target:,} bytes.")


def check_length(first: dict[bytes, bytes], limit: int) -> None:
    """Refuse an announced body beyond `limit` bytes before it is sent."""
    length = first.get(b"content-length")
    if length is None:
        return
    if not length.isdigit():
        raise InvalidRequest("The Content-Length header is not a number.")
    if len(length) > 18 or int(length) > limit:
        raise body_too_large(limit)


def body_too_large(limit: int) -> RequestTooLarge:
    """The error for a body beyond `limit` bytes."""
    return RequestTooLarge(f"The request body is larger than the limit of {limit:,} bytes.")


def check_sizes(target: bytes, fields: HeaderList, limits: Limits) -> None:
    """Refuse a target, a field or a head beyond its limit."""
    if len(target) > limits.target:
        raise target_too_long(limits)
    total = len(target)
    for name, value in fields:
        size = len(name) + len(value) + 4
        if size > limits.field:
            raise HeadTooLarge(f"A request header is longer than the limit of {limits.field:,} bytes.")
        total += size
    if total > limits.head:
        raise head_too_large(limits)


def head_too_large(limits: Limits) -> HeadTooLarge:
    """The error for a head beyond its limit."""
    return HeadTooLarge(f"The request headers are larger than the limit of {limits.head:,} bytes.")


def too_many_fields(limits: Limits) -> HeadTooLarge:
    """The error for more header fields than allowed."""
    return HeadTooLarge(f"The request has more than {limits.fields} headers.")


def _first_of_repeated(fields: HeaderList) -> dict[bytes, bytes]:
    first: dict[bytes, bytes] = {}
    for name, value in fields:
        if name not in first:
            first[name] = value
        elif name in _SINGLE:
            raise InvalidRequest(f"The header `{name.decode('ascii')}` appears more than once.")
    return first


def _check_coding(coding: bytes, version: str, has_length: bool) -> None:
    if has_length:
        raise InvalidRequest("Content-Length and Transfer-Encoding exclude each other.")
    if version == "1.0":
        raise InvalidRequest("Transfer-Encoding needs HTTP/1.1.")
    if coding.lower() != b"chunked":
        raise InvalidRequest("The only transfer coding accepted is `chunked`.")


def check_offer(method: str, first: dict[bytes, bytes]) -> None:
    """Raise InvalidRequest unless the offer of another protocol can be declined by answering as before (h2c)."""
    if method == "CONNECT":
        raise InvalidRequest("Tunnels are not supported: send requests to Ownkey's own paths.")
    if first.get(b"upgrade", b"").lower() != b"h2c":
        raise UpgradeDeclined("Upgrading the connection is not supported: use plain HTTP/1.1.")


def without_upgrade(method: str, target: bytes, fields: HeaderList) -> bytes:
    """A head written anew without its offer of another protocol, which is what declining the offer means."""
    lines = [b"%b %b HTTP/1.1\r\n" % (method.encode("ascii"), target)]
    lines += [b"%b: %b\r\n" % field for field in fields if field[0] not in _HOP_BY_HOP]
    tokens = b",".join([value for name, value in fields if name == b"connection"]).lower().split(b",")
    if b"close" in {token.strip() for token in tokens}:
        lines.append(b"connection: close\r\n")
    return b"".join((*lines, b"\r\n"))
