"""Servers that answer a stream's request with one object, or stream what nobody asked them to stream."""

import json
from typing import Any

import pytest
from tests.gateway.conftest import Workshop
from tests.gateway.test_streams import CHAT_STREAM, ENDINGS, MESSAGE_STREAM, asked_by, latest
from tests.gateway.upstream import DONE, Reply, answer, chunk_event, stream
from tests.services.stack import User

CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"shelf":4}'}}
MESSAGE: dict[str, Any] = {"role": "assistant", "content": "three", "reasoning_content": "hm"}
USAGE = {"prompt_tokens": 30, "completion_tokens": 20, "total_tokens": 50}
CHAT_WHOLE: dict[str, Any] = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": MESSAGE, "text": "three", "finish_reason": "stop"}],
    "usage": USAGE,
}
MESSAGE_WHOLE: dict[str, Any] = {
    "id": "m1",
    "type": "message",
    "role": "assistant",
    "model": "c",
    "content": [{"type": "text", "text": "three"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 30, "output_tokens": 20},
}


def keyed(workshop: Workshop, user: User, new_key: str, provider: str, reply: Reply) -> str:
    """Have the provider answer so; the model to ask for."""
    workshop.upstream.script(new_key, reply)
    if provider == "anthropic":
        user.add_key("anthropic", new_key, base_url=workshop.upstream.url)
        return "anthropic/claude-x"
    user.add_key("custom", new_key, base_url=workshop.upstream.url + "/v1")
    return "custom/m"


def counted(user: User) -> tuple[Any, ...]:
    row = latest(user)
    return row["status"], row["input_tokens"], row["output_tokens"], row["usage_reported"]


@pytest.mark.parametrize("path", ENDINGS)
@pytest.mark.parametrize("provider", ["custom", "anthropic"])
@pytest.mark.parametrize("kind", ["application/json", ""])
def test_an_object_in_answer_to_a_stream_is_streamed(
    workshop: Workshop, user: User, new_key: str, path: str, provider: str, kind: str
) -> None:
    whole = MESSAGE_WHOLE if provider == "anthropic" else CHAT_WHOLE
    model = keyed(workshop, user, new_key, provider, answer(200, json.dumps(whole, indent=1).encode(), kind=kind))
    address, body = asked_by(path, model)
    received = user.gateway.post(address, json=body)
    assert received.status_code == 200
    assert received.headers["content-type"].startswith("text/event-stream")
    assert b"three" in received.content
    assert ENDINGS[path] in received.content
    assert counted(user) == ("completed", 30, 20, True)


@pytest.mark.parametrize("path", [path for path in ENDINGS if path != "/v1/completions"])
@pytest.mark.parametrize("provider", ["custom", "anthropic"])
def test_events_in_answer_to_none_are_put_together(
    workshop: Workshop, user: User, new_key: str, path: str, provider: str
) -> None:
    events = MESSAGE_STREAM if provider == "anthropic" else CHAT_STREAM
    model = keyed(workshop, user, new_key, provider, stream(events))
    address, body = asked_by(path, model, streamed=False)
    received = user.gateway.post(address, json=body)
    assert received.status_code == 200
    assert received.headers["content-type"] == "application/json"
    assert "one two three" in json.dumps(received.json())
    assert counted(user) == ("completed", 30, 20, True)


def test_events_of_a_wrong_kind_still_stream(workshop: Workshop, user: User, new_key: str) -> None:
    model = keyed(workshop, user, new_key, "custom", answer(200, b"".join(CHAT_STREAM)))
    address, body = asked_by("/v1/chat/completions", model)
    received = user.gateway.post(address, json=body | {"stream_options": {"include_usage": True}})
    assert received.content == b"".join(CHAT_STREAM)
    assert counted(user) == ("completed", 30, 20, True)


@pytest.mark.parametrize("path", ENDINGS)
@pytest.mark.parametrize("streamed", [True, False])
def test_an_error_in_the_wrong_shape_is_told_as_one(
    workshop: Workshop, user: User, new_key: str, path: str, streamed: bool
) -> None:
    error = {"error": {"message": "busy", "code": 503}}
    odd: Reply = answer(200, error) if streamed else stream([b"data: " + json.dumps(error).encode() + b"\n\n"])
    model = keyed(workshop, user, new_key, "custom", odd)
    address, body = asked_by(path, model, streamed)
    received = user.gateway.post(address, json=body)
    if path == "/v1/completions" and not streamed:
        assert received.status_code == 502
    else:
        assert (received.status_code, "busy" in received.text) == (503, True)
    assert latest(user)["status"] == "failed"


def test_an_anthropic_client_is_told_an_estimate_first_and_the_count_last(
    workshop: Workshop, user: User, new_key: str
) -> None:
    model = keyed(workshop, user, new_key, "custom", stream(CHAT_STREAM))
    address, body = asked_by("/v1/messages", model)
    received = user.gateway.post(address, json=body).text
    told = [json.loads(line[6:]) for line in received.splitlines() if line.startswith("data: ")]
    assert 0 < told[0]["message"]["usage"]["input_tokens"] < 100
    assert told[-2]["usage"]["input_tokens"] == 30


@pytest.mark.parametrize(("provider", "kept"), [("openrouter", True), ("custom", False)])
def test_usage_that_a_provider_sends_unasked_is_its_clients(
    workshop: Workshop, user: User, new_key: str, provider: str, kept: bool
) -> None:
    """OpenRouter always sends it, with the cost; elsewhere it comes because Ownkey asked."""
    last = chunk_event(choices=[], usage=USAGE | {"cost": 0.0123})
    workshop.upstream.script(new_key, stream([*CHAT_STREAM[:-2], last, DONE]))
    user.add_key(provider, new_key, base_url=workshop.upstream.url + "/v1")
    address, body = asked_by("/v1/chat/completions", f"{provider}/some/model")
    received = user.gateway.post(address, json=body)
    assert (last in received.content) is kept
    assert ("stream_options" in workshop.upstream.seen(new_key)[-1].json()) is not kept
