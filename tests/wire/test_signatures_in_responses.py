"""Gemini's signatures of calls travel through responses, whole and streamed, and come back to Gemini alone."""

import json
from typing import Any

import pytest
from tests.wire.tools.values import CHAT, GEMINI, LABEL, RESPONSES, SCHEMA, request, translated

from ownkey.wire.translation import new_reader, new_writer, translate_answer

SIGNATURE = "U0lHMQ=="


def answered() -> bytes:
    parts = [
        {"functionCall": {"name": "f", "args": {"q": "blue"}}, "thoughtSignature": SIGNATURE},
        {"functionCall": {"name": "f", "args": {"q": "red"}}},
    ]
    return json.dumps(
        {"responseId": "r1", "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]}
    ).encode()


def whole() -> list[dict[str, Any]]:
    return json.loads(translate_answer(GEMINI, RESPONSES, answered(), LABEL)[0])["output"]


def streamed() -> list[dict[str, Any]]:
    reader, writer = new_reader(GEMINI), new_writer(RESPONSES, LABEL, False)
    data = b"".join(writer.write(event) for event in reader.feed(b"data: " + answered() + b"\n\n"))
    data += b"".join(writer.write(event) for event in reader.finish())
    last = [line for line in data.splitlines() if line.startswith(b"data: ")][-1]
    return json.loads(last.removeprefix(b"data: "))["response"]["output"]


def as_they_came(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return items


def without_reasoning(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As clients that return calls alone."""
    return [item for item in items if item["type"] != "reasoning"]


def without_unknown_fields(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As clients that keep what their types know, such as Codex."""
    known = {"type", "call_id", "name", "arguments", "summary", "encrypted_content"}
    return [{name: value for name, value in item.items() if name in known} for item in items]


@pytest.mark.parametrize("output", [whole, streamed])
@pytest.mark.parametrize("returned", [as_they_came, without_reasoning, without_unknown_fields])
def test_the_signature_goes_back_on_the_call(output: Any, returned: Any) -> None:
    items = output()
    assert [item["type"] for item in items] == ["reasoning", "function_call", "function_call"]
    calls = [item["call_id"] for item in items if item["type"] == "function_call"]
    results = [{"type": "function_call_output", "call_id": call, "output": "4"} for call in calls]
    tools = [{"type": "function", "name": "f", "parameters": SCHEMA}]
    body = {"model": "x", "input": [{"role": "user", "content": "x"}, *returned(items), *results], "tools": tools}
    sent, _ = translated(RESPONSES, GEMINI, body, model="gemini-3-pro-preview")
    parts = sent["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == [SIGNATURE, None]
    assert [part["functionCall"]["args"]["q"] for part in parts] == ["blue", "red"]
    elsewhere, written = translated(RESPONSES, CHAT, body)
    assert SIGNATURE not in json.dumps(elsewhere)
    assert "ownkey.v1" not in json.dumps(elsewhere)
    assert written.adaptations


def test_a_call_without_a_signature_adds_nothing() -> None:
    body = request(RESPONSES, "f", history=True)
    sent, _ = translated(RESPONSES, GEMINI, body, model="gemini-2.5-flash")
    assert "thoughtSignature" not in json.dumps(sent)
