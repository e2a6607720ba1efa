"""The data plane behind trusted proxies: requests get their client's address before anybody looks at them.

Wrapped around the handlers only where proxies are trusted, so that nobody else pays for it. A request that the quick
handler leaves to the other passes twice, which changes nothing: the result of the second time is that of the first.
"""

from collections.abc import Coroutine
from typing import Any

from ownkey.domain.networks import TrustedProxies
from ownkey.gateway.edge.exchange import Handler, QuickHandler, QuickResponder, Request, Responder


def proxied(handler: Handler, proxies: TrustedProxies) -> Handler:
    """`handler` for requests whose `peer` is the client."""

    def handle(request: Request, responder: Responder) -> Coroutine[Any, Any, None]:
        _name_client(request, proxies)
        return handler(request, responder)

    return handle


def quick_proxied(handler: QuickHandler, proxies: TrustedProxies) -> QuickHandler:
    """As `proxied`, for a handler that may decline."""

    def handle(request: Request, responder: QuickResponder) -> bool:
        _name_client(request, proxies)
        return handler(request, responder)

    return handle


def _name_client(request: Request, proxies: TrustedProxies) -> None:
    forwarded = [value.decode("latin-1") for value in request.headers(b"x-forwarded-for")]
    request.peer = proxies.client_of(request.peer, forwarded)
