"""Sending a request to an endpoint's address, with the times at which bytes arrive."""

import re
from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.domain.secret import Secret
from ownkey.gateway.net import Target, Timeouts, UpstreamClient, UpstreamRequest, UpstreamResponse
from ownkey.gateway.scrub import scrub_text
from ownkey.providers import ProviderCatalogue
from ownkey.workbench.endpoint.request import CHAT

_PARAM = "endpoint_url"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_ENDS = ("/chat/completions", "/completions", "/responses", "/embeddings", "/messages", "/models", "/api/chat")
_VERSIONED = re.compile(r"/v\d+(?:beta|alpha)?\d*(?:/|$)")


def read_base_url(pasted: str) -> str:
    """The base URL: without white space around it, a slash at its end, or the path of one interface.

    Raises InvalidRequest, saying what to write, for what is no such address.
    """
    text = pasted.strip()
    if not text:
        raise InvalidRequest("Give the endpoint's base URL, for example https://llm.example.com/v1.", param=_PARAM)
    if _SCHEME.match(text) is None:
        local = re.match(r"(?:localhost|127\.|\[::1\]|10\.|192\.168\.)", text) is not None
        shown = text[:80].lstrip("/")
        raise InvalidRequest(
            f"Write the address with its scheme: {'http' if local else 'https'}://{shown}", param=_PARAM
        )
    if "?" in text or "#" in text:
        raise InvalidRequest("Give the base URL without a query or fragment (? or #).", param=_PARAM)
    text = text.rstrip("/")
    Target.parse(text, _PARAM)
    scheme, _, rest = text.partition("://")
    host, _, path = rest.partition("/")
    path = f"/{path}" if path else ""
    for end in _ENDS:
        if path.endswith(end):
            path = path.removesuffix(end).rstrip("/")
            break
    return f"{scheme.lower()}://{host}{path}"


def with_version(base_url: str) -> str | None:
    """The same address with `/v1`, to be tried where the endpoint is not there as given; None where it has one."""
    return None if _VERSIONED.search(base_url.partition("://")[2]) else f"{base_url}/v1"


def operators_base_urls(catalogue: ProviderCatalogue) -> dict[str, str]:
    """The base URL of each provider that speaks OpenAI's chat completions at an address of its own, with its name."""
    found: dict[str, str] = {}
    for row in catalogue.providers():
        path = row.endpoints.get(WireFormat.OPENAI_CHAT)
        if row.base_url is not None and path is not None and path.endswith(CHAT):
            found[row.base_url.rstrip("/") + path.removesuffix(CHAT)] = row.name
    return found


LIMITS = Timeouts(queue=5.0, connect=10.0, first_byte=3600.0, idle=3600.0, total=3600.0)
"""Phases of a call, in seconds. What follows connecting is bounded by the call's own limit."""

_VISIBLE = re.compile(r"[\x21-\x7e]+")


class TimedReply(Protocol):
    """An answer whose head is here; its times are of `time.monotonic()`, in seconds.

    Read it to its end or call `abort`, which is harmless after the end.
    """

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """Names in lower case."""
        ...

    @property
    def sent_at(self) -> float:
        """When the request was sent."""
        ...

    @property
    def connect_ms(self) -> float | None:
        """What name, TCP and TLS took before that; None where nothing had to be opened."""
        ...

    def chunks(self) -> AsyncGenerator[tuple[float, bytes]]:
        """The body's pieces, each with when it came. Raises an OwnkeyError where the body breaks off."""
        ...

    def abort(self) -> None: ...


class Transport(Protocol):
    """Sends requests to one endpoint."""

    async def post(self, path: str, body: bytes, timeout_ms: float) -> TimedReply:
        """POST JSON to a path below the base URL, and return when the head of the answer is here.

        `timeout_ms` runs from sending to the last byte. Raises an OwnkeyError when no head came.
        """
        ...

    async def get(self, path: str, timeout_ms: float) -> TimedReply:
        """As `post`, with GET and without a body."""
        ...

    def scrub(self, text: str) -> str:
        """What the endpoint said, without the key that it was sent."""
        ...


class DirectReply:
    """A reply of the upstream client's. Implements `TimedReply`."""

    def __init__(self, response: UpstreamResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers = response.headers
        self.sent_at = response.sent_at
        seconds = response.connect_seconds
        self.connect_ms = None if seconds is None else seconds * 1000

    async def chunks(self) -> AsyncGenerator[tuple[float, bytes]]:
        while pieces := await self._response.timed_chunk():
            for piece in pieces:
                yield piece

    def abort(self) -> None:
        self._response.abort()


class DirectTransport:
    """Speaks to `base_url` (the part before `/chat/completions`), with the key as a bearer token.

    Raises InvalidRequest for an address or a key that cannot be sent. The client's address rules hold unless the
    endpoint is `trusted`, which means that the operator chose it.
    """

    def __init__(
        self,
        client: UpstreamClient,
        base_url: str,
        key: Secret | None = None,
        timeouts: Timeouts = LIMITS,
        *,
        trusted: bool = False,
    ) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._timeouts = timeouts
        self._trusted = trusted
        self._targets: dict[str, Target] = {}
        self._headers = [(b"accept", b"text/event-stream, application/json"), *_authorization(key)]
        self._target("/chat/completions")

    async def post(self, path: str, body: bytes, timeout_ms: float) -> DirectReply:
        return await self._send(
            b"POST", path, [(b"content-type", b"application/json"), *self._headers], body, timeout_ms
        )

    async def get(self, path: str, timeout_ms: float) -> DirectReply:
        return await self._send(b"GET", path, self._headers, b"", timeout_ms)

    def scrub(self, text: str) -> str:
        return text if self._key is None else scrub_text(text, self._key)

    async def _send(
        self, method: bytes, path: str, headers: list[tuple[bytes, bytes]], body: bytes, timeout_ms: float
    ) -> DirectReply:
        request = UpstreamRequest(
            method, self._target(path), headers, body, self._trusted, self._limits(timeout_ms), timed=True
        )
        return DirectReply(await self._client.send(request))

    def _limits(self, timeout_ms: float) -> Timeouts:
        limits, seconds = self._timeouts, timeout_ms / 1000
        total = min(limits.total, seconds)
        return Timeouts(
            queue=limits.queue,
            connect=min(limits.connect, seconds),
            first_byte=min(limits.first_byte, total),
            idle=min(limits.idle, total),
            total=total,
        )

    def _target(self, path: str) -> Target:
        target = self._targets.get(path)
        if target is None:
            target = self._targets[path] = Target.parse(self._base_url + path)
        return target


def _authorization(key: Secret | None) -> list[tuple[bytes, bytes]]:
    text = "" if key is None else key.reveal()
    if not text:
        return []
    if _VISIBLE.fullmatch(text) is None:
        raise InvalidRequest("The key contains spaces, line breaks or characters that no key has.", param="api_key")
    return [(b"authorization", b"Bearer " + text.encode("ascii"))]
