"""Whatever a client asks for, in its own format, reaches each vendor's model fit, or is refused by Ownkey itself.

The vendors are the sandbox, which is strict and states their rules on its own (`sandbox/rules`); nothing here is sent
over a socket.
"""

import json
from functools import cache
from itertools import product
from typing import Any

import pytest
from tests.domain.values import NOW, a_key
from tests.gateway.fit_requests import CLIENTS, WISHES, Json
from tests.sandbox.rules.asking import send

from ownkey.domain.credential import Holdings, Preferences
from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.domain.plan import Attempt, PlanRequest, make_plan
from ownkey.domain.secret import Secret
from ownkey.gateway.edge.exchange import Request
from ownkey.gateway.outgoing import OutgoingBuilder
from ownkey.gateway.read import read_request
from ownkey.gateway.surfaces import surface_of
from ownkey.providers import load_catalogue
from ownkey.sandbox import Options
from ownkey.sandbox.app import Sandbox

MODELS = (
    *("openai/gpt-5", "openai/gpt-5.1", "openai/gpt-4o", "openai/o3"),
    *("anthropic/claude-sonnet-4-5", "anthropic/claude-opus-4-6", "anthropic/claude-opus-5-5"),
    *("gemini/gemini-2.5-pro", "gemini/gemini-2.5-flash", "gemini/gemini-2.0-flash", "gemini/gemini-3-pro-preview"),
    *("mistral/mistral-medium-2508", "groq/llama-3.3-70b-versatile", "groq/openai/gpt-oss-20b"),
    *(
        "deepseek/deepseek-chat",
        "deepseek/deepseek-reasoner",
        "deepseek/deepseek-v4-flash",
        "xai/grok-4",
        "cohere/command-a-03-2025",
    ),
    *("bedrock/eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock/eu.anthropic.claude-opus-4-6-v1"),
)
PATHS = {
    WireFormat.OPENAI_CHAT: "/v1/chat/completions",
    WireFormat.OPENAI_RESPONSES: "/v1/responses",
    WireFormat.ANTHROPIC_MESSAGES: "/v1/messages",
}
SANDBOX = Sandbox(Options())
SECRET = Secret("sk-good-0001")
BUILDER = OutgoingBuilder("test")
ADDRESS = "http://sandbox.test"
PREFERRED = Preferences(temperature=0.2, max_tokens=3000)


@cache
def attempt_for(client: WireFormat, model: str) -> Attempt:
    catalogue = load_catalogue().with_base_urls({}, sandbox_url=ADDRESS)
    key = a_key("mine", model.partition("/")[0], config={"region": "eu-west-1"} if model.startswith("bedrock") else {})
    asked = PlanRequest(model=model, client_format=client, now=NOW)
    plan = make_plan(asked, Holdings((key,)), catalogue, {})
    return plan.attempts[0]


def request_for(client: WireFormat, model: str, body: Json, *, stream: bool) -> Request:
    verb = "streamGenerateContent" if stream else "generateContent"
    path = PATHS.get(client, f"/v1beta/models/{model}:{verb}")
    fields = [(b"content-type", b"application/json"), (b"anthropic-version", b"2023-06-01")]
    return Request("POST", path, b"", fields, json.dumps(body).encode(), "", 0.0, NOW)


def outcome(client: WireFormat, model: str, body: Json, *, stream: bool, preferences: Preferences) -> str | None:
    """None when the vendor accepts what Ownkey makes of `body`, or Ownkey refuses it and names a field."""
    attempt = attempt_for(client, model)
    request = request_for(client, model, body, stream=stream)
    surface: Any = surface_of(request.path)
    try:
        outgoing = BUILDER.build(request, read_request(request, surface), attempt, preferences, SECRET)
    except InvalidRequest as error:
        return None if error.param else f"refused without a field: {error.public}"
    sent = outgoing.request
    path, _, _ = sent.target.path.decode().partition("?")
    status, found = send(SANDBOX, path, sent.body)
    return None if status == 200 else f"{status} {found}"


@pytest.mark.parametrize("client", CLIENTS, ids=str)
@pytest.mark.parametrize("model", MODELS)
def test_a_request_reaches_the_model_fit_or_is_refused_by_its_field(client: WireFormat, model: str):
    refused: dict[str, str] = {}
    for name, wish in WISHES.items():
        for stream, preferences in product((False, True), (Preferences(), PREFERRED)):
            body = CLIENTS[client](wish, model, stream)
            found = outcome(client, model, body, stream=stream, preferences=preferences)
            if found:
                refused[name] = found
    assert not refused
