"""uvicorn's protocol, answering data-plane paths itself: the production adapter.

Paths of the data plane skip ASGI: no scope, no events, no task and usually one write per request.
Every other path goes on to the ASGI application through uvicorn's own code. Answers keep the order
of their requests across both kinds.

    data_received → httptools → on_headers_complete → accept: an Exchange, or uvicorn's cycle
                              → on_message_complete → its handler, now or at its turn
    Exchange → on_response_complete → the next in the pipeline
"""

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from ownkey.domain.errors import Unavailable
from ownkey.gateway.edge.exchange import Handler, RenderError
from ownkey.gateway.edge.guarded import GuardedProtocol
from ownkey.gateway.edge.head import check_length
from ownkey.gateway.edge.http1 import Exchange, Service
from ownkey.gateway.edge.limits import Limits
from ownkey.gateway.edge.patience import BODY
from ownkey.gateway.edge.target import is_data_plane

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def data_plane_protocol(handler: Handler, limits: Limits, render_error: RenderError) -> type[HttpToolsProtocol]:
    """The protocol class for `uvicorn.Config(http=…)`; use it with `ws="none"`.

    `limits` and `render_error` hold for every path, `handler` answers those of the data plane.
    """

    class BoundProtocol(DataPlaneProtocol):
        __slots__ = ()
        service = Service(handler, limits, render_error)

    return BoundProtocol


class DataPlaneProtocol(GuardedProtocol):
    """One connection; see the module."""

    __slots__ = ()

    def accept(self, version: str) -> None:
        if not is_data_plane(self.path):
            super().accept(version)
            return
        self.body_limit = self.service.limits.body
        check_length(self.first, self.body_limit)
        limit = self.limit_concurrency
        if limit is not None and (len(self.connections) >= limit or len(self.tasks) >= limit):
            raise Unavailable("The server is at its limit of concurrent requests.", retry_after=1)
        http10 = version == "1.0"
        keep_alive = not http10 and self.parser.should_keep_alive()
        exchange = Exchange(self, self.method == "HEAD", http10, keep_alive, self.expect_100_continue and not http10)
        previous = self.newest
        self.begin(exchange)
        if previous is None or previous.response_complete:
            self.running = exchange
        else:
            self.enqueue(exchange)

    def await_body(self) -> None:
        cycle = self.newest
        if isinstance(cycle, Exchange) and cycle.expects_continue and cycle is self.running:
            self.transport.write(_CONTINUE)

    def _start_asgi_task(self, cycle: RequestResponseCycle | Exchange, app: ASGI3Application) -> None:
        if not isinstance(cycle, Exchange):
            super()._start_asgi_task(cycle, app)
            return
        self.running = cycle
        if cycle is self.newest and self.phase == BODY:
            self.wait_from_now(self.service.limits.body_seconds)
            self.await_body()
        else:
            cycle.run()
