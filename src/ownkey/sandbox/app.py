"""From a request to its response: route, judge the key, answer. No input or output happens here."""

import os
import time

from msgspec import structs

from ownkey.sandbox.console import Console
from ownkey.sandbox.context import SIMULATOR, Context, Endpoint, Handler, Plan
from ownkey.sandbox.errors import Problem, Refused
from ownkey.sandbox.exchange import Answer, Head, Request, Response
from ownkey.sandbox.formats import ENDPOINTS
from ownkey.sandbox.keys import KeyBook, KeyIdentity, Trouble
from ownkey.sandbox.options import Options
from ownkey.sandbox.recent import RecentRequests
from ownkey.sandbox.routes import Route, Routes
from ownkey.sandbox.scene import Scene
from ownkey.sandbox.stats import Stats
from ownkey.sandbox.vendors import Vendor


class Sandbox:
    """The simulator's state and its one verb."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.stats = Stats()
        self.recent = RecentRequests(options.recent_requests, options.recent_bytes)
        self.keys = KeyBook()
        self._scene = Scene(options.seed or 0)
        self._routes = Routes(ENDPOINTS)
        self._console = Console(self.stats, self.recent, self.keys)
        self._ident = os.urandom(6).hex()

    def respond(self, request: Request) -> Response:
        """The answer to a request. Every request except those to the console is counted and logged."""
        request.at = time.time()
        plan = request.head.plan
        if plan is None:
            route = self._routes.find(request.head.path)
            if not route.rest or route.provider == "__sandbox":
                return self._console.respond(request)
            plan = request.head.plan = self._plan(request.head, route)
        stats = self.stats
        stats.requests = number = request.number = stats.requests + 1
        if plan.key is not None:
            plan.key.requests += 1
        self.recent.add(request)
        context = Context(request, plan, f"{self._ident}{number:x}", self.options, self._scene)
        try:
            action = plan.action
            response = context.failure(action) if isinstance(action, Problem) else action(context)
        except Refused as refused:
            response = context.failure(refused.problem)
        if request.timeline.planned is not None:
            response = structs.replace(response, head=response.head + request.timeline.planned.lines())
        request.status = status = response.status if type(response) is Answer else 200
        stats.by_status[status] = stats.by_status.get(status, 0) + 1
        return response

    def _plan(self, head: Head, route: Route) -> Plan:
        """Judge the path and the key."""
        found = route.answers.get(head.method)
        face = found[1] if found else route.face
        key = self.keys.identify(head.headers)
        action = self._judge(head, route, found, key)
        return Plan(route.provider, route.rest, face, key, action)

    def _judge(
        self, head: Head, route: Route, found: tuple[Endpoint, Vendor] | None, key: KeyIdentity | None
    ) -> Handler | Problem:
        if found is None:
            return _unknown(head, route)
        endpoint, face = found
        if not (endpoint.lists_models and face.public_models):
            trouble = key.trouble if key else Trouble.MISSING if face.key_required else None
            if trouble is not None:
                problem = face.trouble(trouble)
                return problem.saying(problem.message.replace("{key}", key.masked if key else ""))
        return endpoint.handle


def refusal(status: int, message: str) -> Answer:
    """An answer to what is no proper HTTP request, in OpenAI's shape since no vendor is known."""
    body = b'{"error":{"message":"%b","type":"invalid_request_error","param":null,"code":null}}' % message.encode()
    return Answer(status, f"content-type: application/json\r\n{SIMULATOR}".encode(), body)


def _unknown(head: Head, route: Route) -> Problem:
    method = head.method.decode("latin-1")
    if route.answers:
        allowed = f"allow: {b', '.join(route.answers).decode()}\r\n"
        return Problem(status=405, message=f"Not allowed to {method} on /{route.rest}", head=allowed)
    return Problem(status=404, message=f"Invalid URL ({method} /{route.rest})")
