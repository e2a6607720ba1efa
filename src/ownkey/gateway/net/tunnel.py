"""Ask an HTTP proxy for a tunnel on a connected socket (CONNECT, RFC 9110 section 9.3.6)."""

import asyncio
import re
import socket

from ownkey.gateway.net.egress import EgressProxy, authority
from ownkey.gateway.net.errors import ProxyFailed
from ownkey.gateway.net.target import Target

_HEAD_LIMIT = 16 * 1024
_BEGINNING = b"HTTP/1."
_END = b"\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?: [^\r\n]*)?\r\n")
_AUTHENTICATION_REQUIRED = 407


def connect_request(destination: str, proxy: EgressProxy) -> bytes:
    """The request for a tunnel to `destination` (`host:port`)."""
    lines = [f"CONNECT {destination} HTTP/1.1".encode("ascii"), b"host: " + destination.encode("ascii")]
    if proxy.credentials:
        lines.append(b"proxy-authorization: " + proxy.credentials)
    return b"\r\n".join(lines) + _END


async def open_tunnel(sock: socket.socket, destination: str, proxy: EgressProxy, target: Target) -> None:
    """Make `sock`, connected to the proxy, one to `destination`, where `target` is served. Raises ProxyFailed."""
    origin = target.label
    loop = asyncio.get_running_loop()
    head = b""
    try:
        await loop.sock_sendall(sock, connect_request(destination, proxy))
        while _END not in head:
            piece = await loop.sock_recv(sock, 4096)
            head += piece
            if not piece or len(head) > _HEAD_LIMIT or not _may_be_http(head):
                raise _no_proxy(proxy, origin, "it closed the connection" if not piece else "that is no HTTP response")
    except OSError as error:
        raise _no_proxy(proxy, origin, type(error).__name__) from error
    # People are told the name: what it resolves to is not theirs to know.
    problem = refusal(head, authority(target.host, target.port), proxy)
    if problem is not None:
        raise ProxyFailed(problem[1], origin=origin, status=problem[0])


def refusal(head: bytes, destination: str, proxy: EgressProxy) -> tuple[int, str] | None:
    """The status and what to tell people of a response that opens no tunnel; None when the tunnel is open.

    A provider's server speaks second, so nothing may follow the head of a success.
    """
    match = _STATUS.match(head)
    status = int(match[1]) if match is not None else 0
    if status == _AUTHENTICATION_REQUIRED:
        asks = (
            "does not accept its user name and password" if proxy.credentials else "asks for a user name and password"
        )
        return status, f"The egress proxy {proxy.label} {asks} (407). The operator sets them in OWNKEY_EGRESS_PROXY."
    if status >= 500:
        return status, f"The egress proxy {proxy.label} could not connect to {destination} ({status})."
    if status >= 300:
        return status, f"The egress proxy {proxy.label} refused to connect to {destination} ({status})."
    if status < 200 or not head.endswith(_END) or head.count(_END) != 1:
        return 0, _not_http(proxy)
    return None


def _may_be_http(head: bytes) -> bool:
    return head[: len(_BEGINNING)] == _BEGINNING[: len(head)]


def _not_http(proxy: EgressProxy) -> str:
    return (
        f"The egress proxy {proxy.label} did not answer as an HTTP proxy does. The operator checks OWNKEY_EGRESS_PROXY."
    )


def _no_proxy(proxy: EgressProxy, origin: str, detail: str) -> ProxyFailed:
    return ProxyFailed(_not_http(proxy), origin=origin, detail=detail)
