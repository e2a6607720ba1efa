"""An error found before a request could be accepted, which waits for its turn like any request's answer."""

from ownkey.domain.errors import OwnkeyError
from ownkey.gateway.edge.exchange import HeaderList
from ownkey.gateway.edge.head import UpgradeDeclined
from ownkey.gateway.edge.http1 import Service


class Refusal:
    """Stands in the place of a request's cycle. `path` gives the format of the error, `mute` leaves its body out."""

    __slots__ = ("error", "keep_alive", "mute", "path", "response_complete")

    def __init__(self, error: OwnkeyError, path: str, mute: bool) -> None:
        self.error = error
        self.path = path
        self.mute = mute
        self.keep_alive = False
        self.response_complete = False

    def rendered(self, service: Service, fixed: HeaderList) -> bytes:
        """The whole answer, after which the connection ends; `fixed` as in `Heads.render`."""
        headers, body = service.render_error(self.path, self.error)
        # A 426 has to name a protocol that is spoken here (RFC 9110, section 15.5.22).
        upgrade = isinstance(self.error, UpgradeDeclined)
        connection = b"upgrade, close\r\nupgrade: HTTP/1.1" if upgrade else b"close"
        framing = b"content-length: %d\r\nconnection: %b\r\n" % (len(body), connection)
        head = service.heads.render(self.error.status, headers, fixed, framing)
        return head if self.mute else head + body
