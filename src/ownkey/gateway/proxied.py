"""The data plane behind trusted proxies: requests get their client's address before anybody looks at them.

Wrapped around the handler only where proxies are trusted, so that nobody else pays for it.
"""

from ownkey.domain.networks import TrustedProxies
from ownkey.gateway.edge.exchange import Handler, Request, Responder


def proxied(handler: Handler, proxies: TrustedProxies) -> Handler:
    """`handler` for requests whose `peer` is the client."""

    def handle(request: Request, responder: Responder) -> None:
        forwarded = [value.decode("latin-1") for value in request.headers(b"x-forwarded-for")]
        request.peer = proxies.client_of(request.peer, forwarded)
        handler(request, responder)

    return handle
