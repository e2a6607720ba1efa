"""Requests of Gemini's clients, in both spellings and as the SDK writes them, for the other formats."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter
from tests.wire.conftest import checked

from ownkey.domain.errors import InvalidRequest, UnsupportedField
from ownkey.domain.formats import WireFormat
from ownkey.wire import CHAT_FORMATS
from ownkey.wire.format import Draft
from ownkey.wire.neutral import GEMINI_REASONING, AnswerLabel, Reasoning, Text, ToolCall, ToolResult

CHAT = CHAT_FORMATS[WireFormat.OPENAI_CHAT]
MESSAGES = CHAT_FORMATS[WireFormat.ANTHROPIC_MESSAGES]
GEMINI = CHAT_FORMATS[WireFormat.GEMINI]
USER = {"role": "user", "parts": [{"text": "hi"}]}
Translate = Callable[..., tuple[dict[str, Any], Draft]]


@pytest.fixture(scope="session")
def chat() -> Translate:
    adapter: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsNonStreaming)

    def translate(**body: Any) -> tuple[dict[str, Any], Draft]:
        written = CHAT.write_request(GEMINI.read_request({"contents": [USER]} | body), "gpt", False)
        return checked(adapter, written.encoded()), written

    return translate


@pytest.fixture(scope="session")
def messages() -> Translate:
    adapter: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsNonStreaming)

    def translate(model: str = "claude-opus-5", **body: Any) -> tuple[dict[str, Any], Draft]:
        written = MESSAGES.write_request(GEMINI.read_request({"contents": [USER]} | body), model, False)
        return checked(adapter, written.encoded()), written

    return translate


def test_a_whole_request_for_chat(chat: Translate) -> None:
    picture = urlsafe_b64encode(b"\xfb\xff\xfe\xff").decode().rstrip("=")
    body, written = chat(
        system_instruction={"parts": {"text": "One."}},
        contents=[
            {"parts": [{"text": "See"}, {"inlineData": {"data": picture, "mime_type": "IMAGE/PNG"}}]},
            {"role": "model", "parts": [{"text": "a"}, {"text": "b"}]},
            {"role": "model", "parts": [{"text": "c"}]},
            {"role": "user", "parts": {"fileData": {"fileUri": "https://x/y", "mimeType": "image/png"}}},
        ],
        generation_config={
            "temperature": 1.5,
            "top_p": 0.5,
            "maxOutputTokens": 7,
            "stop_sequences": ["x"],
            "seed": 4,
            "presencePenalty": 1,
            "frequency_penalty": -1,
            "candidateCount": 1,
            "responseModalities": ["TEXT"],
            "responseLogprobs": False,
            "mediaResolution": "MEDIA_RESOLUTION_LOW",
        },
        safetySettings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        labels={"a": "b"},
    )
    assert body == {
        "model": "gpt",
        "messages": [
            {"role": "system", "content": "One."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "See"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,+//+/w=="}},
                ],
            },
            {"role": "assistant", "content": "abc"},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y"}}]},
        ],
        "temperature": 1.5,
        "top_p": 0.5,
        "max_tokens": 7,
        "stop": ["x"],
        "seed": 4,
        "presence_penalty": 1.0,
        "frequency_penalty": -1.0,
    }
    assert written.dropped == ("labels", "generationConfig.mediaResolution", "safetySettings")


def test_calls_without_ids_get_them_by_their_place(chat: Translate) -> None:
    call = {"functionCall": {"name": "f", "args": {"a_b": 1.5}}}
    result = {"functionResponse": {"name": "f", "response": {"output": "x"}}}
    body, _ = chat(
        contents=[
            USER,
            {"role": "model", "parts": [call, call, {"function_call": {"name": "g", "id": "own"}}]},
            {
                "role": "function",
                "parts": [
                    {"functionResponse": {"id": "own", "name": "g", "response": {"result": {"n": 1}}}},
                    result,
                    {"functionResponse": {"name": "f", "response": {"a": 1, "b": 2}}},
                ],
            },
            {"role": "model", "parts": [call]},
            {"role": "user", "parts": [result]},
        ]
    )
    calls = body["messages"][1]["tool_calls"]
    assert [call["id"] for call in calls] == ["call_0", "call_1", "own"]
    assert [call["function"]["arguments"] for call in calls] == ['{"a_b":1.5}', '{"a_b":1.5}', "{}"]
    assert [(told["tool_call_id"], told["content"]) for told in body["messages"][2:5]] == [
        ("own", '{"n":1}'),
        ("call_0", "x"),
        ("call_1", '{"a":1,"b":2}'),
    ]
    assert body["messages"][5]["tool_calls"][0]["id"] == body["messages"][6]["tool_call_id"] == "call_3"


def test_signatures_and_thoughts_are_kept_apart() -> None:
    turns = GEMINI.read_request(
        {
            "contents": [
                USER,
                {"role": "model", "parts": [{"text": "Let ", "thought": True}]},
                {"role": "model", "parts": [{"text": "me.", "thought": True}]},
                {"role": "model", "parts": [{"text": "So", "thoughtSignature": "c2ln"}, {"text": "."}]},
                {
                    "role": "model",
                    "parts": [
                        {"functionCall": {"name": "f"}, "thought_signature": "Y2FsbA"},
                        {"thoughtSignature": "eA"},
                    ],
                },
                {
                    "role": "user",
                    "parts": [{"functionResponse": {"name": "f", "response": {"error": "no"}}}],
                },
            ]
        }
    ).turns
    assert turns[1].parts == (
        Reasoning("Let me.", format=GEMINI_REASONING),
        Reasoning(redacted="c2ln", format=GEMINI_REASONING),
        Text("So."),
        ToolCall("call_0", "f", "{}", None, "Y2FsbA"),
    )
    assert turns[2].parts == (ToolResult("call_0", (Text("no"),), is_error=True),)


def test_claudes_signatures_ride_in_a_gemini_clients_history(messages: Translate) -> None:
    """As the stream writer sends them and Google's SDK returns them: chunk by chunk, in the other alphabet."""
    format_ = CHAT_FORMATS[WireFormat.GEMINI]
    thinking = {"type": "thinking", "thinking": "Hm?>", "signature": "c2ln/+=="}
    hidden = {"type": "redacted_thinking", "data": "x~~"}
    use = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    answer = {"type": "message", "id": "i", "model": "m", "role": "assistant", "content": [thinking, hidden, use]}
    read = CHAT_FORMATS[WireFormat.ANTHROPIC_MESSAGES].read_answer(json.dumps(answer).encode())
    told = json.loads(format_.write_answer(read, AnswerLabel("m", 1, "i")))
    parts = told["candidates"][0]["content"]["parts"]
    for part in parts:
        if "thoughtSignature" in part:
            part["thought_signature"] = part.pop("thoughtSignature").replace("+", "-").replace("/", "_").rstrip("=")
    result = {"functionResponse": {"name": "f", "id": "t", "response": {"output": "r"}}}
    body, _ = messages(
        contents=[USER, *({"role": "model", "parts": [part]} for part in parts), {"parts": [result]}],
        tools=[{"functionDeclarations": [{"name": "f"}]}],
    )
    assert body["messages"][1]["content"] == [thinking, hidden, use]


def test_schemas_of_google_become_json_schema(messages: Translate) -> None:
    schema = {
        "type": "OBJECT",
        "properties": {
            "max_items": {"type": "STRING", "nullable": True, "enum": ["a"], "format": "enum"},
            "list": {"type": "ARRAY", "items": {"any_of": [{"type": "INTEGER"}], "nullable": True}, "max_items": "3"},
        },
        "required": ["list"],
        "property_ordering": ["list", "max_items"],
    }
    expected = {
        "type": "object",
        "properties": {
            "max_items": {"type": ["string", "null"], "enum": ["a", None]},
            "list": {
                "type": "array",
                "items": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                "maxItems": 3,
            },
        },
        "required": ["list"],
    }
    body, written = messages(
        tools={"function_declarations": [{"name": "f", "parameters": schema, "response_json_schema": {}}]},
        generationConfig={"responseMimeType": "application/json", "responseSchema": schema},
    )
    assert body["tools"] == [{"name": "f", "input_schema": expected}]
    assert body["output_config"]["format"]["schema"] == expected
    assert written.dropped == ("tools.functionDeclarations.responseJsonSchema",)
    plain = {"type": "object", "properties": {"snake_case": {"type": "string"}}}
    body, _ = messages(tools=[{"functionDeclarations": [{"name": "f", "parameters_json_schema": plain}]}])
    assert body["tools"][0]["input_schema"] == plain


@pytest.mark.parametrize(
    ("calling", "choice", "dropped"),
    [
        ({"mode": "AUTO"}, "auto", ()),
        ({"mode": "any"}, "required", ()),
        ({"mode": "NONE"}, "none", ()),
        ({"mode": "ANY", "allowed_function_names": ["g"]}, {"type": "function", "function": {"name": "g"}}, ()),
        ({"mode": "VALIDATED"}, "auto", ("toolConfig.functionCallingConfig.mode",)),
        ({}, None, ()),
    ],
)
def test_the_choice_of_tools(chat: Translate, calling: Any, choice: Any, dropped: tuple[str, ...]) -> None:
    tools = [{"functionDeclarations": [{"name": "f"}]}, {"functionDeclarations": [{"name": "g"}]}]
    body, written = chat(tools=tools, toolConfig={"functionCallingConfig": calling})
    assert [tool["function"]["name"] for tool in body["tools"]] == ["f", "g"]
    assert body.get("tool_choice") == choice
    assert written.dropped == dropped


@pytest.mark.parametrize(
    ("config", "effort", "dropped"),
    [
        ({"thinkingLevel": "HIGH"}, "high", ()),
        ({"thinking_level": "minimal"}, "minimal", ()),
        ({"thinkingBudget": 0}, "none", ()),
        ({"thinkingBudget": 5000}, "medium", ()),
        ({"thinkingBudget": -1}, None, ("thinking",)),
        ({"includeThoughts": True}, None, ("thinking",)),
        ({"includeThoughts": False}, None, ()),
    ],
)
def test_thinking(chat: Translate, config: Any, effort: str | None, dropped: tuple[str, ...]) -> None:
    body, written = chat(generationConfig={"thinkingConfig": config})
    assert body.get("reasoning_effort") == effort
    assert written.dropped == dropped


def test_text_files_and_files_in_results(chat: Translate) -> None:
    text = {"inlineData": {"mimeType": "text/csv", "data": "YSxi"}}
    image = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    body, _ = chat(
        contents=[
            {"parts": [text]},
            {"role": "model", "parts": [{"functionCall": {"name": "f"}}]},
            {"parts": [{"functionResponse": {"name": "f", "response": {}, "parts": [image]}}]},
        ]
    )
    assert body["messages"][0]["content"] == [{"type": "text", "text": "a,b"}]
    assert body["messages"][-1]["content"][1]["image_url"]["url"] == "data:image/png;base64,AAAA"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"cachedContent": "cachedContents/1"}, "cachedContent"),
        ({"safety_settings": [{"category": "X", "threshold": "BLOCK_ONLY_HIGH"}]}, "safetySettings"),
        ({"generationConfig": {"candidateCount": 2}}, "generationConfig.candidateCount"),
        ({"generationConfig": {"responseLogprobs": True}}, "generationConfig.responseLogprobs"),
        ({"generationConfig": {"responseModalities": ["IMAGE"]}}, "generationConfig.responseModalities"),
        ({"generationConfig": {"speechConfig": {}}}, "generationConfig.speechConfig"),
        ({"generationConfig": {"responseMimeType": "text/x.enum"}}, "generationConfig.responseMimeType"),
        (
            {"contents": [{"parts": [{"inlineData": {"mimeType": "audio/wav", "data": "AA=="}}]}]},
            "contents[0].parts[0].inlineData.mimeType",
        ),
        (
            {"contents": [{"parts": [{"fileData": {"fileUri": "gs://b/c", "mimeType": "image/png"}}]}]},
            "contents[0].parts[0].fileData.fileUri",
        ),
        (
            {"systemInstruction": {"parts": [{"inlineData": {"mimeType": "a", "data": ""}}]}},
            "systemInstruction.parts[0]",
        ),
    ],
)
def test_what_only_google_has_is_refused(chat: Translate, body: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedField) as caught:
        chat(**body)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"contents": []}, "contents"),
        ({"contents": [{"role": "system", "parts": []}]}, "contents[0].role"),
        ({"contents": [{"parts": [{}]}]}, "contents[0].parts[0]"),
        ({"contents": [{"parts": [{"functionCall": {"name": "f"}}]}]}, "contents[0].parts[0]"),
        ({"contents": [{"parts": [{"text": 1}]}]}, "contents[0].parts[0].text"),
        ({"generationConfig": {"temperature": 3}}, "generationConfig.temperature"),
        ({"generationConfig": {"topK": 1.5}}, "generationConfig.topK"),
        ({"generationConfig": {"topP": 1, "top_p": 1}}, "topP"),
        ({"generationConfig": {"responseSchema": {}}}, "generationConfig.responseMimeType"),
        (
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "x"}}},
            "generationConfig.thinkingConfig.thinkingLevel",
        ),
        ({"toolConfig": {"functionCallingConfig": {"mode": "x"}}}, "toolConfig.functionCallingConfig.mode"),
        (
            {"contents": [{"parts": [{"inlineData": {"mimeType": "text/plain", "data": "/w=="}}]}]},
            "contents[0].parts[0]",
        ),
    ],
)
def test_a_bad_field_is_named(chat: Translate, body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        chat(**body)
    assert caught.value.param == param
