"""A sandbox without a socket: one request, one answer."""

from typing import Any
from urllib.parse import quote

import msgspec

from ownkey.domain.formats import WireFormat
from ownkey.sandbox.app import Sandbox
from ownkey.sandbox.exchange import Answer, Head, Request

Json = dict[str, Any]

PATHS = {
    WireFormat.OPENAI_CHAT: "/v1/chat/completions",
    WireFormat.OPENAI_RESPONSES: "/v1/responses",
    WireFormat.ANTHROPIC_MESSAGES: "/v1/messages",
    WireFormat.COHERE_CHAT: "/v2/chat",
    WireFormat.GEMINI: "/v1beta/models/{model}:generateContent",
    WireFormat.BEDROCK_CONVERSE: "/model/{model}/converse",
}


def send(sandbox: Sandbox, path: str, body: bytes, headers: dict[bytes, bytes] | None = None) -> tuple[int, Json]:
    """Status and JSON of the answer; a stream is 200 and an empty object."""
    fields = {b"authorization": b"Bearer sk-good-0001", b"anthropic-version": b"2023-06-01"} | (headers or {})
    head = Head(b"POST", path.encode(), fields, keep_alive=True, version_11=True)
    answer = sandbox.respond(Request(head, body))
    if not isinstance(answer, Answer):
        return 200, {}
    found = msgspec.json.decode(answer.body)
    return answer.status, found[0] if isinstance(found, list) else found


def ask(
    sandbox: Sandbox, provider: str, format_: WireFormat, model: str, body: Json, version: str = "2023-06-01"
) -> tuple[int, Json]:
    """`body` with the model where the format has it."""
    whole = body if "{model}" in PATHS[format_] else {"model": model} | body
    path = f"/{provider}" + PATHS[format_].replace("{model}", quote(model, safe=""))
    return send(sandbox, path, msgspec.json.encode(whole), {b"anthropic-version": version.encode()})
