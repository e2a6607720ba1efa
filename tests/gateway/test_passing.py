"""What is sent upstream: the client's own words, plus defaults only where the client left a field open."""

import json
from typing import Any

import pytest
from tests.gateway.conftest import Workshop
from tests.gateway.upstream import (
    DONE,
    answer,
    chat_answer,
    chunk_event,
    message_event,
    stream,
)
from tests.services.stack import User

MESSAGES = [{"role": "user", "content": "hello"}]
ANTHROPIC_ANSWER = answer(
    200,
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "hi"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 1},
    },
)


@pytest.fixture
def key(workshop: Workshop, user: User, new_key: str) -> str:
    """A key at the scripted provider, in OpenAI's format."""
    user.add_key("custom", new_key, base_url=workshop.upstream.url + "/v1")
    return new_key


@pytest.fixture
def claude(workshop: Workshop, user: User, new_key: str) -> str:
    """A key at the scripted provider, in Anthropic's format."""
    workshop.upstream.script(new_key, ANTHROPIC_ANSWER)
    user.add_key("anthropic", new_key, base_url=workshop.upstream.url)
    return new_key


def sent(workshop: Workshop, key: str) -> Any:
    return workshop.upstream.seen(key)[-1].json()


def test_a_body_passes_byte_for_byte_but_for_the_models_name(workshop: Workshop, user: User, key: str) -> None:
    body = (
        b'{"zeta": [1.50, -0.0, 1E2, 10000000000000000000001],'
        b'"unknown":{"b":1,"a":null, "\\u00e9":"\\ud83d\\ude00/\\/"},'
        b'"model":"custom/m","messages":[{"role":"user","content":"h\xc3\xa9llo  "}],"temperature":0}'
    )
    headers = {"content-type": "application/json"}
    assert user.gateway.post("/v1/chat/completions", content=body, headers=headers).status_code == 200
    raw = workshop.upstream.seen(key)[-1].body
    for value in (
        b"[1.50, -0.0, 1E2, 10000000000000000000001]",
        b'{"b":1,"a":null, "\\u00e9":"\\ud83d\\ude00/\\/"}',
        b'[{"role":"user","content":"h\xc3\xa9llo  "}]',
    ):
        assert value in raw
    assert sent(workshop, key)["model"] == "m"
    assert list(sent(workshop, key)) == ["zeta", "unknown", "model", "messages", "temperature"]


def test_unknown_fields_and_betas_pass_in_anthropics_format_too(workshop: Workshop, user: User, claude: str) -> None:
    body = b'{"model":"anthropic/claude-x","max_tokens":7,"messages":[],"new_thing":{"deep":[1.0,{"x":null}]}}'
    headers = {
        "content-type": "application/json",
        "anthropic-version": "2026-10-21",
        "anthropic-beta": "one-2026,two-2026",
        "x-other": "stays behind",
    }
    assert user.gateway.post("/v1/messages?beta=true", content=body, headers=headers).status_code == 200
    seen = workshop.upstream.seen(claude)[-1]
    assert b'"new_thing":{"deep":[1.0,{"x":null}]}' in seen.body
    assert seen.headers["anthropic-version"] == "2026-10-21"
    assert seen.headers["anthropic-beta"] == "one-2026,two-2026"
    assert "x-other" not in seen.headers


def test_a_version_is_sent_for_a_client_that_names_none(workshop: Workshop, user: User, claude: str) -> None:
    assert user.chat("anthropic/claude-x", max_tokens=5).status_code == 200
    assert workshop.upstream.seen(claude)[-1].headers["anthropic-version"] == "2023-06-01"


def test_nothing_of_the_clients_identity_goes_upstream(workshop: Workshop, user: User, key: str) -> None:
    headers = {
        "cookie": "session=1",
        "x-api-key": user.key,
        "openai-organization": "org-client",
        "x-forwarded-for": "1.2.3.4",
        "x-ownkey-credential": "Custom endpoint",
    }
    assert user.chat("custom/m", headers=headers).status_code == 200
    seen = workshop.upstream.seen(key)[-1]
    assert seen.headers["authorization"] == f"Bearer {key}"
    assert user.key not in str(seen.headers)
    assert user.key.encode() not in seen.body
    assert not {"cookie", "x-api-key", "openai-organization", "x-forwarded-for", "x-ownkey-credential"} & set(
        seen.headers
    )
    assert set(seen.headers) <= {
        "host",
        "accept-encoding",
        "authorization",
        "content-type",
        "user-agent",
        "accept",
        "content-length",
    }


def test_an_address_in_the_body_is_only_a_field(workshop: Workshop, user: User, key: str) -> None:
    elsewhere = {"api_base": workshop.dead, "base_url": workshop.dead, "api_key": "sk-stolen"}
    answered = user.chat("custom/m", **elsewhere, extra_body=elsewhere)
    assert answered.status_code == 200
    assert sent(workshop, key)["api_base"] == workshop.dead


def prefer(user: User, **preferences: object) -> None:
    assert user.api.put("/preferences", json=preferences).status_code == 200


def test_preferences_fill_what_the_client_left_open(workshop: Workshop, user: User, key: str) -> None:
    prefer(user, model="custom/favourite", temperature=0.7, max_tokens=321)
    assert user.chat("default").status_code == 200
    body = sent(workshop, key)
    assert (body["model"], body["temperature"]) == ("favourite", 0.7)
    assert body.get("max_tokens", body.get("max_completion_tokens")) == 321


def test_what_the_client_sends_wins_and_zero_is_a_value(workshop: Workshop, user: User, key: str) -> None:
    prefer(user, model="custom/favourite", temperature=0.7, max_tokens=321)
    assert user.chat("custom/m", temperature=0, max_completion_tokens=5).status_code == 200
    body = sent(workshop, key)
    assert (body["model"], body["temperature"], body["max_completion_tokens"]) == ("m", 0, 5)
    assert "max_tokens" not in body


def test_preferences_reach_translated_requests(workshop: Workshop, user: User, claude: str) -> None:
    prefer(user, temperature=0.7, max_tokens=321)
    assert user.chat("anthropic/claude-x").status_code == 200
    body = sent(workshop, claude)
    assert (body["temperature"], body["max_tokens"]) == (0.7, 321)
    assert user.chat("anthropic/claude-x", temperature=0, max_tokens=9).status_code == 200
    body = sent(workshop, claude)
    assert (body["temperature"], body["max_tokens"]) == (0, 9)


def test_preferences_reach_messages_and_not_embeddings(workshop: Workshop, user: User, claude: str) -> None:
    prefer(user, temperature=0.7, max_tokens=321)
    body = {"model": "anthropic/claude-x", "messages": MESSAGES}
    assert user.gateway.post("/v1/messages", json=body).status_code == 200
    assert (sent(workshop, claude)["temperature"], sent(workshop, claude)["max_tokens"]) == (0.7, 321)
    embedding = answer(200, {"object": "list", "data": [], "usage": {"prompt_tokens": 1, "total_tokens": 1}})
    key = f"{claude}-embeddings"
    workshop.upstream.script(key, embedding)
    user.add_key("custom", key, base_url=workshop.upstream.url + "/v1")
    assert user.gateway.post("/v1/embeddings", json={"model": "custom/e", "input": "x"}).status_code == 200
    assert sent(workshop, key) == {"model": "e", "input": "x"}


def test_no_default_model_is_said_plainly(user: User) -> None:
    answered = user.chat("default")
    assert answered.status_code == 404
    assert "default" in answered.json()["error"]["message"]


USAGE = chunk_event(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5})


def read_stream(user: User, model: str, **more: Any) -> bytes:
    body = {"model": model, "messages": MESSAGES, "stream": True} | more
    with user.gateway.stream("POST", "/v1/chat/completions", json=body) as answered:
        assert answered.status_code == 200
        assert answered.headers["content-type"].startswith("text/event-stream")
        return answered.read()


@pytest.mark.parametrize("options", [None, {"include_obfuscation": False}, {"include_usage": False}])
def test_usage_is_asked_for_and_not_shown_to_a_client_that_did_not_ask(
    workshop: Workshop, user: User, key: str, options: dict[str, bool] | None
) -> None:
    workshop.upstream.script(key, stream([chunk_event("a"), chunk_event("b"), USAGE, DONE]))
    received = read_stream(user, "custom/m", **({"stream_options": options} if options else {}))
    assert received == chunk_event("a") + chunk_event("b") + DONE
    assert sent(workshop, key)["stream_options"] == (options or {}) | {"include_usage": True}
    row = user.api.get("/requests").json()["items"][0]
    assert (row["input_tokens"], row["output_tokens"], row["usage_reported"]) == (3, 2, True)


def test_usage_is_shown_to_a_client_that_asked(workshop: Workshop, user: User, key: str) -> None:
    workshop.upstream.script(key, stream([chunk_event("a"), USAGE, DONE]))
    received = read_stream(user, "custom/m", stream_options={"include_usage": True})
    assert received == chunk_event("a") + USAGE + DONE


def test_usage_in_the_same_packet_is_taken_out_as_well(workshop: Workshop, user: User, key: str) -> None:
    whole = chunk_event("a") + chunk_event("b") + USAGE + DONE
    for cut in (1, len(whole) // 2, len(whole) - 3):
        workshop.upstream.script(key, stream([whole[:cut], whole[cut:]]))
        assert read_stream(user, "custom/m") == chunk_event("a") + chunk_event("b") + DONE


def test_a_message_stream_passes_byte_for_byte(workshop: Workshop, user: User, claude: str) -> None:
    events = [
        message_event("message_start", message={"usage": {"input_tokens": 4, "output_tokens": 1}}),
        message_event("ping"),
        message_event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        message_event("content_block_delta", index=0, delta={"type": "text_delta", "text": "hi"}),
        message_event("something_new", index=0),
        message_event("content_block_stop", index=0),
        message_event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 6}),
        message_event("message_stop"),
    ]
    whole = b"".join(events)
    for pieces in (events, [whole], [whole[:37], whole[37:200], whole[200:]]):
        workshop.upstream.script(claude, stream(pieces))
        body = {"model": "anthropic/claude-x", "max_tokens": 9, "stream": True, "messages": MESSAGES}
        assert user.gateway.post("/v1/messages", json=body).content == whole
        row = user.api.get("/requests").json()["items"][0]
        assert (row["status"], row["input_tokens"], row["output_tokens"]) == ("completed", 4, 6)
        assert row["ttft_ms"] is not None


def test_an_answer_passes_byte_for_byte_with_the_providers_own_headers(
    workshop: Workshop, user: User, key: str
) -> None:
    content = json.dumps({"choices": [], "usage": {"prompt_tokens": 1}, "new": [1.50]}, indent=3).encode()
    workshop.upstream.script(
        key,
        answer(
            200,
            content,
            "x-request-id: upstream-id",
            "x-ratelimit-remaining-requests: 7",
            "set-cookie: a=b",
            "server: secret",
            "x-ownkey-payer: platform",
        ),
    )
    answered = user.chat("custom/m")
    assert answered.content == content
    assert answered.headers["x-request-id"] == "upstream-id"
    assert answered.headers["x-ratelimit-remaining-requests"] == "7"
    assert answered.headers["x-ownkey-payer"] == "user"
    assert not {"set-cookie", "server"} & set(answered.headers)


def test_our_own_request_id_stands_where_the_provider_gave_none(workshop: Workshop, user: User, key: str) -> None:
    answered = user.chat("custom/m")
    assert answered.headers["x-request-id"] == answered.headers["x-ownkey-request-id"]
    workshop.upstream.script(key, chat_answer())
    body = {"model": "custom/m", "max_tokens": 5, "messages": MESSAGES}
    translated = user.gateway.post("/v1/messages", json=body)
    assert translated.headers["request-id"] == translated.headers["x-ownkey-request-id"]
    assert "x-request-id" not in translated.headers


NOT_ANSWERS = {
    "empty": b"",
    "text": b"upstream connect error",
    "array": b"[]",
    "string": b'"hello"',
    "half": b'{"choices":[{"mess',
    "not utf-8": b'{"a":"\xff"}',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", NOT_ANSWERS.values(), ids=NOT_ANSWERS.keys())
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_what_is_no_json_object_is_no_answer(
    workshop: Workshop, user: User, key: str, content: bytes, path: str
) -> None:
    workshop.upstream.script(key, answer(200, content))
    answered = user.gateway.post(path, json={"model": "custom/m", "max_tokens": 5, "messages": MESSAGES})
    assert answered.status_code == 502
    told = answered.json()["error"]
    assert told.get("code", told["type"]) in ("upstream_error", "api_error")
    assert user.receipt(answered)["status"] == "failed"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("streamed", [False, True])
def test_an_error_in_a_200_is_told_as_an_error_without_the_key(
    workshop: Workshop, user: User, key: str, path: str, streamed: bool
) -> None:
    told = {"error": {"message": f"bad key {key}", "type": "invalid_request_error", "code": "invalid_api_key"}}
    workshop.upstream.script(key, answer(200, told))
    body = {"model": "custom/m", "max_tokens": 5, "stream": streamed, "messages": MESSAGES}
    answered = user.gateway.post(path, json=body)
    assert answered.status_code == 401
    assert answered.json()["error"]["message"] == "bad key [redacted]"
    assert user.receipt(answered)["status"] == "failed"


def test_a_json_answer_without_a_content_type_is_announced_as_json(workshop: Workshop, user: User, key: str) -> None:
    workshop.upstream.script(
        key, answer(200, {"choices": []}, kind=""), answer(200, {"choices": []}, kind="text/plain")
    )
    for _ in range(2):
        assert user.chat("custom/m").headers["content-type"] == "application/json"
