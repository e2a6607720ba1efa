"""What can go wrong between us and a provider, in one tree.

    UpstreamError                502
    └── NetError
        ├── AddressBlocked           the address rules forbid the connection
        ├── ConnectFailed            no name, no route, refused, or reset before TLS
        ├── ProxyFailed              the operator's egress proxy opened no tunnel
        ├── TlsFailed                handshake or certificate
        ├── TimedOut                 504; `stage` says which limit was reached
        ├── ConnectionLost           the peer closed or reset in the middle of an exchange
        ├── ProtocolViolation        the peer does not speak HTTP/1.1 as we accept it
        └── ResponseTooLarge         a limit on what the peer may send was passed

`sent` is False only when not one byte of the request was handed to the connection: such a request
may go elsewhere without the risk of being carried out twice. Texts name the origin
(`https://host:port`) and never a path, query, header or body, any of which may hold a key.
"""

from enum import StrEnum

from ownkey.domain.errors import UpstreamError, UpstreamTimeout


class Stage(StrEnum):
    """The phase of an exchange in which its time ran out."""

    QUEUE = "queue"
    CONNECT = "connect"
    WRITE = "write"
    FIRST_BYTE = "first_byte"
    IDLE = "idle"
    TOTAL = "total"


class NetError(UpstreamError):
    """The root. `sent`: a byte of the request may have reached the peer."""

    def __init__(self, public: str, *, origin: str, detail: str = "", sent: bool = False) -> None:
        super().__init__(public, operator=f"{origin}: {detail}" if detail else origin)
        self.sent = sent


class AddressBlocked(NetError):
    """The URL, or an address its name resolves to, is private, local or reserved."""


class ConnectFailed(NetError):
    """No connection: the name does not resolve, or every address refused."""


class ProxyFailed(NetError):
    """The egress proxy cannot be reached or opened no tunnel; `status` is what it answered, 0 for nothing usable."""

    def __init__(self, public: str, *, origin: str, detail: str = "", status: int = 0) -> None:
        super().__init__(public, origin=origin, detail=detail or public)
        self.proxy_status = status


class TlsFailed(NetError):
    """The handshake failed or the certificate is not valid for the name."""


class TimedOut(NetError, UpstreamTimeout):
    """A time limit was reached; `stage` names it."""

    def __init__(
        self, stage: Stage, *, origin: str, detail: str = "", sent: bool = False, whose: str = "The provider"
    ) -> None:
        super().__init__(
            f"{whose} did not answer in time ({stage}).",
            origin=origin,
            detail=detail or f"timed out ({stage})",
            sent=sent,
        )
        self.stage = stage


class ConnectionLost(NetError):
    """The connection ended before the response did; `answered`: after its first byte; `unread`: before any of the
    request had arrived."""

    def __init__(
        self,
        public: str,
        *,
        origin: str,
        detail: str = "",
        sent: bool = False,
        answered: bool = False,
        unread: bool = False,
    ) -> None:
        super().__init__(public, origin=origin, detail=detail, sent=sent)
        self.answered = answered
        self.unread = unread


class ProtocolViolation(NetError):
    """The response breaks HTTP/1.1 or a rule of ours, such as `accept-encoding: identity`."""


class ResponseTooLarge(NetError):
    """The body is larger than the caller accepts."""
