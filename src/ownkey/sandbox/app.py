"""From a request to its response: find the route, judge the key, answer. Does no input or output."""

import os
import time
from collections.abc import Sequence

from msgspec import Struct, structs

from ownkey.sandbox.console import Console, RecentRequests
from ownkey.sandbox.errors import Problem, Refused
from ownkey.sandbox.exchange import SIMULATOR, Answer, Context, Endpoint, Handler, Head, Plan, Request, Response
from ownkey.sandbox.formats import ENDPOINTS
from ownkey.sandbox.keys import KeyDefect, KeyIdentity, KeyRegistry
from ownkey.sandbox.options import Options
from ownkey.sandbox.state import State, Stats
from ownkey.sandbox.vendors import Vendor, native_vendor


class Route(Struct, frozen=True):
    """A path taken apart. `answers` maps a method to its endpoint and the vendor whose ways it follows.

    It is empty when there is no such path.
    """

    provider: str
    rest: str
    vendor: Vendor
    answers: dict[bytes, tuple[Endpoint, Vendor]]


class Routes:
    """The paths `/<provider>/<anything>/<suffix>` of every provider, known or not, each looked up once."""

    def __init__(self, endpoints: Sequence[Endpoint], remembered: int = 4096) -> None:
        self._endpoints = endpoints
        self._remembered = remembered
        self._routes: dict[bytes, Route] = {}

    def find(self, path: bytes) -> Route:
        route = self._routes.get(path)
        if route is None:
            if len(self._routes) >= self._remembered:
                self._routes.clear()
            route = self._routes[path] = self._resolve(path)
        return route

    def _resolve(self, path: bytes) -> Route:
        provider, _, rest = path.decode("latin-1").lstrip("/").partition("/")
        answers: dict[bytes, tuple[Endpoint, Vendor]] = {}
        for endpoint in self._endpoints:
            if rest and endpoint.matches(rest):
                answers.setdefault(endpoint.method, (endpoint, endpoint.vendor(provider)))
        if b"GET" in answers:
            answers[b"HEAD"] = answers[b"GET"]
        return Route(provider, rest, native_vendor(provider), answers)


class Sandbox:
    """The simulator's state and its one verb."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.stats = Stats()
        self.recent = RecentRequests(options.recent_requests, options.recent_bytes)
        self.keys = KeyRegistry()
        self._state = State(options.seed or 0)
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
        context = Context(request, plan, f"{self._ident}{number:x}", self.options, self._state)
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
        vendor = found[1] if found else route.vendor
        key = self.keys.identify(head.headers)
        action = self._judge(head, route, found, key)
        return Plan(route.provider, route.rest, vendor, key, action)

    def _judge(
        self, head: Head, route: Route, found: tuple[Endpoint, Vendor] | None, key: KeyIdentity | None
    ) -> Handler | Problem:
        if found is None:
            return _unknown(head, route)
        endpoint, vendor = found
        if not (endpoint.lists_models and vendor.public_models):
            defect = key.defect if key else KeyDefect.MISSING if vendor.key_required else None
            if defect is not None:
                problem = vendor.key_problem(defect)
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
