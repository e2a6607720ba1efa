"""Bedrock behind the gateway: the SDKs of OpenAI and Anthropic talk to its models, with access keys and bearers."""

import base64
import json
from itertools import count
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from botocore import auth as botocore_auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.gateway.conftest import Workshop, until
from tests.gateway.upstream import Seen, answer
from tests.services.stack import Stack, User
from tests.wire.bedrock.conftest import stream_of, text_stream

from ownkey.gateway.net.target import Target

_numbers = count(1)
ACCESS_KEY = "AKIAGATEWAYKEY000001:gateway/secret+access/key/0123456789abcdef"
REGION = {"region": "eu-central-1"}
CLAUDE = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
MESSAGES: Any = [{"role": "user", "content": "Hello, Bedrock"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


@pytest.fixture(scope="module")
def bedrock_user(stack: Stack) -> User:
    user = stack.user("bedrock")
    user.add_key("bedrock", ACCESS_KEY, config=REGION, label="signed")
    user.add_key(
        "bedrock", "ABSKgateway0123456789abcdefghijklmnopqrstuvwxyz", config=REGION, label="bearer", priority=200
    )
    return user


@pytest.fixture
def chat(bedrock_user: User) -> Any:
    with openai.OpenAI(base_url=bedrock_user.stack.url + "/v1", api_key=bedrock_user.key, max_retries=0) as client:
        yield client.chat.completions


@pytest.fixture
def messages(bedrock_user: User) -> Any:
    with anthropic.Anthropic(base_url=bedrock_user.stack.url, api_key=bedrock_user.key, max_retries=0) as client:
        yield client.messages


@pytest.mark.parametrize("label", ["signed", "bearer"])
@pytest.mark.parametrize("model", ["echo", CLAUDE, "arn:aws:bedrock:eu-central-1:123456789012:provisioned-model/echo"])
def test_openais_sdk_asks_a_bedrock_model(chat: Any, model: str, label: str) -> None:
    reply = chat.create(model=f"bedrock/{model}", messages=MESSAGES, extra_headers={"x-ownkey-credential": label})
    assert reply.choices[0].message.content == "Hello, Bedrock"
    assert reply.choices[0].finish_reason == "stop"
    assert reply.model == model
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens > 0


def test_openais_sdk_streams(chat: Any) -> None:
    chunks = list(
        chat.create(model="bedrock/think-5", messages=MESSAGES, stream=True, stream_options={"include_usage": True})
    )
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text == "Hello, Bedrock"
    assert chunks[-1].usage.completion_tokens > 5
    details = [
        detail
        for chunk in chunks
        for choice in chunk.choices
        for detail in (choice.delta.model_extra or {}).get("reasoning_details", [])
    ]
    assert any(detail.get("signature") for detail in details)


def test_anthropics_sdk_asks_and_streams(messages: Any) -> None:
    reply = messages.create(model="bedrock/echo", max_tokens=50, messages=MESSAGES)
    assert reply.content[0].text == "Hello, Bedrock"
    assert reply.stop_reason == "end_turn"
    with messages.stream(model="bedrock/lorem-20", max_tokens=50, messages=MESSAGES) as stream:
        final = stream.get_final_message()
    assert final.usage.output_tokens == 20
    assert final.stop_reason == "end_turn"


def test_cached_tokens_reach_both_clients(chat: Any, messages: Any) -> None:
    reply = chat.create(model="bedrock/cached", messages=[{"role": "user", "content": "word " * 50}])
    details = reply.usage.prompt_tokens_details
    assert 0 < details.cached_tokens < reply.usage.prompt_tokens
    reply = messages.create(model="bedrock/cached", max_tokens=50, messages=[{"role": "user", "content": "word " * 50}])
    assert reply.usage.cache_read_input_tokens > 0
    assert reply.usage.cache_creation_input_tokens > 0


@pytest.mark.parametrize("stream", [False, True])
def test_tools_from_openais_sdk(chat: Any, stream: bool) -> None:
    tools = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in ("weather", "time")]
    asked: dict[str, Any] = {"model": "bedrock/tools", "messages": MESSAGES, "tools": tools}
    if stream:
        deltas = [c for chunk in chat.create(**asked, stream=True) for c in chunk.choices]
        calls: dict[int, list[str]] = {}
        for piece in (piece for choice in deltas for piece in choice.delta.tool_calls or ()):
            known = calls.setdefault(piece.index, ["", "", ""])
            known[0] += piece.id or ""
            known[1] += piece.function.name or ""
            known[2] += piece.function.arguments or ""
        found = [tuple(call) for call in calls.values()]
        assert deltas[-1].finish_reason == "tool_calls"
    else:
        choice = chat.create(**asked).choices[0]
        found = [(call.id, call.function.name, call.function.arguments) for call in choice.message.tool_calls]
        assert choice.finish_reason == "tool_calls"
    assert [name for _, name, _ in found] == ["weather", "time"]
    assert all("city" in json.loads(arguments) for _, _, arguments in found)
    calls_back = [{"id": id_, "type": "function", "function": {"name": n, "arguments": a}} for id_, n, a in found]
    results = [{"role": "tool", "tool_call_id": id_, "content": f"result of {name}"} for id_, name, _ in found]
    conversation = [*MESSAGES, {"role": "assistant", "tool_calls": calls_back}, *results]
    reply = chat.create(model="bedrock/tools", messages=conversation, tools=tools)
    assert reply.choices[0].message.content == "result of weather\nresult of time"


def test_a_forced_tool_and_thinking_from_anthropics_sdk(messages: Any) -> None:
    tool = {"name": "weather", "input_schema": SCHEMA}
    reply = messages.create(
        model="bedrock/tool",
        max_tokens=50,
        messages=MESSAGES,
        tools=[tool],
        tool_choice={"type": "tool", "name": "weather"},
    )
    assert (reply.stop_reason, reply.content[0].name) == ("tool_use", "weather")
    reply = messages.create(model="bedrock/think-3", max_tokens=50, messages=MESSAGES)
    thought, text = reply.content
    assert (thought.type, text.text) == ("thinking", "Hello, Bedrock")
    # The sandbox's models refuse reasoning that does not come back with its signature.
    back = [*MESSAGES, {"role": "assistant", "content": reply.content}, {"role": "user", "content": "And?"}]
    assert messages.create(model="bedrock/think-3", max_tokens=50, messages=back).content[1].text == "And?"


def test_images_and_schemas(chat: Any) -> None:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    parts = [{"type": "text", "text": "What is it?"}, image]
    with_image = chat.create(model="bedrock/echo", messages=[{"role": "user", "content": parts}])
    without = chat.create(model="bedrock/echo", messages=[{"role": "user", "content": "What is it?"}])
    assert with_image.usage.prompt_tokens > without.usage.prompt_tokens
    form = {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA, "strict": True}}
    reply = chat.create(model="bedrock/json", messages=MESSAGES, response_format=form)
    assert "city" in json.loads(reply.choices[0].message.content)


def test_limits_and_stop_sequences(chat: Any, messages: Any) -> None:
    assert chat.create(model="bedrock/lorem-20", messages=MESSAGES, max_tokens=5).choices[0].finish_reason == "length"
    reply = messages.create(model="bedrock/echo", max_tokens=50, messages=MESSAGES, stop_sequences=["Bed"])
    assert reply.content[0].text == "Hello, "
    assert reply.stop_reason == "stop_sequence"


def test_what_it_cannot_be_told_is_a_400_that_names_the_field(chat: Any) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        chat.create(model="bedrock/echo", messages=MESSAGES, n=2)
    assert raised.value.param == "n"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, openai.BadRequestError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (408, openai.APIStatusError),
        (424, openai.APIStatusError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
def test_errors_keep_their_status(chat: Any, status: int, expected: type[openai.APIStatusError], stream: bool) -> None:
    with pytest.raises(expected) as raised:
        chat.create(model=f"bedrock/error-{status}", messages=MESSAGES, stream=stream)
    assert raised.value.status_code == status
    assert raised.value.response.headers["content-type"] == "application/json"


def test_errors_inside_streams_reach_both_clients(chat: Any, messages: Any) -> None:
    for model in ("stream-error", "cut", "garbage"):
        with pytest.raises(openai.APIError):
            list(chat.create(model=f"bedrock/{model}", messages=MESSAGES, stream=True))
        with pytest.raises(anthropic.APIStatusError):
            list(messages.create(model=f"bedrock/{model}", max_tokens=50, messages=MESSAGES, stream=True))


def test_a_bad_access_key_leads_to_the_next_one(stack: Stack) -> None:
    user = stack.user("bedrock-failover")
    user.add_key("bedrock", "AKIAINVALID000000009:" + "x" * 40, config=REGION, label="bad", priority=1)
    user.add_key("bedrock", ACCESS_KEY, config=REGION, label="good", priority=2)
    reply = user.chat("bedrock/echo")
    assert reply.status_code == 200
    assert reply.headers["x-ownkey-attempts"] == "2"

    def known() -> bool:
        rows = user.api.get("/credentials").json()["items"]
        return {row["label"]: row["status"] for row in rows} == {"bad": "invalid", "good": "valid"}

    until(known, "the bad key's state")


@pytest.mark.parametrize(
    ("key", "status"),
    [
        (ACCESS_KEY, "valid"),
        (ACCESS_KEY + ":session/token+0123456789", "valid"),
        ("ABSKgateway0123456789abcdefghijklmnopqrstuvwxyz", "valid"),
        ("AKIAINVALID000000002:" + "x" * 40, "invalid"),
        ("AKIAREJECTED00000002:" + "x" * 40, "invalid"),
        ("AKIALIMITED000000002:" + "x" * 40, "rate-limited"),
        ("AKIAREVOKED000000002:" + "x" * 40, "revoked"),
    ],
)
def test_keys_are_tested_by_a_call_that_only_a_good_one_can_make(stack: Stack, key: str, status: str) -> None:
    user = stack.user(f"bedrock-check-{next(_numbers)}")
    tested = user.api.post("/credentials/test", json={"provider": "bedrock", "api_key": key, "config": REGION})
    assert tested.status_code == 200, tested.text
    assert tested.json()["status"] == status


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"api_key": "AKIA:short", "config": REGION}, "api_key"),
        ({"api_key": ACCESS_KEY, "config": {}}, "config.region"),
    ],
)
def test_what_cannot_work_is_not_stored(bedrock_user: User, fields: dict[str, Any], param: str) -> None:
    refused = bedrock_user.api.post("/credentials", json={"provider": "bedrock", "test": False} | fields)
    assert refused.status_code == 400
    assert param in refused.text
    assert "gateway/secret" not in refused.text


def test_no_part_of_an_access_key_comes_back(stack: Stack) -> None:
    secret, session = "canary/secret+0123456789abcdefghijklmnop", "canary/session+token0123456789"
    user = stack.user("bedrock-canary")
    user.add_key("bedrock", f"AKIACANARY0000000001:{secret}:{session}", config=REGION)
    for model in ("echo", "error-echo-key", "stream-echo-key", "error-500", "cut"):
        for stream in (False, True):
            try:
                reply = user.chat(f"bedrock/{model}", stream=stream)
            except httpx2.RemoteProtocolError:
                continue
            text = reply.text + str(reply.headers)
            assert not [part for part in ("AKIACANARY0000000001", secret, session) if part in text], (model, stream)
    shown = user.api.get("/credentials").text
    assert secret not in shown
    assert session not in shown


def converse_answer(text: str = "hi") -> bytes:
    return answer(
        200,
        {
            "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 3, "outputTokens": 5, "totalTokens": 8},
            "metrics": {"latencyMs": 1},
        },
    )


def recomputed(seen: Seen, url: str, secret: str, session: str | None) -> str:
    """The authorization that botocore would have written for the request as it arrived."""
    signed = seen.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    request = AWSRequest(method="POST", url=url + seen.path, data=seen.body)
    for name in signed:
        if name != "host":
            request.headers[name] = seen.headers[name]
    request.context["timestamp"] = seen.headers["x-amz-date"]
    signer = botocore_auth.SigV4Auth(Credentials("AKIAWORKSHOP00000001", secret, session), "bedrock", "eu-west-3")
    canonical = signer.canonical_request(request)
    assert signer.headers_to_sign(request)["host"] == seen.headers["host"]
    return str(signer.signature(signer.string_to_sign(request, canonical), request))


@pytest.mark.parametrize("session", [None, "session/token+0123456789=="])
def test_what_arrives_is_signed_as_botocore_signs_it(workshop: Workshop, user: User, session: str | None) -> None:
    secret = "workshop/secret+access/key0123456789"
    key = ":".join(filter(None, ("AKIAWORKSHOP00000001", secret, session)))
    user.add_key(
        "bedrock", key, base_url=f"{workshop.upstream.url}/vpc", config={"region": "eu-west-3"}, model="a.b:0/c"
    )
    for stream in (False, True):
        reply = user.chat("bedrock/a.b:0/c", "Grüße", stream=stream)
        seen = workshop.upstream.seen("AKIAWORKSHOP00000001")[-1]
        assert seen.path == "/vpc/model/a.b%3A0%2Fc/converse" + ("-stream" if stream else "")
        assert seen.headers["authorization"].endswith(recomputed(seen, workshop.upstream.url, secret, session))
        assert seen.headers.get("x-amz-security-token") == session
        assert seen.headers["accept"] == ("application/vnd.amazon.eventstream" if stream else "application/json")
        assert secret not in str(seen.headers)
        # The scripted provider answered in OpenAI's shape.
        assert reply.status_code == 502


def test_the_message_and_its_totals_are_in_the_receipt(workshop: Workshop, user: User) -> None:
    key = "ABSK-scripted-receipt-0001"
    user.add_key("bedrock", key, base_url=workshop.upstream.url, config={"region": "eu-west-3"})
    data = stream_of(*text_stream("Hel", "lo"))

    def streamed(connection: Any) -> None:
        head = (
            b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        connection.sendall(head)
        for at in range(0, len(data), 11):
            piece = data[at : at + 11]
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")

    workshop.upstream.script(key, streamed, converse_answer())
    reply = user.chat("bedrock/x.y", stream=True)
    assert '"content":"Hel"' in reply.text
    assert reply.text.rstrip().endswith("data: [DONE]")
    receipt = user.receipt(reply)
    assert (receipt["input_tokens"], receipt["output_tokens"], receipt["status"]) == (3, 5, "completed")
    sent = workshop.upstream.seen(key)[0].json()
    assert sent["messages"] == [{"role": "user", "content": [{"text": "hello"}]}]
    assert user.chat("bedrock/x.y").json()["choices"][0]["message"]["content"] == "hi"


def test_the_whole_address_that_is_signed_keeps_its_port() -> None:
    assert Target.parse("https://a.test/x?y=1").url == "https://a.test:443/x?y=1"


def test_the_eu_is_where_the_keys_region_says(stack: Stack) -> None:
    user = stack.user("bedrock-eu")
    user.add_key("bedrock", ACCESS_KEY, config={"region": "us-east-1"}, label="us")
    assert user.api.put("/preferences", json={"require_eu": True}).status_code == 200
    assert user.chat("bedrock/echo").status_code == 451
    user.add_key("bedrock", ACCESS_KEY.replace("01:", "02:"), config={"region": "eu-west-1"}, label="eu")
    assert user.chat("bedrock/echo").headers["x-ownkey-attempts"] == "1"
    assert user.chat("bedrock/global.anthropic.claude-sonnet-4-5-20250929-v1:0").status_code == 451
