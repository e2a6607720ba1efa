"""The sandbox's own pages: what it is, what it received, what it counted."""

from typing import Any
from urllib.parse import parse_qs

import msgspec

from ownkey.sandbox.context import SIMULATOR
from ownkey.sandbox.exchange import Answer, Request
from ownkey.sandbox.keys import KeyBook
from ownkey.sandbox.page import PAGE
from ownkey.sandbox.recent import RecentRequests, describe, matches
from ownkey.sandbox.stats import Stats

_JSON_HEAD = f"content-type: application/json\r\n{SIMULATOR}".encode()
_PAGE_HEAD = f"content-type: text/html; charset=utf-8\r\n{SIMULATOR}".encode()


class Console:
    """`/` and everything under `/__sandbox/`:

    GET /__sandbox/requests[?key_suffix=][&key=][&provider=][&limit=]   newest last
    GET /__sandbox/stats
    DELETE /__sandbox/requests                                          forget the requests
    """

    def __init__(self, stats: Stats, recent: RecentRequests, keys: KeyBook) -> None:
        self._stats = stats
        self._recent = recent
        self._keys = keys

    def respond(self, request: Request) -> Answer:
        method, path = request.head.method, request.head.path
        reading = method in (b"GET", b"HEAD")
        match path:
            case b"/" if reading:
                return Answer(200, _PAGE_HEAD, PAGE)
            case b"/__sandbox/stats" if reading:
                keys = {key.digest: key.requests for key in self._keys}
                return _json(200, {**self._stats.describe(), "by_key": keys})
            case b"/__sandbox/requests" if reading:
                return _json(200, {"requests": self._select(request.head.query)})
            case b"/__sandbox/requests" if method == b"DELETE":
                self._recent.clear()
                return _json(200, {"requests": []})
            case _:
                text = "This is the Ownkey sandbox, a simulator: use /<provider>/<that provider's path>, or GET /."
                return _json(404, {"error": {"message": text, "type": "invalid_request_error", "code": None}})

    def _select(self, query: bytes) -> list[dict[str, Any]]:
        """`key_suffix` matches the end of the key itself, `key` the beginning of its digest."""
        wanted = {name: values[-1] for name, values in parse_qs(query.decode("latin-1")).items()}
        suffix, digest = wanted.get("key_suffix", "").encode("latin-1", "replace"), wanted.get("key", "")
        chosen = [
            request
            for request in self._recent
            if matches(request, key_suffix=suffix, digest=digest, provider=wanted.get("provider"))
        ]
        limit = wanted.get("limit", "")
        if limit.isascii() and limit.isdigit():
            chosen = chosen[-int(limit[:9]) :] if int(limit[:9]) else []
        return [describe(request) for request in chosen]


def _json(status: int, value: Any) -> Answer:
    return Answer(status, _JSON_HEAD, msgspec.json.encode(value))
