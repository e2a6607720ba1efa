"""From a path to what answers it. Looked up once for each path, then remembered."""

from collections.abc import Sequence

from msgspec import Struct

from ownkey.sandbox.context import Endpoint
from ownkey.sandbox.vendors import Vendor, native_face


class Route(Struct, frozen=True):
    """A path taken apart. `answers` maps a method to its endpoint and the face it shows; empty: no such path."""

    provider: str
    rest: str
    face: Vendor
    answers: dict[bytes, tuple[Endpoint, Vendor]]


class Routes:
    """The paths `/<provider>/<anything>/<suffix>` of every provider, known or not."""

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
                answers.setdefault(endpoint.method, (endpoint, endpoint.face(provider)))
        if b"GET" in answers:
            answers[b"HEAD"] = answers[b"GET"]
        return Route(provider, rest, native_face(provider), answers)
