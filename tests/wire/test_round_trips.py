"""A request written in the format it was read from means the same."""

import json
from typing import Any

from ownkey.domain.formats import WireFormat
from ownkey.wire import CHAT_FORMATS

CHAT = CHAT_FORMATS[WireFormat.OPENAI_CHAT].requests


MESSAGES = CHAT_FORMATS[WireFormat.ANTHROPIC_MESSAGES].requests


CHAT_REQUEST: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "One."},
        {
            "role": "user",
            "name": "Ann",
            "content": [
                {"type": "text", "text": "See"},
                {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1.0}'}},
                {"id": "b", "type": "function", "function": {"name": "f", "arguments": "not json"}},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "r"},
        {
            "role": "tool",
            "tool_call_id": "b",
            "content": [{"type": "text", "text": "1"}, {"type": "text", "text": "2"}],
        },
        {"role": "system", "content": "Two."},
        {"role": "assistant", "content": "Hm", "refusal": "no"},
    ],
    "tools": [
        {
            "type": "function",
            "function": {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": False},
        }
    ],
    "tool_choice": {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]},
    },
    "parallel_tool_calls": True,
    "temperature": 1.5,
    "top_p": 0.5,
    "frequency_penalty": 0.1,
    "presence_penalty": -0.1,
    "logit_bias": {"5": -100.0},
    "logprobs": True,
    "top_logprobs": 2,
    "n": 3,
    "seed": 4,
    "stop": ["a", "b"],
    "max_tokens": 7,
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "n", "schema": {}, "description": "d", "strict": True},
    },
    "reasoning_effort": "none",
    "user": "u",
    "audio": {"voice": "v"},
    "modalities": ["text", "audio"],
    "store": True,
    "service_tier": "flex",
    "unknown": {"x": 1},
}


MESSAGES_REQUEST: dict[str, Any] = {
    "model": "m",
    "max_tokens": 5000,
    "system": [{"type": "text", "text": "One.", "cache_control": {"type": "ephemeral", "ttl": "5m"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "See", "cache_control": {"type": "ephemeral"}},
                {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                {
                    "type": "document",
                    "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
                    "title": "a",
                },
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "p"}},
            ],
        },
        {"role": "system", "content": [{"type": "text", "text": "Mid."}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "", "signature": "s"},
                {"type": "redacted_thinking", "data": "d"},
                {"type": "text", "text": "I look."},
                {
                    "type": "tool_use",
                    "id": "a",
                    "name": "f",
                    "input": {"x": 1.0},
                    "cache_control": {"type": "ephemeral"},
                },
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "a",
                    "is_error": True,
                    "cache_control": {"type": "ephemeral"},
                    "content": [
                        {"type": "text", "text": "r"},
                        {"type": "image", "source": {"type": "url", "url": "https://x"}},
                    ],
                },
                {"type": "text", "text": "and?"},
            ],
        },
    ],
    "tools": [
        {
            "name": "f",
            "description": "d",
            "input_schema": {"type": "object"},
            "strict": True,
            "cache_control": {"type": "ephemeral", "ttl": "1h"},
        }
    ],
    "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
    "temperature": 1.0,
    "top_p": 0.5,
    "top_k": 7,
    "stop_sequences": ["x"],
    "metadata": {"user_id": "u" * 100},
    "thinking": {"type": "adaptive", "display": "summarized"},
    "output_config": {"effort": "max", "format": {"type": "json_schema", "schema": {"type": "object"}}},
    "service_tier": "auto",
    "container": "c",
    "cache_control": {"type": "ephemeral"},
}


def test_chat_keeps_its_meaning() -> None:
    written = CHAT.write(CHAT.read(CHAT_REQUEST), "m", False)
    assert json.loads(written.body) == CHAT_REQUEST
    assert written.dropped == ()


def test_messages_keep_their_meaning() -> None:
    written = MESSAGES.write(MESSAGES.read(MESSAGES_REQUEST), "m", False)
    assert json.loads(written.body) == MESSAGES_REQUEST
    assert written.dropped == ()


def test_a_detour_through_the_other_format_keeps_what_both_can_say() -> None:
    body: dict[str, Any] = {
        "model": "m",
        "messages": [message for message in CHAT_REQUEST["messages"] if message["role"] != "system"],
        "tools": [
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
        ],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "temperature": 0.5,
        "top_p": 0.5,
        "stop": ["a"],
        "max_tokens": 7,
        "user": "u",
        "reasoning_effort": "high",
    }
    body["messages"] = json.loads(json.dumps(body["messages"]))
    body["messages"][0].pop("name")
    body["messages"][0]["content"][1]["image_url"].pop("detail")
    body["messages"][1]["tool_calls"][1]["function"]["arguments"] = "{}"
    body["messages"][-1] = {"role": "assistant", "content": "Hm"}
    there = MESSAGES.write(CHAT.read(body), "m", False)
    back = json.loads(CHAT.write(MESSAGES.read(json.loads(there.body)), "m", False).body)
    back["messages"][1]["tool_calls"][0]["function"]["arguments"] = '{"x": 1.0}'
    assert back == body
    assert there.dropped == ()
