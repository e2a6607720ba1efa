"""Requests with tools in every format that clients speak, and what reaches every format that providers speak."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ownkey.domain.formats import WireFormat
from ownkey.wire import CHAT_FORMATS, PROVIDER_CHATS, AnswerLabel, Written
from ownkey.wire.translation import Wishes, new_writer, translate_answer, translate_request

CHAT, RESPONSES = WireFormat.OPENAI_CHAT, WireFormat.OPENAI_RESPONSES
ANTHROPIC, GEMINI = WireFormat.ANTHROPIC_MESSAGES, WireFormat.GEMINI
Json = dict[str, Any]
CLIENTS = tuple(CHAT_FORMATS)
TARGETS = tuple(PROVIDER_CHATS)
PAIRS = [(client, target) for client in CLIENTS for target in TARGETS if client is not target]

SCHEMA: Json = {"type": "object", "properties": {"q": {"type": "string"}}}


every_pair = pytest.mark.parametrize(("client", "target"), PAIRS)
"""Run a test once for every pair of formats."""


def request(client: WireFormat, *names: str, history: bool = False, hosted: Json | None = None, **more: Any) -> Json:
    """A client's request with functions of these names; with `history` the first was called and answered."""
    return _REQUESTS[client](names, history, [] if hosted is None else [hosted]) | more


def _chat(names: tuple[str, ...], history: bool, hosted: list[Json]) -> Json:
    messages: list[Json] = [{"role": "user", "content": "hi"}]
    if history:
        call = {"id": "c1", "type": "function", "function": {"name": names[0], "arguments": "{}"}}
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "42"},
        ]
    tools = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in names]
    return {"model": "x", "max_tokens": 99, "messages": messages, "tools": tools + hosted}


def _responses(names: tuple[str, ...], history: bool, hosted: list[Json]) -> Json:
    items: list[Json] = [{"role": "user", "content": "hi"}]
    if history:
        items += [
            {"type": "function_call", "call_id": "c1", "name": names[0], "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "42"},
        ]
    tools = [{"type": "function", "name": name, "parameters": SCHEMA} for name in names]
    return {"model": "x", "max_output_tokens": 99, "input": items, "tools": tools + hosted, "store": False}


def _anthropic(names: tuple[str, ...], history: bool, hosted: list[Json]) -> Json:
    messages: list[Json] = [{"role": "user", "content": "hi"}]
    if history:
        messages += [
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": names[0], "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "42"}]},
        ]
    tools = [{"name": name, "input_schema": SCHEMA} for name in names]
    return {"model": "x", "max_tokens": 99, "messages": messages, "tools": tools + hosted}


def _gemini(names: tuple[str, ...], history: bool, hosted: list[Json]) -> Json:
    contents: list[Json] = [{"role": "user", "parts": [{"text": "hi"}]}]
    if history:
        response = {"name": names[0], "response": {"output": "42"}}
        contents += [
            {"role": "model", "parts": [{"functionCall": {"name": names[0], "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": response}]},
        ]
    declared = [{"name": name, "parametersJsonSchema": SCHEMA} for name in names]
    tools = [{"functionDeclarations": declared}] if declared else []
    return {"contents": contents, "generationConfig": {"maxOutputTokens": 99}, "tools": tools + hosted}


_REQUESTS: dict[WireFormat, Callable[[tuple[str, ...], bool, list[Json]], Json]] = {
    CHAT: _chat,
    RESPONSES: _responses,
    ANTHROPIC: _anthropic,
    GEMINI: _gemini,
}


def translated(client: WireFormat, target: WireFormat, body: Json, model: str = "m") -> tuple[Json, Written]:
    """The provider's request, decoded, and all that was written of it."""
    written = translate_request(client, target, body, model=model, stream=False, wishes=Wishes(), quirks=())
    return json.loads(written.body), written


def tools_in(target: WireFormat, body: Json) -> dict[str, Json]:
    """The functions that a provider is offered: their schemas by name."""
    found: dict[str, Json] = {}
    for tool in body.get("tools") or body.get("toolConfig", {}).get("tools", ()):
        match target:
            case WireFormat.GEMINI:
                found |= {each["name"]: each["parametersJsonSchema"] for each in tool["functionDeclarations"]}
            case WireFormat.BEDROCK_CONVERSE:
                found[tool["toolSpec"]["name"]] = tool["toolSpec"]["inputSchema"]["json"]
            case WireFormat.ANTHROPIC_MESSAGES:
                found[tool["name"]] = tool["input_schema"]
            case WireFormat.OPENAI_RESPONSES:
                found[tool["name"]] = tool["parameters"]
            case _:
                found[tool["function"]["name"]] = tool["function"]["parameters"]
    return found


def answer(target: WireFormat, *calls: tuple[str, Json]) -> bytes:
    """A provider's whole answer that calls these tools."""
    return json.dumps(_ANSWERS[target](calls)).encode()


Calls = tuple[tuple[str, Json], ...]


def _chat_calls(calls: Calls) -> list[Json]:
    return [
        {"id": f"c{n}", "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}
        for n, (name, given) in enumerate(calls)
    ]


def _of_openai(calls: Calls) -> Json:
    message = {"role": "assistant", "content": None, "tool_calls": _chat_calls(calls)}
    return {"id": "a", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}


def _of_responses(calls: Calls) -> Json:
    output = [
        {"type": "function_call", "id": f"fc{n}", "call_id": f"c{n}", "name": name, "arguments": json.dumps(given)}
        for n, (name, given) in enumerate(calls)
    ]
    return {"id": "a", "status": "completed", "output": output}


def _of_anthropic(calls: Calls) -> Json:
    content = [
        {"type": "tool_use", "id": f"c{n}", "name": name, "input": given} for n, (name, given) in enumerate(calls)
    ]
    return {"id": "a", "type": "message", "content": content, "stop_reason": "tool_use"}


def _of_gemini(calls: Calls) -> Json:
    parts = [{"functionCall": {"name": name, "args": given}} for name, given in calls]
    return {"responseId": "a", "candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}


def _of_bedrock(calls: Calls) -> Json:
    content = [
        {"toolUse": {"toolUseId": f"c{n}", "name": name, "input": given}} for n, (name, given) in enumerate(calls)
    ]
    return {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": "tool_use"}


def _of_cohere(calls: Calls) -> Json:
    return {"id": "a", "finish_reason": "TOOL_CALL", "message": {"role": "assistant", "tool_calls": _chat_calls(calls)}}


def _of_ollama(calls: Calls) -> Json:
    made = [{"function": {"name": name, "arguments": given}} for name, given in calls]
    message = {"role": "assistant", "content": "", "tool_calls": made}
    return {"model": "m", "created_at": "2026-01-01T00:00:00Z", "message": message, "done": True, "done_reason": "stop"}


_ANSWERS: dict[WireFormat, Callable[[Calls], Json]] = {
    CHAT: _of_openai,
    RESPONSES: _of_responses,
    ANTHROPIC: _of_anthropic,
    GEMINI: _of_gemini,
    WireFormat.BEDROCK_CONVERSE: _of_bedrock,
    WireFormat.COHERE_CHAT: _of_cohere,
    WireFormat.OLLAMA_CHAT: _of_ollama,
}

LABEL = AnswerLabel("x", 1, "req_1")


def called(
    client: WireFormat, target: WireFormat, written: Written, *calls: tuple[str, Json]
) -> list[tuple[str, Json]]:
    """The calls that the client sees, name and arguments, in the answer of a provider that makes these."""
    told, _ = translate_answer(target, client, answer(target, *calls), LABEL, written.back.restoring)
    return calls_in(client, json.loads(told))


def calls_in(client: WireFormat, told: Json) -> list[tuple[str, Json]]:
    if client is CHAT:
        made = [call["function"] for call in told["choices"][0]["message"]["tool_calls"]]
        return [(call["name"], json.loads(call["arguments"])) for call in made]
    if client is RESPONSES:
        made = [item for item in told["output"] if item["type"] == "function_call"]
        return [(call["name"], json.loads(call["arguments"])) for call in made]
    if client is ANTHROPIC:
        return [(block["name"], block["input"]) for block in told["content"] if block["type"] == "tool_use"]
    parts = told["candidates"][0]["content"]["parts"]
    return [(part["functionCall"]["name"], part["functionCall"]["args"]) for part in parts if "functionCall" in part]


def streamed(client: WireFormat, written: Written, *events: Any) -> bytes:
    """The client's bytes for a provider's events."""
    writer = new_writer(client, LABEL, False)
    found = list(events)
    if written.back.restoring is not None:
        stream = written.back.restoring.stream()
        found = [event for each in events for event in stream.feed([each])]
    return b"".join(writer.write(event) for event in found) + writer.finish()
