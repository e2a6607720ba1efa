"""The debugging log: the last requests, for tests that prove what a gateway sent. Keys appear as digests only."""

from collections import deque
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from ownkey.sandbox.exchange import Request
from ownkey.sandbox.keys import SECRET_HEADERS

_SECRET_PARAMETERS = frozenset({"key", "api_key", "api-key", "access_token", "client_secret"})
_FORM = b"application/x-www-form-urlencoded"
_SMALL = 16 * 1024


class RecentRequests:
    """A ring bounded in requests and in the bytes of large bodies."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._requests: deque[Request] = deque(maxlen=most)

    def add(self, request: Request) -> None:
        self._requests.append(request)
        if len(request.body) > _SMALL:
            self._make_room()

    def _make_room(self) -> None:
        ring = self._requests
        size = sum(len(request.body) for request in ring)
        while size > self._most_bytes and len(ring) > 1:
            size -= len(ring.popleft().body)

    def clear(self) -> None:
        self._requests.clear()

    def __iter__(self) -> Iterator[Request]:
        return iter(self._requests)


def matches(request: Request, *, key_suffix: bytes, digest: str, provider: str | None) -> bool:
    """Whether a request's key ends so, has a digest that begins so, and went to that provider. Empty: any."""
    plan = request.head.plan
    if plan is None or (provider is not None and plan.provider != provider):
        return False
    if not key_suffix and not digest:
        return True
    return plan.key is not None and plan.key.raw.endswith(key_suffix) and plan.key.digest.startswith(digest)


def describe(request: Request) -> dict[str, Any]:
    """One request as JSON shows it: what it asked, and what became of it."""
    head, plan = request.head, request.head.plan
    return {
        "number": request.number,
        "at": request.at,
        "method": head.method.decode("latin-1"),
        "path": head.path.decode("latin-1"),
        "query": _without_secrets(head.query),
        "provider": plan.provider if plan else None,
        "key": plan.key.digest if plan and plan.key else None,
        "headers": {name.decode("latin-1"): _header(name, value) for name, value in head.headers.items()},
        "body": _body(request),
        "body_bytes": len(request.body),
        "status": request.status,
        "outcome": request.outcome,
        "tokens_sent": request.tokens_sent,
        "timing": request.timeline.describe(),
    }


def _header(name: bytes, value: bytes) -> str:
    if name not in SECRET_HEADERS:
        return value.decode("latin-1")
    scheme, space, secret = value.rpartition(b" ")
    return f"{scheme.decode('latin-1')}{space.decode()}sha256:{sha256(secret).hexdigest()[:16]}"


def _without_secrets(query: bytes) -> str:
    text = query.decode("latin-1")
    pairs = parse_qsl(text, keep_blank_values=True)
    if all(name.lower() not in _SECRET_PARAMETERS for name, _ in pairs):
        return text
    digested = [
        (name, f"sha256:{sha256(value.encode()).hexdigest()[:16]}" if name.lower() in _SECRET_PARAMETERS else value)
        for name, value in pairs
    ]
    return urlencode(digested)


def _body(request: Request) -> Any:
    """JSON as JSON, a form without its secrets, anything else as text."""
    body = request.body
    if not body:
        return None
    if request.head.headers.get(b"content-type", b"").startswith(_FORM):
        return _without_secrets(body)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body.decode("utf-8", "replace")
