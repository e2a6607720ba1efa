"""What providers say an answer cost, in each place and unit that one of them uses."""

import json
from typing import Any

import pytest

from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire import FORMATS
from ownkey.wire.registry import PROVIDER_CHATS

TOKENS = {
    WireFormat.OPENAI_CHAT: {"prompt_tokens": 70, "completion_tokens": 20, "total_tokens": 90},
    WireFormat.OPENAI_RESPONSES: {"input_tokens": 70, "output_tokens": 20, "total_tokens": 90},
    WireFormat.ANTHROPIC_MESSAGES: {"input_tokens": 70, "output_tokens": 20},
    WireFormat.OPENAI_EMBEDDINGS: {"prompt_tokens": 70, "total_tokens": 90},
    WireFormat.OPENAI_IMAGES: {"input_tokens": 70, "output_tokens": 20},
    WireFormat.RERANK: {"prompt_tokens": 70},
}
STATED: list[tuple[dict[str, Any], int | None]] = [
    ({}, None),
    ({"cost": 0.0123, "is_byok": False}, 12_300_000),
    ({"cost": 0.95, "cost_details": {"upstream_inference_cost": None}}, 950_000_000),
    ({"cost": 0.0123, "cost_details": {"upstream_inference_cost": 0.0123}}, 12_300_000),
    ({"cost": 0.05, "is_byok": True, "cost_details": {"upstream_inference_cost": 1.0}}, 1_050_000_000),
    ({"cost": 0, "is_byok": True}, None),
    ({"cost": 0}, 0),
    ({"cost": 1e-10}, 1),
    ({"cost": {"input_tokens_cost": 0.1, "request_cost": 0.005, "total_cost": 0.105}}, 105_000_000),
    ({"cost": {"currency": "USD", "total_cost": 0.2}}, 200_000_000),
    ({"cost_in_usd_ticks": 37_756_000}, 3_775_600),
    ({"cost_in_usd_ticks": 1}, 1),
    ({"estimated_cost": 0.00002}, 20_000),
    ({"cost": -1}, None),
    ({"cost": "0.5"}, None),
    ({"cost": True}, None),
    ({"cost": 1e12}, None),
    ({"cost": {"total_cost": "x"}}, None),
    ({"cost": []}, None),
]


@pytest.mark.parametrize("format_", TOKENS)
@pytest.mark.parametrize(("stated", "nano"), STATED)
def test_each_format_reads_what_its_providers_state(format_: WireFormat, stated: dict[str, Any], nano: int) -> None:
    usage = FORMATS[format_].usage_of(json.dumps({"usage": TOKENS[format_] | stated}).encode())
    assert usage is not None
    assert (usage.input_tokens, usage.cost) == (70, nano)


@pytest.mark.parametrize("format_", [WireFormat.OPENAI_CHAT, WireFormat.OPENAI_IMAGES, WireFormat.OPENAI_RESPONSES])
def test_a_cost_alone_is_a_report(format_: WireFormat) -> None:
    body = b'{"usage":{"cost_in_usd_ticks":400000000}}'
    assert FORMATS[format_].usage_of(body) == Usage(cost=40_000_000)


def test_streams_state_it_too() -> None:
    event = b'data: {"choices":[],"usage":{"prompt_tokens":70,"completion_tokens":20,"cost":0.0123}}\n\n'
    observer, reader = FORMATS[WireFormat.OPENAI_CHAT].observer(True), PROVIDER_CHATS[WireFormat.OPENAI_CHAT].reader()
    observer.feed(event)
    reader.feed(event)
    assert observer.usage == reader.usage == Usage(70, 20, cost=12_300_000)


WRITES = {"ephemeral_5m_input_tokens": 10_000, "ephemeral_1h_input_tokens": 20_000}


def test_anthropic_tells_cache_writes_of_an_hour_apart() -> None:
    counts = {"input_tokens": 10, "cache_creation_input_tokens": 30_000, "output_tokens": 100, "cache_creation": WRITES}
    messages = FORMATS[WireFormat.ANTHROPIC_MESSAGES]
    expected = Usage(30_010, 100, 0, 30_000, cache_write_hour_tokens=20_000)
    assert messages.usage_of(json.dumps({"usage": counts}).encode()) == expected
    start = {"type": "message_start", "message": {"id": "m", "model": "c", "usage": counts | {"output_tokens": 1}}}
    delta = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 100}}
    observer, reader = messages.observer(True), PROVIDER_CHATS[WireFormat.ANTHROPIC_MESSAGES].reader()
    for event in (start, delta):
        data = b"data: " + json.dumps(event).encode() + b"\n\n"
        observer.feed(data)
        reader.feed(data)
    assert observer.usage == reader.usage == expected


def test_bedrock_tells_cache_writes_of_an_hour_apart() -> None:
    details = [{"ttl": "5m", "inputTokens": 10_000}, {"ttl": "1h", "inputTokens": 20_000}]
    usage = {"inputTokens": 10, "outputTokens": 100, "cacheWriteInputTokens": 30_000, "cacheDetails": details}
    body = {"output": {"message": {"role": "assistant", "content": [{"text": "ok"}]}}, "stopReason": "end_turn"}
    answer = PROVIDER_CHATS[WireFormat.BEDROCK_CONVERSE].read_answer(json.dumps(body | {"usage": usage}).encode())
    assert answer.usage == Usage(30_010, 100, 0, 30_000, cache_write_hour_tokens=20_000)
