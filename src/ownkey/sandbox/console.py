"""The sandbox's own pages: what it is, what it received, what it counted."""

from collections import deque
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

import msgspec

from ownkey.sandbox.exchange import SIMULATOR, Answer, Request
from ownkey.sandbox.keys import SECRET_HEADERS, KeyRegistry
from ownkey.sandbox.state import Stats

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


_JSON_HEAD = f"content-type: application/json\r\n{SIMULATOR}".encode()
_PAGE_HEAD = f"content-type: text/html; charset=utf-8\r\n{SIMULATOR}".encode()


class Console:
    """`/` and everything under `/__sandbox/`:

    GET /__sandbox/requests[?key_suffix=][&key=][&provider=][&limit=]   newest last
    GET /__sandbox/stats
    DELETE /__sandbox/requests                                          forget the requests
    """

    def __init__(self, stats: Stats, recent: RecentRequests, keys: KeyRegistry) -> None:
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


_MODELS = (
    ("echo", "answers with the last user message; so does every name not listed here"),
    ("lorem-N", "answers with N tokens"),
    ("think-N", "reasons for N tokens, then echoes"),
    ("reason-N", "the same, with the reasoning in the field <code>reasoning</code> of OpenAI's chat"),
    ("chunk-N", "echoes, N tokens in each streamed chunk"),
    ("empty", "answers with no content"),
    ("tool, tools", "call the first tool offered, or all of them; then answer with the result"),
    (
        'sandbox:call NAME {"argument": "value"}',
        "in the last user message says which tool to call with which arguments; tools takes several",
    ),
    ("json", "obeys the response schema"),
    ("cached", "echoes, and reports half of the input as read from a cache"),
    ("refuse", "answers nothing, as when the vendor's filter withholds an answer"),
    ("filter", "echoes half of the text, then the vendor's filter steps in; filter-400 refuses the prompt instead"),
    ("slow-MS", "sends its first byte after MS milliseconds"),
    ("hang, hang-N", "takes the request and sends nothing, or N tokens, and then nothing more"),
    ("flaky-K, flaky-K-STATUS", "echoes, but every K-th call fails with 500 or that status; 429 with retry-after: 1"),
    ("error-STATUS", "fails with that status, 400 to 599, in the vendor's shape"),
    ("error-200", "sends an error in the vendor's shape with status 200; a stream has it as its only event"),
    ("html, html-STATUS", "answers with an HTML page, status 200 or that one"),
    ("redirect", "redirects with 307 to http://169.254.169.254/latest/meta-data/"),
    ("error-echo-key", "fails with 401 and the whole key in body and header"),
    ("cut", "breaks off in the middle of the answer by closing the connection"),
    ("garbage", "answers with malformed JSON or a malformed stream"),
    ("stream-error, stream-echo-key", "report an error in mid-stream; the latter with the key in it"),
    ("no-stream", "answers in one piece even when a stream is asked for"),
    ("no-system", "refuses system messages with 400"),
    ("no-usage", "never sends usage"),
    ("liar, liar-N", "claims 10 or N times the output tokens that it sends"),
    (
        "new-limits",
        "refuses max_tokens (OpenAI's chat wants max_completion_tokens) and any temperature but 1, as OpenAI does",
    ),
    ("small-context-N", "refuses prompts of more than N tokens with context_length_exceeded"),
    (
        "right-P",
        "answers with the line after <code>sandbox:answer</code> in P percent of prompts, always the same ones",
    ),
    (
        "judge",
        (
            "grades as JSON, as the workbench and promptfoo ask: passes what holds all that the rubric has in double "
            "quotes; of two answers prefers the one that holds the reference or the text after sandbox:answer"
        ),
    ),
    ('sandbox:verdict {"pass": false}', "in the last user message is the verdict that judge gives"),
    ("judge-first", "prefers the answer that comes first"),
)
_KEYS = (
    ("invalid", "401"),
    ("limited", "429 with retry-after: 1"),
    ("broke", "402, or what the vendor sends when the account is empty"),
    ("revoked", "403"),
    ("restricted", "403: a genuine key that lacks a permission"),
    ("rejected", "what the vendor really sends for an unknown key: 400 at some, else 401"),
)
_OPTIONS = (
    ("x-sandbox-ttft-ms", "time to first byte in milliseconds, for this request: a number or a distribution"),
    ("x-sandbox-gap-ms", "time before each further token, likewise"),
    ("x-sandbox-tps", "tokens per second, for this request"),
)
_TIMES = (
    ("constant:200", "always 200 milliseconds"),
    ("uniform:100:300", "evenly between 100 and 300"),
    ("exponential:200", "with mean 200"),
    ("lognormal:200:0.5", "with median 200, and 0.5 the standard deviation of the logarithm"),
)


def _rows(pairs: tuple[tuple[str, str], ...]) -> str:
    return "".join(f"<tr><td><code>{name}</code></td><td>{text}</td></tr>" for name, text in pairs)


PAGE = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Ownkey sandbox: a simulator</title>
<style>body{{font:16px/1.5 system-ui;max-width:46rem;margin:2rem auto;padding:0 1rem}}td{{padding:.1rem 1rem .1rem 0}}
code{{background:#8882;padding:0 .2em}}</style>
<h1>Ownkey sandbox</h1>
<p><strong>This is a simulator.</strong> No model answers here and nothing costs money. It speaks as the providers do,
each under <code>/&lt;provider&gt;</code> and that provider's own path, for example
<code>/openai/v1/chat/completions</code>, <code>/anthropic/v1/messages</code>, <code>/openrouter/api/v1/key</code>.
Every answer carries the header <code>x-ownkey-sandbox: simulator</code>.</p>
<h2>Models</h2><p>Any vendor prefix may stand before a name: <code>openai/echo</code> is <code>echo</code>.</p>
<table>{_rows(_MODELS)}</table>
<h2>Keys</h2><p>Any key is accepted, except those that contain one of these words:</p><table>{_rows(_KEYS)}</table>
<h2>Request headers</h2><table>{_rows(_OPTIONS)}</table>
<h2>Times</h2><p>A distribution is drawn from by the seed and the number of the request, so that the same order of
requests gives the same times:</p><table>{_rows(_TIMES)}</table>
<p>A model's name can bring its own, after pluses, for clients that send no headers:
<code>lorem-50+ttft=lognormal:200:0.5+gap=exponential:10+seed=7</code>; <code>+chunk=4</code> sends four tokens a chunk.
An answer that keeps such times says in <code>x-sandbox-ttft-ms</code> when its first byte is due after the request's
arrival, a stream in <code>x-sandbox-gap-ms</code> the mean of its gaps. <code>x-sandbox-request</code> is the number of
the request in the list below, whose <code>timing</code> shows what was planned and when the bytes were really sent.</p>
<h2>Embeddings</h2><p>The same text has the same vector, and texts that share words have near ones.</p>
<h2>For debugging</h2><p><a href="/__sandbox/requests">/__sandbox/requests</a> shows the last requests, with keys as
digests; <a href="/__sandbox/stats">/__sandbox/stats</a> the counters.</p>
</html>
""".encode()
