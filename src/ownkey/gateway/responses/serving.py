"""What can be asked of a stored response: to see it, its input, to delete it, to cancel it.

Where the provider keeps the response, the request goes there with the credential it was made with and
no other; where we keep it, we answer as OpenAI does.
"""

from typing import Any
from urllib.parse import parse_qs, quote

import msgspec

from ownkey.domain.errors import (
    InvalidRequest,
    MethodNotAllowed,
    NoHealthyCredential,
    NotFound,
    OwnkeyError,
    UpstreamError,
)
from ownkey.domain.formats import WireFormat
from ownkey.domain.plan import Attempt, Plan
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import Principal
from ownkey.gateway.attempts import whole_body
from ownkey.gateway.edge.exchange import Request, Responder
from ownkey.gateway.net import UpstreamClient, UpstreamRequest, UpstreamResponse
from ownkey.gateway.net.target import Target
from ownkey.gateway.receipt import HeaderFields, receipt_headers
from ownkey.gateway.refusals import passed_headers
from ownkey.gateway.relayed import PassedBody
from ownkey.gateway.responses.store import ResponseStore
from ownkey.gateway.scrub import scrub
from ownkey.gateway.secrets import SecretCache
from ownkey.gateway.steps import Steps, awaited
from ownkey.gateway.tokens import TokenCache
from ownkey.providers.auth import auth_headers
from ownkey.providers.tokens import TokenRefused
from ownkey.storage.records import StoredResponse
from ownkey.wire.openai_responses.items import listed, page

PREFIX = "/v1/responses/"
_METHODS = {"": ("GET", "DELETE"), "input_items": ("GET",), "cancel": ("POST",)}
_JSON = (b"content-type", b"application/json")
_FORMAT = WireFormat.OPENAI_RESPONSES
_ANSWER_LIMIT = 64 * 1024 * 1024
_MOST_LISTED = 100
_encode = msgspec.json.Encoder().encode


class ResponseService:
    """Answers requests about stored responses. None of them is billed, so none is in the books."""

    def __init__(
        self, store: ResponseStore, client: UpstreamClient, secrets: SecretCache, tokens: TokenCache, user_agent: str
    ) -> None:
        self._store = store
        self._client = client
        self._secrets = secrets
        self._tokens = tokens
        self._user_agent = user_agent.encode()

    async def find(self, request: Request, principal: Principal) -> StoredResponse:
        """The response that the path names. Raises NotFound for an absent and for a foreign one alike."""
        response_id, tail = _parts(request.path)
        methods = _METHODS.get(tail)
        if methods is None:
            raise NotFound(f"There is nothing at {request.path}: see the README for the paths that exist.")
        if request.method not in methods:
            raise MethodNotAllowed(f"{request.path} takes {' and '.join(methods)}, not {request.method}.")
        row = await self._store.find(principal.user_id, response_id)
        if row is None:
            raise NotFound(f"Response with id '{response_id}' not found.")
        return row

    async def answer_ours(self, row: StoredResponse, request: Request, responder: Responder, request_id: str) -> None:
        """Answer about a response that we keep. Raises InvalidRequest, SecretUnreadable."""
        body = await self._ours(row, request, _parts(request.path)[1])
        responder.answer(200, receipt_headers(_FORMAT, request_id, None, 0, [_JSON]), body)

    async def _ours(self, row: StoredResponse, request: Request, tail: str) -> bytes:
        if tail == "cancel":
            raise InvalidRequest("Cannot cancel a synchronous response.")
        if request.method == "DELETE":
            await self._store.delete(row.user_id, row.id)
            return _encode({"id": row.id, "object": "response", "deleted": True})
        asked = parse_qs(request.raw_query.decode("ascii"))
        kept = await self._store.open(row)
        if tail == "input_items":
            return _encode(_listing(listed(kept.items, row.id), asked))
        if asked.get("stream", ["false"])[-1] == "true":
            text = "Only responses that were created with background: true can be streamed again."
            raise InvalidRequest(text, param="stream")
        return bytes(kept.response)

    def pass_on(
        self, row: StoredResponse, plan: Plan, request: Request, responder: Responder, request_id: str
    ) -> Steps[None]:
        """Ask the provider that keeps the response, with its one credential, which `plan` was made for.

        Raises the plan's refusal, SecretUnreadable, UpstreamError.
        """
        if plan.refusal is not None:
            raise plan.refusal
        attempt = plan.attempts[0]
        if attempt.format is not _FORMAT:
            raise NoHealthyCredential(f"{attempt.provider.title} does not serve stored responses any more.")
        stored = yield from awaited(self._secrets.open(attempt.credential))
        secret = yield from awaited(self._tokens.exchange(attempt.provider, stored, attempt.credential.config))
        if isinstance(secret, TokenRefused):
            raise UpstreamError(secret.verdict.message)
        response = yield from awaited(self._client.send(self._upstream(row, attempt, secret, request)))
        try:
            if request.method == "DELETE" and (200 <= response.status < 300 or response.status == 404):
                yield from awaited(self._store.delete(row.user_id, row.id))
            yield from _relay(response, attempt, secret, responder, request_id)
        finally:
            response.abort()

    def _upstream(self, row: StoredResponse, attempt: Attempt, secret: Secret, request: Request) -> UpstreamRequest:
        path, _, own_query = attempt.path.partition("?")
        tail = _parts(request.path)[1]
        path += "/" + quote(row.id, safe="") + (f"/{tail}" if tail else "")
        query = "&".join(part for part in (own_query, request.raw_query.decode("ascii")) if part)
        headers = auth_headers(attempt.provider, secret, attempt.credential.config, _FORMAT)
        headers += [(name.encode(), value.encode()) for name, value in attempt.provider.headers.items()]
        headers += [(b"accept", b"application/json"), (b"user-agent", self._user_agent)]
        return UpstreamRequest(
            method=request.method.encode(),
            target=Target.parse(attempt.base_url + path + (f"?{query}" if query else "")),
            headers=headers,
            trusted=attempt.trusted,
        )


def _parts(path: str) -> tuple[str, str]:
    """The id and what follows it."""
    response_id, _, tail = path.removeprefix(PREFIX).partition("/")
    return response_id, tail


def _relay(
    response: UpstreamResponse, attempt: Attempt, secret: Secret, responder: Responder, request_id: str
) -> Steps[None]:
    """Bring the provider's answer to the client as it is, but for the secret. Raises UpstreamError."""
    if not (200 <= response.status < 300 or 400 <= response.status <= 599):
        raise UpstreamError(
            f"{attempt.provider.title} answered with status {response.status}, which means nothing here."
        )
    passed: HeaderFields = [(name, scrub(value, secret)) for name, value in passed_headers(response.headers)]
    headers = receipt_headers(_FORMAT, request_id, attempt, 1, passed)
    if not (response.header(b"content-type") or b"").startswith(b"text/event-stream"):
        body = yield from whole_body(response, _ANSWER_LIMIT)
        responder.answer(response.status, headers, scrub(body, secret))
        return

    def start() -> None:
        responder.start(response.status, headers, None)

    passed_body = PassedBody(response, responder, start, lambda data: scrub(data, secret))
    try:
        yield from passed_body.steps()
    except OwnkeyError:
        if not passed_body.started:
            raise
        responder.abort()
        return
    responder.end()


def _listing(items: list[dict[str, Any]], asked: dict[str, list[str]]) -> dict[str, Any]:
    limit, order, after = (asked.get(name, [""])[-1] for name in ("limit", "order", "after"))
    if limit and not (limit.isdecimal() and 1 <= int(limit) <= _MOST_LISTED):
        raise InvalidRequest(f"limit must be a number from 1 to {_MOST_LISTED}.", param="limit")
    if order not in ("", "asc", "desc"):
        raise InvalidRequest("order must be asc or desc.", param="order")
    return page(items, ascending=order == "asc", after=after or None, limit=int(limit or 20))
