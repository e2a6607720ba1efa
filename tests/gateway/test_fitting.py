"""A request arrives as its model accepts it, whichever way it came, and Ownkey mends what it added itself."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.gateway.conftest import Workshop
from tests.gateway.test_passing import ANTHROPIC_ANSWER
from tests.gateway.upstream import DONE, answer, chat_answer, chunk_event, stream
from tests.services.stack import User

HELLO = [{"role": "user", "content": "hello"}]
TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {}}}}
GEMINI_ANSWER = answer(
    200,
    {
        "candidates": [{"content": {"role": "model", "parts": [{"text": "ok"}]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 1, "totalTokenCount": 4},
    },
)
ENDED = {"index": 0, "delta": {}, "finish_reason": "stop"}
Connect = Callable[..., str]


@pytest.fixture
def connect(workshop: Workshop, user: User, new_key: str) -> Connect:
    """Adds a key of a provider of the catalogue, at the scripted upstream with the given replies."""

    def connected(provider: str, *replies: Any) -> str:
        workshop.upstream.script(new_key, *replies)
        user.add_key(provider, new_key, base_url=workshop.upstream.url)
        return new_key

    return connected


def sent(workshop: Workshop, key: str) -> list[Any]:
    return [request.json() for request in workshop.upstream.seen(key)]


def refusal(status: int, field: str, *, fastapi: bool = False) -> bytes:
    """A provider's error that names a field, as OpenAI or as pydantic writes it."""
    if fastapi:
        detail = [{"type": "extra_forbidden", "loc": ["body", field], "msg": "Extra inputs are not permitted"}]
        return answer(status, {"object": "error", "message": {"detail": detail}, "type": "invalid_request_error"})
    error = {"message": f"Unsupported parameter: '{field}'", "type": "invalid_request_error", "param": field}
    return answer(status, {"error": error | {"code": "unsupported_parameter"}})


def prefer(user: User, **preferences: Any) -> None:
    assert user.api.put("/preferences", json=preferences).status_code == 200


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_a_stream_of_mistral_is_not_asked_for_usage(
    workshop: Workshop, user: User, connect: Connect, path: str
) -> None:
    usage = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
    key = connect("mistral", stream([chunk_event("hi"), chunk_event(choices=[ENDED], usage=usage), DONE]))
    body = {"model": "mistral/mistral-medium-latest", "max_tokens": 9, "stream": True, "messages": HELLO}
    answered = user.gateway.post(path, json=body)
    assert answered.status_code == 200, answered.text
    assert "stream_options" not in sent(workshop, key)[-1]
    receipt = user.receipt(answered)
    assert (receipt["input_tokens"], receipt["output_tokens"], receipt["adaptations"]) == (11, 3, [])


def test_fields_that_mistral_does_not_know(workshop: Workshop, user: User, connect: Connect) -> None:
    key = connect("mistral", chat_answer())
    replayed = {"role": "assistant", "content": "4", "reasoning_content": "hm", "reasoning_details": []}
    body = {"model": "mistral/mistral-medium-latest", "messages": [*HELLO, replayed, *HELLO], "user": "u", "seed": 7}
    answered = user.gateway.post("/v1/chat/completions", json=body)
    assert answered.status_code == 200, answered.text
    assert sent(workshop, key)[-1] == {
        "model": "mistral-medium-latest",
        "messages": [*HELLO, {"role": "assistant", "content": "4"}, *HELLO],
        "random_seed": 7,
    }
    assert set(user.receipt(answered)["adaptations"]) == {"user", "seed", "reasoning_content", "reasoning_details"}
    google = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "generationConfig": {"seed": 7}}
    translated = user.gateway.post("/v1beta/models/mistral%2Fmistral-medium-latest:generateContent", json=google)
    assert translated.status_code == 200, translated.text
    assert sent(workshop, key)[-1]["random_seed"] == 7


@pytest.mark.parametrize(
    ("model", "path", "more", "version"),
    [
        ("openai/gpt-5", "/v1/chat/completions", {}, None),
        ("openai/o3", "/v1/chat/completions", {}, None),
        ("anthropic/claude-sonnet-4-6", "/v1/messages", {"thinking": {"type": "adaptive"}}, None),
        (
            "anthropic/claude-sonnet-4-6",
            "/v1/messages",
            {"thinking": {"type": "enabled", "budget_tokens": 1024}},
            None,
        ),
        ("anthropic/claude-sonnet-4-6", "/v1/chat/completions", {"reasoning_effort": "high"}, None),
        ("anthropic/claude-sonnet-4-6", "/v1/messages", {}, "2026-10-21"),
        ("anthropic/claude-sonnet-5", "/v1/messages", {}, None),
    ],
)
def test_a_preferred_temperature_never_makes_a_request_fail(
    workshop: Workshop, user: User, connect: Connect, model: str, path: str, more: dict[str, Any], version: str | None
) -> None:
    provider = model.partition("/")[0]
    key = connect(provider, ANTHROPIC_ANSWER if provider == "anthropic" else chat_answer())
    prefer(user, temperature=0.2)
    headers = {} if version is None else {"anthropic-version": version}
    body = {"model": model, "messages": HELLO} | ({"max_tokens": 4000} if path == "/v1/messages" else {})
    answered = user.gateway.post(path, json=body | more, headers=headers)
    assert answered.status_code == 200, answered.text
    assert "temperature" not in sent(workshop, key)[-1]
    assert user.receipt(answered)["adaptations"] == [], "the client asked for no temperature"


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "find"}}])
def test_a_forced_tool_comes_before_thinking(workshop: Workshop, user: User, connect: Connect, choice: Any) -> None:
    key = connect("anthropic", ANTHROPIC_ANSWER)
    asked = {"tools": [TOOL], "tool_choice": choice, "reasoning_effort": "medium", "messages": HELLO}
    answered = user.gateway.post("/v1/chat/completions", json=asked | {"model": "anthropic/claude-sonnet-4-5"})
    assert answered.status_code == 200, answered.text
    body = sent(workshop, key)[-1]
    assert "thinking" not in body
    assert body["tool_choice"]["type"] in ("any", "tool")
    assert body["max_tokens"] == 64000, "the model's own largest output"
    assert user.receipt(answered)["adaptations"] == ["reasoning_effort"]


@pytest.mark.parametrize(("model", "budget"), [("gemini-2.5-pro", 128), ("gemini-2.5-flash", 0)])
def test_thinking_that_cannot_be_turned_off_is_the_least(
    workshop: Workshop, user: User, connect: Connect, model: str, budget: int
) -> None:
    key = connect("gemini", GEMINI_ANSWER)
    body = {"model": f"gemini/{model}", "max_tokens": 2000, "messages": HELLO, "thinking": {"type": "disabled"}}
    answered = user.gateway.post("/v1/messages", json=body)
    assert answered.status_code == 200, answered.text
    assert sent(workshop, key)[-1]["generationConfig"]["thinkingConfig"] == {"thinkingBudget": budget}
    assert user.receipt(answered)["adaptations"] == (["thinking"] if budget else [])


def test_reasoning_goes_back_to_deepseek(workshop: Workshop, user: User, connect: Connect) -> None:
    key = connect("deepseek", chat_answer())
    items = [
        {"role": "user", "content": "Which shelf?"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Look it up."}]},
        {"type": "function_call", "call_id": "c", "name": "find", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "4"},
    ]
    body = {"model": "deepseek/deepseek-reasoner", "input": items, "store": False}
    answered = user.gateway.post("/v1/responses", json=body)
    assert answered.status_code == 200, answered.text
    assert sent(workshop, key)[-1]["messages"][1]["reasoning_content"] == "Look it up."


def test_an_alias_of_a_media_type(workshop: Workshop, user: User, connect: Connect) -> None:
    key = connect("anthropic", ANTHROPIC_ANSWER)
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/jpg", "data": "/9j/4AAQ"}}
    body = {"model": "anthropic/claude-sonnet-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": [image]}]}
    assert user.gateway.post("/v1/messages", json=body).status_code == 200
    assert sent(workshop, key)[-1]["messages"][0]["content"][0]["source"]["media_type"] == "image/jpeg"


def test_a_strict_client_gets_an_error_instead_of_an_adaptation(
    workshop: Workshop, user: User, connect: Connect
) -> None:
    key = connect("openai", chat_answer())
    prefer(user, temperature=0.2)
    strict = {"x-ownkey-strict": "true"}
    body: dict[str, Any] = {"model": "openai/gpt-5", "messages": HELLO}
    # What Ownkey adds is left out, and is no reason to refuse.
    assert user.gateway.post("/v1/chat/completions", json=body, headers=strict).status_code == 200
    refused = user.gateway.post("/v1/chat/completions", json=body | {"max_tokens": 5}, headers=strict)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "max_tokens")
    claude = {"model": "openai/gpt-5", "messages": HELLO, "max_tokens": 5, "temperature": 0.3}
    translated = user.gateway.post("/v1/messages", json=claude, headers=strict)
    assert translated.status_code == 400
    assert translated.json()["error"]["message"].startswith("temperature ")
    assert user.gateway.post("/v1/messages", json=claude).status_code == 200
    wrong = user.gateway.post("/v1/chat/completions", json=body, headers={"x-ownkey-strict": "yes"})
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "x-ownkey-strict")
    assert len(sent(workshop, key)) == 2


@pytest.mark.parametrize(("status", "fastapi"), [(400, False), (422, True)])
def test_a_field_of_ours_that_is_rejected_is_left_out_and_remembered(
    workshop: Workshop, user: User, connect: Connect, status: int, fastapi: bool
) -> None:
    good = stream([chunk_event("hi"), chunk_event(choices=[ENDED]), DONE])
    key = connect("custom", refusal(status, "stream_options", fastapi=fastapi), good)
    body = {"model": f"custom/healing-{status}", "messages": HELLO, "stream": True}
    answered = user.gateway.post("/v1/chat/completions", json=body)
    assert (answered.status_code, answered.headers["x-ownkey-attempts"]) == (200, "2"), answered.text
    first, second = sent(workshop, key)
    assert first.pop("stream_options") == {"include_usage": True}
    assert first == second
    made = user.receipt(answered)["attempts_made"]
    assert [(each["outcome"], each["status"]) for each in made] == [("field_rejected", status), ("answered", 200)]
    assert user.gateway.post("/v1/chat/completions", json=body).headers["x-ownkey-attempts"] == "1"
    assert "stream_options" not in sent(workshop, key)[-1]
    with workshop.session() as operator:
        learned = operator.get("/models/facts").json()["learned"]
    assert ("custom", f"healing-{status}", "stream_options") in [
        (fact["provider"], fact["model"], fact["field"]) for fact in learned
    ]
    assert user.api.get("/models/facts").json()["learned"] == [], "what others' endpoints taught is for operators"


def test_a_provider_that_never_accepts_is_asked_once_more_and_no_further(
    workshop: Workshop, user: User, connect: Connect
) -> None:
    key = connect("custom", refusal(400, "temperature"))
    prefer(user, temperature=0.2)
    answered = user.gateway.post("/v1/chat/completions", json={"model": "custom/never", "messages": HELLO})
    assert (answered.status_code, len(sent(workshop, key))) == (400, 2)
    assert "temperature" not in sent(workshop, key)[-1]
    assert answered.json()["error"]["param"] == "temperature"
    # Nothing was learned from an error that stays without the field.
    user.gateway.post("/v1/chat/completions", json={"model": "custom/never", "messages": HELLO})
    assert sent(workshop, key)[2]["temperature"] == 0.2


@pytest.mark.parametrize(
    ("field", "more"),
    [("temperature", {"temperature": 0.2}), ("seed", {"seed": 7}), ("messages", {})],
)
def test_a_field_of_the_clients_is_never_taken_out(
    workshop: Workshop, user: User, connect: Connect, field: str, more: dict[str, Any]
) -> None:
    key = connect("custom", refusal(400, field))
    body = {"model": "custom/clients", "messages": HELLO} | more
    answered: httpx2.Response = user.gateway.post("/v1/chat/completions", json=body)
    assert (answered.status_code, len(sent(workshop, key))) == (400, 1)
    assert json.loads(answered.text)["error"]["param"] == field


def test_an_explanation_names_what_each_attempt_would_adapt(user: User, connect: Connect) -> None:
    connect("openai", chat_answer())
    request = {"messages": HELLO, "max_tokens": 5, "temperature": 0.3}
    asked: dict[str, Any] = {"model": "openai/gpt-5", "request": request}
    (attempt,) = user.api.post("/route/explain", json=asked).json()["attempts"]
    assert (sorted(attempt["adaptations"]), attempt["unsupported"]) == (["max_tokens", "temperature"], None)
    claude = asked | {"format": "anthropic_messages", "request": request | {"inference_geo": "eu"}}
    (attempt,) = user.api.post("/route/explain", json=claude).json()["attempts"]
    assert attempt["unsupported"] == "inference_geo"
    (attempt,) = user.api.post("/route/explain", json={"model": "openai/gpt-5"}).json()["attempts"]
    assert attempt["adaptations"] == []
