"""Whatever a translated request is refused for, or leaves out, is named as its client wrote it."""

from typing import Any

import pytest

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.wire.translation import translate_request
from ownkey.wire.wishes import Wishes

ANTHROPIC, GEMINI = WireFormat.ANTHROPIC_MESSAGES, WireFormat.GEMINI
CHAT, RESPONSES = WireFormat.OPENAI_CHAT, WireFormat.OPENAI_RESPONSES
COHERE, OLLAMA = WireFormat.COHERE_CHAT, WireFormat.OLLAMA_CHAT
CLAUDES: dict[str, Any] = {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
GOOGLES: dict[str, Any] = {"contents": [{"parts": [{"text": "hi"}]}]}
TOOL = {"name": "f", "input_schema": {"type": "object"}}
FUNCTION = {"functionDeclarations": [{"name": "f"}]}
LINK = {"type": "image", "source": {"type": "url", "url": "https://pictures.example/a.png"}}
LINKED = {"fileData": {"fileUri": "https://pictures.example/a.png", "mimeType": "image/png"}}
TIFF = {"inlineData": {"mimeType": "image/tiff", "data": "AAAA"}}
ANY_CALL = {"functionCallingConfig": {"mode": "ANY"}}
LOST = {"type": "tool_result", "tool_use_id": "t", "content": "rain"}


def translated(source: WireFormat, target: WireFormat, body: dict[str, Any]) -> tuple[str, ...]:
    """The hints that were left out."""
    return translate_request(
        source, target, body, model="any", stream=False, wishes=Wishes(), quirks=frozenset()
    ).adaptations


@pytest.mark.parametrize(
    ("source", "target", "more", "field"),
    [
        (ANTHROPIC, RESPONSES, {"stop_sequences": ["x"]}, "stop_sequences"),
        (ANTHROPIC, OLLAMA, {"messages": [{"role": "user", "content": [LINK]}]}, "image.source"),
        (GEMINI, ANTHROPIC, {"generationConfig": {"temperature": 1.5}}, "generationConfig.temperature"),
        (GEMINI, ANTHROPIC, {"generationConfig": {"presencePenalty": 1}}, "generationConfig.presencePenalty"),
        (GEMINI, RESPONSES, {"generationConfig": {"stopSequences": ["x"]}}, "generationConfig.stopSequences"),
        (GEMINI, OLLAMA, {"tools": [FUNCTION], "toolConfig": ANY_CALL}, "toolConfig.functionCallingConfig"),
        (GEMINI, OLLAMA, {"contents": [{"parts": [LINKED]}]}, "contents.parts"),
        (GEMINI, ANTHROPIC, {"contents": [{"parts": [TIFF]}]}, "contents.parts"),
    ],
)
def test_a_refusal_names_the_clients_field(
    source: WireFormat, target: WireFormat, more: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        translated(source, target, (CLAUDES if source is ANTHROPIC else GOOGLES) | more)
    assert caught.value.param == field
    assert caught.value.public.startswith(f"{field} ")


def test_a_result_without_its_call_is_named_too() -> None:
    with pytest.raises(InvalidRequest) as caught:
        translated(ANTHROPIC, GEMINI, CLAUDES | {"messages": [{"role": "user", "content": [LOST]}]})
    assert caught.value.param == "messages.tool_use_id"


@pytest.mark.parametrize(
    ("source", "target", "more", "fields"),
    [
        (ANTHROPIC, WireFormat.BEDROCK_CONVERSE, {"metadata": {"user_id": "u"}}, ("metadata.user_id",)),
        (
            ANTHROPIC,
            CHAT,
            {
                "messages": [
                    *CLAUDES["messages"],
                    {"role": "assistant", "content": [{"type": "thinking", "thinking": "x"}]},
                ]
            },
            ("thinking", "messages.prefill"),
        ),
        (GEMINI, ANTHROPIC, {"generationConfig": {"seed": 3}}, ("generationConfig.seed",)),
        (GEMINI, CHAT, {"seed": 3}, ("seed",)),
        (
            GEMINI,
            CHAT,
            {"generationConfig": {"thinkingConfig": {"thinkingBudget": -1}}},
            ("generationConfig.thinkingConfig",),
        ),
        (
            GEMINI,
            COHERE,
            {
                "contents": [
                    {"parts": [{"text": "hi"}]},
                    {"role": "model", "parts": [{"functionCall": {"name": "f"}, "thoughtSignature": "c2ln"}]},
                    {"parts": [{"functionResponse": {"name": "f", "response": {"error": "x"}}}]},
                ]
            },
            ("contents.parts.thoughtSignature", "contents.parts.functionResponse.response.error"),
        ),
        (RESPONSES, GEMINI, {"input": "hi", "user": "u"}, ("user",)),
    ],
)
def test_a_dropped_hint_bears_the_clients_name(
    source: WireFormat, target: WireFormat, more: dict[str, Any], fields: tuple[str, ...]
) -> None:
    bodies: dict[WireFormat, dict[str, Any]] = {ANTHROPIC: CLAUDES, GEMINI: GOOGLES, RESPONSES: {}}
    assert set(translated(source, target, bodies[source] | more)) == set(fields)
