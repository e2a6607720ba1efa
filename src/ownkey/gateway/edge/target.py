"""The request target and the Host field, read once and strictly (RFC 9112, sections 3.2 and 3.3).

Proxies, routers and frameworks have disagreed about `..`, `%2e`, `\\` and absolute targets often
enough to open doors. Whatever could be read in two ways is refused here, before anyone routes on it.
"""

import re
from urllib.parse import unquote_to_bytes

from ownkey.domain.errors import InvalidRequest

_HOST = re.compile(rb"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_PLAIN = re.compile(rb"/[A-Za-z0-9/_:-]*")
"""What nearly every target looks like: nothing to decode, nothing to refuse."""
_REFUSED_RAW = re.compile(rb"[^\x21-\x7e]|[#\\<>\"^`{|}]|%(?![0-9A-Fa-f]{2})")
_REFUSED_QUERY = re.compile(rb"[^\x21-\x7e]|#")
_REFUSED_DECODED = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_MAPPED = "::ffff:"
_ABSOLUTE = re.compile(rb"https?://([^/?#]+)([/?].*)?", re.IGNORECASE | re.DOTALL)


def is_data_plane(path: str) -> bool:
    """Whether the pipeline answers this decoded path; everything else is the ASGI application's."""
    return path.startswith(("/v1/", "/v1beta/")) or path == "/v1"


def check_host(host: bytes) -> None:
    """Refuse anything but a name, an IPv4 address or a bracketed IPv6 address, with a port or not."""
    if _HOST.fullmatch(host) is None:
        raise InvalidRequest("The Host header is not a valid host name.")


def origin_form(target: bytes, host: bytes | None) -> bytes:
    """The target as path and query. An absolute one must name the authority of the Host field.

    Raises InvalidRequest.
    """
    if target[:1] == b"/":
        return target
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        raise InvalidRequest("The request target must be a path that starts with `/`.")
    authority, rest = match.group(1), match.group(2) or b"/"
    if host is None or authority.lower() != host.lower():
        raise InvalidRequest("The request target and the Host header name different hosts.")
    return rest if rest[:1] == b"/" else b"/" + rest


def read_target(target: bytes) -> tuple[str, bytes]:
    """(path decoded once, raw query) of a target in origin form. Raises InvalidRequest."""
    if _PLAIN.fullmatch(target) is not None:
        return target.decode("ascii"), b""
    raw_path, _, query = target.partition(b"?")
    if query and _REFUSED_QUERY.search(query) is not None:
        raise InvalidRequest("The query of the request target holds characters that must be percent-encoded.")
    if _REFUSED_RAW.search(raw_path) is not None:
        raise InvalidRequest("The path of the request target holds characters that must be percent-encoded.")
    path = _decode(raw_path) if b"%" in raw_path else raw_path.decode("ascii")
    if "/." in path and not {".", ".."}.isdisjoint(path.split("/")):
        raise InvalidRequest("The path must not hold `.` or `..` segments.")
    return path, query


def path_hint(target: bytes) -> str:
    """The path of a request that is refused anyway, to choose the shape of its answer."""
    try:
        return read_target(target)[0] if target[:1] == b"/" else "/"
    except InvalidRequest:
        return "/"


def _decode(raw_path: bytes) -> str:
    try:
        path = unquote_to_bytes(raw_path).decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest("The percent-encoded path is not valid UTF-8.") from None
    if _REFUSED_DECODED.search(path) is not None:
        raise InvalidRequest("The path must not hold control characters or backslashes.")
    return path


def plain_peer(host: str) -> str:
    """A peer's address, an IPv4 address mapped into IPv6 as what it is."""
    return host[len(_MAPPED) :] if host.startswith(_MAPPED) and "." in host else host
