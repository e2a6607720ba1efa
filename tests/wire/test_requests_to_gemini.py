"""Requests of the other formats written for Gemini, each checked against Google's own types."""

import json
from typing import Any

import pytest
from google.genai import types

from ownkey.domain.errors import InvalidRequest, UnsupportedField
from ownkey.domain.formats import WireFormat
from ownkey.wire import CHAT_FORMATS
from ownkey.wire.format import Draft

CHAT = CHAT_FORMATS[WireFormat.OPENAI_CHAT]
MESSAGES = CHAT_FORMATS[WireFormat.ANTHROPIC_MESSAGES]
GEMINI = CHAT_FORMATS[WireFormat.GEMINI]
NEW, OLD = "gemini-3-flash", "gemini-2.5-flash"
USER = {"role": "user", "content": "hi"}
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {"a": {"$ref": "#"}}}},
}


def checked(written: Draft) -> dict[str, Any]:
    """The body, once Google's types know every field of it."""
    body: dict[str, Any] = json.loads(written.encoded())
    kinds: dict[str, Any] = {
        "systemInstruction": types.Content,
        "toolConfig": types.ToolConfig,
        "generationConfig": types.GenerationConfig,
    }
    for name, value in body.items():
        if name in kinds:
            kinds[name].model_validate_json(json.dumps(value))
        else:
            kind = {"contents": types.Content, "tools": types.Tool}[name]
            for each in value:
                kind.model_validate_json(json.dumps(each))
    return body


def from_chat(body: dict[str, Any], model: str = NEW) -> tuple[dict[str, Any], Draft]:
    written = GEMINI.write_request(CHAT.read_request({"messages": [USER]} | body), model, False)
    return checked(written), written


def from_messages(body: dict[str, Any], model: str = NEW) -> tuple[dict[str, Any], Draft]:
    written = GEMINI.write_request(MESSAGES.read_request({"max_tokens": 9, "messages": [USER]} | body), model, False)
    return checked(written), written


def test_a_conversation_of_chat() -> None:
    body, written = from_chat(
        {
            "messages": [
                {"role": "system", "content": "One."},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "See"},
                        {"type": "image_url", "image_url": {"url": "https://x/y.WEBP?z=.png", "detail": "low"}},
                        {"type": "image_url", "image_url": {"url": "https://x/y"}},
                        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                        {"type": "file", "file": {"filename": "a", "file_data": "data:application/pdf;base64,JVBE"}},
                    ],
                },
                {"role": "assistant", "content": ""},
                {"role": "user", "content": "more"},
                {"role": "developer", "content": "Two."},
            ],
            "temperature": 2,
            "top_p": 0.5,
            "top_k": 3,
            "seed": 4,
            "stop": "x",
            "max_tokens": 7,
            "presence_penalty": 0.5,
            "frequency_penalty": -0.5,
            "user": "u",
            "n": 1,
        }
    )
    assert body == {
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "See"},
                    {"fileData": {"fileUri": "https://x/y.WEBP?z=.png", "mimeType": "image/webp"}},
                    {"fileData": {"fileUri": "https://x/y", "mimeType": "image/jpeg"}},
                    {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
                    {"inlineData": {"mimeType": "application/pdf", "data": "JVBE"}},
                    {"text": "more"},
                ],
            }
        ],
        "systemInstruction": {"parts": [{"text": "One."}, {"text": "Two."}]},
        "generationConfig": {
            "temperature": 2.0,
            "topP": 0.5,
            "topK": 3,
            "maxOutputTokens": 7,
            "stopSequences": ["x"],
            "seed": 4,
            "presencePenalty": 0.5,
            "frequencyPenalty": -0.5,
        },
    }
    assert written.dropped == ("image_url.detail", "file.filename", "messages.role", "user")


def calling(**more: Any) -> list[dict[str, Any]]:
    calls = [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1.50}'}, **more},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": "not json"}},
    ]
    return [
        USER,
        {"role": "assistant", "content": "Wait.", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "a", "content": '{"degrees": 4}'},
        {"role": "tool", "tool_call_id": "b", "content": '{"error": 1}'},
    ]


def test_calls_and_results_carry_names_and_objects() -> None:
    body, written = from_chat({"messages": calling()}, OLD)
    assert body["contents"][1:] == [
        {
            "role": "model",
            "parts": [
                {"text": "Wait."},
                {"functionCall": {"id": "a", "name": "f", "args": {"x": 1.5}}},
                {"functionCall": {"id": "b", "name": "g", "args": {"INVALID_JSON": "not json"}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "a", "name": "f", "response": {"degrees": 4}}},
                {"functionResponse": {"id": "b", "name": "g", "response": {"output": '{"error": 1}'}}},
            ],
        },
    ]
    assert b'"args":{"x": 1.50}' in written.encoded()
    assert written.dropped == ()


def test_a_signature_goes_back_and_calls_of_others_are_marked_for_models_that_check() -> None:
    signed = {"extra_content": {"google": {"thought_signature": "c2ln"}}}
    for model in (OLD, NEW):
        parts = from_chat({"messages": calling(**signed)}, model)[0]["contents"][1]["parts"]
        assert [part.get("thoughtSignature") for part in parts] == [None, "c2ln", None]
    parts = from_chat({"messages": calling()}, NEW)[0]["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == [None, "skip_thought_signature_validator", None]


def test_thoughts_go_back_only_when_gemini_thought_them() -> None:
    details = [
        {"type": "reasoning.text", "text": "Hm.", "format": "google-gemini-v1", "index": 0},
        {"type": "reasoning.encrypted", "data": "c2ln", "format": "google-gemini-v1", "index": 1},
        {"type": "reasoning.text", "text": "Claude's", "signature": "x", "format": "anthropic-claude-v1", "index": 2},
    ]
    answered = {"role": "assistant", "content": "Well.", "reasoning_details": details}
    body, written = from_chat({"messages": [USER, answered, USER]})
    assert body["contents"][1]["parts"] == [
        {"text": "Hm.", "thought": True},
        {"text": "Well.", "thoughtSignature": "c2ln"},
    ]
    assert written.dropped == ("reasoning_content",)
    plain, dropped = from_chat({"messages": [USER, {"role": "assistant", "content": "a", "reasoning_content": "b"}]})
    assert plain["contents"][1]["parts"] == [{"text": "a"}]
    assert dropped.dropped == ("reasoning_content",)


def test_a_signature_finds_its_part_again() -> None:
    """In chat all reasoning comes first: what signs a text must not land on a call."""
    detail = {"type": "reasoning.encrypted", "data": "dGV4dA==", "format": "google-gemini-v1", "index": 0}
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    signed = call | {"id": "b", "extra_content": {"google": {"thought_signature": "Y2FsbA=="}}}
    results = [{"role": "tool", "tool_call_id": name, "content": "r"} for name in "ab"]

    def signatures(model: str, content: str | None, *calls: Any) -> list[Any]:
        answered = {"role": "assistant", "content": content, "reasoning_details": [detail], "tool_calls": list(calls)}
        told = results[: len(calls)] if calls[0] is call else results[1:]
        parts = from_chat({"messages": [USER, answered, *told]}, model)[0]["contents"][1]["parts"]
        return [("call" if "functionCall" in part else part["text"], part.get("thoughtSignature")) for part in parts]

    assert signatures(OLD, "So.", call) == [("So.", "dGV4dA=="), ("call", None)]
    assert signatures(OLD, None, call) == [("call", None), ("", "dGV4dA==")]
    assert signatures(NEW, None, signed) == [("call", "Y2FsbA=="), ("", "dGV4dA==")]
    assert signatures(NEW, None, call, signed) == [
        ("call", "skip_thought_signature_validator"),
        ("call", "Y2FsbA=="),
        ("", "dGV4dA=="),
    ]


def test_a_conversation_of_messages() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}
    result = {"type": "tool_result", "tool_use_id": "a", "is_error": True, "content": [image]}
    body, written = from_messages(
        {
            "system": [{"type": "text", "text": "One.", "cache_control": {"type": "ephemeral"}}],
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "Hm.", "signature": "claude's"},
                        {"type": "redacted_thinking", "data": "google-gemini-v1:c2ln"},
                        {"type": "tool_use", "id": "a", "name": "f", "input": {}},
                    ],
                },
                {"role": "user", "content": [{"type": "text", "text": "here"}, result]},
                {"role": "assistant", "content": "So"},
            ],
            "top_k": 5,
            "metadata": {"user_id": "u"},
            "service_tier": "auto",
        }
    )
    assert body["contents"][1:] == [
        {
            "role": "model",
            "parts": [{"functionCall": {"id": "a", "name": "f", "args": {}}, "thoughtSignature": "c2ln"}],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "a", "name": "f", "response": {"error": "The tool reported an error."}}},
                {"text": "here"},
                {"text": "Files returned by the tool call a:"},
                {"fileData": {"fileUri": "https://x/y.png", "mimeType": "image/png"}},
            ],
        },
        {"role": "model", "parts": [{"text": "So"}]},
    ]
    assert body["generationConfig"] == {"topK": 5, "maxOutputTokens": 9}
    assert written.dropped == (
        "service_tier", "cache_control", "reasoning_content", "messages.prefill", "metadata.user_id",
    )  # fmt: skip


def test_tools_and_their_choice() -> None:
    def config(**more: Any) -> Any:
        return from_chat({"tools": [TOOL, {"type": "function", "function": {"name": "g"}}]} | more)[0].get("toolConfig")

    body, _ = from_chat({"tools": [TOOL, {"type": "function", "function": {"name": "g"}}]})
    assert body["tools"] == [
        {
            "functionDeclarations": [
                {"name": "f", "description": "d", "parametersJsonSchema": TOOL["function"]["parameters"]},
                {"name": "g"},
            ]
        }
    ]

    def mode(name: str, *allowed: str) -> Any:
        calling = {"mode": name} | ({"allowedFunctionNames": list(allowed)} if allowed else {})
        return {"functionCallingConfig": calling}

    def narrowed(to: str) -> dict[str, Any]:
        tools = [{"type": "function", "function": {"name": "g"}}]
        return {"type": "allowed_tools", "allowed_tools": {"mode": to, "tools": tools}}

    assert config() is None
    assert config(tool_choice="auto") is None
    assert config(tool_choice="none") == mode("NONE")
    assert config(tool_choice="required") == mode("ANY")
    assert config(tool_choice={"type": "function", "function": {"name": "g"}}) == mode("ANY", "g")
    assert config(tool_choice=narrowed("required")) == mode("ANY", "g")
    assert config(tool_choice=narrowed("auto")) is None
    narrow, _ = from_chat({"tools": [TOOL], "tool_choice": narrowed("auto")})
    assert "tools" not in narrow
    strict = {"type": "function", "function": {"name": "f", "strict": True}}
    assert from_chat({"tools": [strict]})[0]["toolConfig"] == mode("VALIDATED")


def test_output_formats() -> None:
    def config(wanted: dict[str, Any]) -> Any:
        return from_chat({"response_format": wanted})[0].get("generationConfig")

    schema = {"type": "object", "properties": {"a": {"type": ["string", "null"]}}, "additionalProperties": False}
    named = {"name": "n", "schema": schema, "strict": True}
    assert config({"type": "text"}) is None
    assert config({"type": "json_object"}) == {"responseMimeType": "application/json"}
    assert config({"type": "json_schema", "json_schema": named}) == {
        "responseMimeType": "application/json",
        "responseJsonSchema": schema,
    }


@pytest.mark.parametrize(
    ("asked", "model", "config", "dropped"),
    [
        ({"reasoning_effort": "low"}, NEW, {"thinkingLevel": "LOW", "includeThoughts": True}, ()),
        ({"reasoning_effort": "low"}, OLD, {"thinkingBudget": 1024, "includeThoughts": True}, ()),
        ({"reasoning_effort": "none"}, OLD, {"thinkingBudget": 0}, ()),
        ({"reasoning_effort": "none"}, NEW, {"thinkingLevel": "MINIMAL"}, ("reasoning_effort",)),
        (
            {"reasoning_effort": "xhigh"},
            NEW,
            {"thinkingLevel": "HIGH", "includeThoughts": True},
            ("reasoning_effort",),
        ),
        ({"reasoning_effort": "medium"}, "tuned", {"thinkingLevel": "MEDIUM", "includeThoughts": True}, ()),
        ({"reasoning": {"max_tokens": 77}}, NEW, {"thinkingBudget": 77, "includeThoughts": True}, ()),
        ({"thinking": {"type": "adaptive"}}, OLD, {"thinkingBudget": -1, "includeThoughts": True}, ()),
        ({"thinking": {"type": "adaptive"}}, NEW, {"includeThoughts": True}, ()),
        ({"thinking": {"type": "disabled"}}, "models/gemini-2.0-flash", {"thinkingBudget": 0}, ()),
        ({"thinking": {"type": "disabled"}}, "gemini-3.1-pro", {"thinkingLevel": "MINIMAL"}, ("thinking",)),
    ],
)
def test_reasoning_is_asked_for_in_the_words_of_the_models_version(
    asked: dict[str, Any], model: str, config: dict[str, Any], dropped: tuple[str, ...]
) -> None:
    body, written = from_chat(asked, model)
    assert body["generationConfig"] == {"thinkingConfig": config}
    assert written.dropped == dropped


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"logit_bias": {"1": 1}}, "logit_bias"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"audio": {"voice": "v"}}, "audio"),
    ],
)
def test_what_gemini_cannot_say_is_refused(body: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedField) as caught:
        from_chat(body)
    assert caught.value.param == param


def test_a_prompt_that_is_only_to_be_cached_is_refused() -> None:
    with pytest.raises(UnsupportedField) as caught:
        from_messages({"max_tokens": 0})
    assert caught.value.param == "max_tokens"


def test_a_result_without_its_call_is_refused() -> None:
    with pytest.raises(InvalidRequest) as caught:
        from_chat({"messages": [USER, {"role": "tool", "tool_call_id": "x", "content": "r"}]})
    assert caught.value.param == "messages.tool_call_id"
