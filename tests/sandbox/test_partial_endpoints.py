"""Endpoints that cannot do all, or do not tell the truth: on every path, and in OpenAI's exact errors."""

import json
from typing import Any

import pytest
from openai import AsyncOpenAI, BadRequestError
from tests.sandbox.every_format import FORMATS, NAMES, Format, ask
from tests.sandbox.raw import call, chat, events

from ownkey.sandbox import SandboxServer

CHAT = "/openai/v1/chat/completions"
USAGE = (b'"usage":{', b'"usageMetadata":{', b'"eval_count":', b"outputTokens")
every_format = pytest.mark.parametrize("wire", FORMATS, ids=NAMES)


@every_format
@pytest.mark.parametrize("stream", [False, True])
async def test_no_usage_is_told_by_no_usage(sandbox: SandboxServer, wire: Format, stream: bool):
    told = await ask(sandbox.url, wire, "echo", stream=stream)
    assert any(name in told.body for name in USAGE)
    silent = await ask(sandbox.url, wire, "no-usage", stream=stream)
    assert silent.status == 200
    assert b"three" in silent.body
    assert not any(name in silent.body for name in USAGE)


@every_format
async def test_a_liar_counts_its_tokens_ten_times(sandbox: SandboxServer, wire: Format):
    def counted(body: Any) -> float:
        usage = body.get("usage") or body.get("usageMetadata") or body
        usage = usage.get("tokens", usage)
        names = ("completion_tokens", "output_tokens", "candidatesTokenCount", "eval_count", "outputTokens")
        return next(usage[name] for name in names if name in usage)

    assert counted((await ask(sandbox.url, wire, "echo")).json) == 3
    assert counted((await ask(sandbox.url, wire, "liar")).json) == 30
    assert counted((await ask(sandbox.url, wire, "liar-4")).json) == 12


@every_format
async def test_what_does_not_stream_answers_whole(sandbox: SandboxServer, wire: Format):
    answer = await ask(sandbox.url, wire, "no-stream", stream=True)
    assert answer.headers["content-type"] == "application/json"
    assert "one two three" in json.dumps(answer.json)


@every_format
async def test_system_messages_are_refused_by_no_system(sandbox: SandboxServer, wire: Format):
    assert (await ask(sandbox.url, wire, "no-system")).status == 200
    refused = await ask(sandbox.url, wire, "no-system", system="Be brief.")
    assert refused.status == 400
    assert "does not support 'system' with this model" in refused.body.decode()


@every_format
async def test_long_prompts_pass_a_small_context(sandbox: SandboxServer, wire: Format):
    assert (await ask(sandbox.url, wire, "small-context-3")).status == 200
    refused = await ask(sandbox.url, wire, "small-context-3", "one two three four")
    assert refused.status == 400
    assert "maximum context length is 3 tokens" in refused.body.decode()


async def test_the_errors_are_openais_word_for_word(sandbox: SandboxServer):
    async def error(model: str, **more: Any) -> Any:
        answer = await call(sandbox.url, CHAT, chat(model, **more))
        assert answer.status == 400
        return answer.json["error"]

    assert await error("new-limits", max_tokens=20) == {
        "message": (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        ),
        "type": "invalid_request_error",
        "param": "max_tokens",
        "code": "unsupported_parameter",
    }
    assert await error("new-limits", temperature=0.7) == {
        "message": (
            "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) value is "
            "supported."
        ),
        "type": "invalid_request_error",
        "param": "temperature",
        "code": "unsupported_value",
    }
    assert (await error("new-limits", temperature=0))["message"].startswith(
        "Unsupported value: 'temperature' does not support 0 with"
    )
    assert await error("small-context-2") == {
        "message": (
            "This model's maximum context length is 2 tokens. However, your messages resulted in 4 tokens. Please "
            "reduce the length of the messages."
        ),
        "type": "invalid_request_error",
        "param": "messages",
        "code": "context_length_exceeded",
    }
    messages = [{"role": "user", "content": "Hi"}, {"role": "system", "content": "Be brief."}]
    assert (await error("no-system", messages=messages))["param"] == "messages[1].role"


async def test_new_limits_take_the_new_limit_and_the_default_temperature(openai_client: AsyncOpenAI):
    answer = await openai_client.chat.completions.create(
        model="new-limits",
        messages=[{"role": "user", "content": "one two three"}],
        max_completion_tokens=2,
        temperature=1,
    )
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("one two", "length")
    with pytest.raises(BadRequestError, match="max_completion_tokens"):
        await openai_client.chat.completions.create(
            model="new-limits", messages=[{"role": "user", "content": "Hi"}], max_tokens=2
        )


async def test_a_filter_steps_in_half_way_or_before_the_answer(sandbox: SandboxServer):
    half = (await call(sandbox.url, CHAT, chat("filter", "one two three four"))).json["choices"][0]
    assert (half["message"]["content"], half["finish_reason"]) == ("one two", "content_filter")
    refused = await call(sandbox.url, CHAT, chat("filter-400"))
    assert (refused.status, refused.json["error"]["code"]) == (400, "content_filter")


@every_format
async def test_an_empty_answer_is_a_success_without_content(sandbox: SandboxServer, wire: Format):
    for stream in (False, True):
        answer = await ask(sandbox.url, wire, "empty", stream=stream)
        assert answer.status == 200
        assert b"three" not in answer.body


@pytest.mark.parametrize("provider", ["openai", "custom", "openrouter"])
async def test_reasoning_stands_in_the_field_that_the_model_chooses(sandbox: SandboxServer, provider: str):
    path = f"/{provider}/v1/chat/completions"
    message = (await call(sandbox.url, path, chat("reason-3"))).json["choices"][0]["message"]
    assert message["reasoning"] == "Lorem ipsum dolor"
    assert "reasoning_content" not in message
    stream = events((await call(sandbox.url, path, chat("reason-3", stream=True))).body)[:-1]
    deltas = [event["choices"][0]["delta"] for event in stream if event["choices"]]
    assert "".join(delta.get("reasoning", "") for delta in deltas) == "Lorem ipsum dolor"


async def test_chunk_n_echoes_n_tokens_at_a_time_and_counts_them_right(sandbox: SandboxServer):
    for wire in FORMATS:
        answer = await ask(sandbox.url, wire, "chunk-2", "one two three", stream=True)
        assert b'"one two"' in answer.body
        assert b'" three"' in answer.body
        (entry,) = (await call(sandbox.url, "/__sandbox/requests?limit=1")).json["requests"]
        assert entry["tokens_sent"] == 3, wire.name
