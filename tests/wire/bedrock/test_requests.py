"""Requests to Bedrock: each is one that botocore's service model accepts and would write itself."""

import base64
import json
from typing import Any

import pytest
from tests.wire.bedrock.conftest import CLAUDE, LLAMA, NEW_CLAUDE, Translate

from ownkey.domain.errors import InvalidRequest, UnsupportedField

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "weather", "description": "Tells it", "parameters": SCHEMA}}


def ask(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": list(messages) or [user("hello")], **more}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def call(id_: str = "call_1", name: str = "weather", arguments: str = '{"city":"Graz"}') -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def test_a_conversation_with_everything_common(from_openai: Translate) -> None:
    body, written = from_openai(
        ask(
            {"role": "system", "content": "Be brief."},
            user("hello"),
            {"role": "assistant", "content": "hi"},
            user("and now?"),
            max_tokens=50,
            temperature=0.5,
            top_p=0.9,
            stop=["END"],
        )
    )
    assert body == {
        "system": [{"text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"text": "hello"}]},
            {"role": "assistant", "content": [{"text": "hi"}]},
            {"role": "user", "content": [{"text": "and now?"}]},
        ],
        "inferenceConfig": {"maxTokens": 50, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]},
    }
    assert written.dropped == ()


def test_neighbours_of_one_role_become_one_message_and_blank_texts_go(from_openai: Translate) -> None:
    body, _ = from_openai(ask(user("a"), user(" \n"), user("b"), {"role": "assistant", "content": ""}, user("c")))
    assert body["messages"] == [{"role": "user", "content": [{"text": "a"}, {"text": "b"}, {"text": "c"}]}]


def test_later_instructions_move_to_the_beginning(from_openai: Translate) -> None:
    body, written = from_openai(ask(user("a"), {"role": "developer", "content": "later"}, user("b")))
    assert body["system"] == [{"text": "later"}]
    assert written.dropped == ("messages.role",)


def test_images_travel_as_bytes(from_openai: Translate, from_anthropic: Translate) -> None:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}", "detail": "low"}}
    body, written = from_openai(ask(user([{"type": "text", "text": "see"}, image])))
    assert body["messages"][0]["content"][1] == {"image": {"format": "png", "source": {"bytes": PIXEL}}}
    assert written.dropped == ("image_url.detail",)
    block = {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": PIXEL}}
    body, _ = from_anthropic(ask(user([block]), max_tokens=5))
    assert body["messages"][0]["content"] == [{"image": {"format": "jpeg", "source": {"bytes": PIXEL}}}]


@pytest.mark.parametrize(
    "url", ["https://example.com/cat.png", f"data:image/tiff;base64,{PIXEL}", "data:image/png;base64,****"]
)
def test_images_that_bedrock_cannot_have_are_refused(from_openai: Translate, url: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        from_openai(ask(user([{"type": "image_url", "image_url": {"url": url}}])))
    assert "image_url" in (refused.value.param or "")


def test_documents_get_names_that_bedrock_takes(from_openai: Translate, from_anthropic: Translate) -> None:
    data = base64.b64encode(b"%PDF-1.7").decode()
    file = {
        "type": "file",
        "file": {"filename": "Q3_report: final.pdf", "file_data": f"data:application/pdf;base64,{data}"},
    }
    body, written = from_openai(ask(user([{"type": "text", "text": "sum up"}, file, file])))
    first, second = (block["document"] for block in body["messages"][0]["content"][1:])
    assert first == {"format": "pdf", "name": "Q3 report final", "source": {"bytes": data}}
    assert second["name"] == "Q3 report final (2)"
    assert written.dropped == ("file.filename",)
    text = {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "Grüße"},
        "title": "Note",
    }
    body, written = from_anthropic(ask(user([text, {"type": "text", "text": "read"}]), max_tokens=5))
    assert body["messages"][0]["content"][0]["document"] == {
        "format": "txt",
        "name": "Note",
        "source": {"bytes": base64.b64encode("Grüße".encode()).decode()},
    }
    assert written.dropped == ()


def test_a_document_needs_a_text_beside_it(from_anthropic: Translate) -> None:
    text = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}
    with pytest.raises(UnsupportedField, match=r"messages\.content"):
        from_anthropic(ask(user([text]), max_tokens=5))


def test_tools_calls_and_results(from_openai: Translate) -> None:
    body, _ = from_openai(
        ask(
            user("weather?"),
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [call(), call("b/2 " + "x" * 80, arguments="{broken")],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
            {"role": "tool", "tool_call_id": "b/2 " + "x" * 80, "content": ""},
            user("thanks"),
            tools=[TOOL, {"type": "function", "function": {"name": "now", "strict": True}}],
            tool_choice="auto",
        )
    )
    uses = [block["toolUse"] for block in body["messages"][1]["content"]]
    assert uses[0] == {"toolUseId": "call_1", "name": "weather", "input": {"city": "Graz"}}
    assert uses[1]["input"] == {"INVALID_JSON": "{broken"}
    results = [block.get("toolResult") for block in body["messages"][2]["content"]]
    assert results[0] == {"toolUseId": "call_1", "content": [{"text": "sunny"}]}
    assert results[1]["toolUseId"] == uses[1]["toolUseId"]
    assert body["messages"][2]["content"][2] == {"text": "thanks"}
    assert body["toolConfig"] == {
        "tools": [
            {"toolSpec": {"name": "weather", "description": "Tells it", "inputSchema": {"json": SCHEMA}}},
            {
                "toolSpec": {
                    "name": "now",
                    "inputSchema": {"json": {"type": "object", "properties": {}}},
                    "strict": True,
                }
            },
        ],
        "toolChoice": {"auto": {}},
    }


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("required", {"any": {}}),
        ("auto", {"auto": {}}),
        ({"type": "function", "function": {"name": "weather"}}, {"tool": {"name": "weather"}}),
    ],
)
def test_tool_choices(from_openai: Translate, choice: Any, expected: Any) -> None:
    assert from_openai(ask(tools=[TOOL], tool_choice=choice))[0]["toolConfig"]["toolChoice"] == expected


def test_no_choice_is_said_when_the_client_says_none_of_its_own(from_openai: Translate) -> None:
    assert "toolChoice" not in from_openai(ask(tools=[TOOL], parallel_tool_calls=True))[0]["toolConfig"]


USED = [
    user("weather?"),
    {"role": "assistant", "content": None, "tool_calls": [call()]},
    {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
]


def test_calling_none_leaves_the_tools_out_while_none_were_used(from_openai: Translate) -> None:
    assert "toolConfig" not in from_openai(ask(tools=[TOOL], tool_choice="none"))[0]
    with pytest.raises(UnsupportedField, match="tool_choice none"):
        from_openai(ask(*USED, tools=[TOOL], tool_choice="none"))


def test_a_conversation_that_used_tools_needs_them(from_openai: Translate) -> None:
    with pytest.raises(UnsupportedField) as refused:
        from_openai(ask(*USED))
    assert refused.value.param == "tools"


def test_results_of_an_anthropic_client_come_first_and_tell_errors(from_anthropic: Translate) -> None:
    tool = {"name": "weather", "input_schema": SCHEMA}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": True, "content": "no such city"}
    body, _ = from_anthropic(
        ask(
            user("weather?"),
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}]},
            user([{"type": "text", "text": "Well?"}, result | {"cache_control": {"type": "ephemeral"}}]),
            tools=[tool],
            max_tokens=5,
        )
    )
    assert body["messages"][2]["content"] == [
        {"toolResult": {"toolUseId": "toolu_1", "content": [{"text": "no such city"}], "status": "error"}},
        {"cachePoint": {"type": "default"}},
        {"text": "Well?"},
    ]


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"temperature": 1.5}, "temperature"),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"logit_bias": {"1": 2}}, "logit_bias"),
        ({"web_search_options": {}}, "web_search_options"),
    ],
)
def test_what_bedrock_cannot_be_told_is_refused_by_name(from_openai: Translate, more: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        from_openai(ask(**more))
    assert (refused.value.param or "").startswith(param)
    assert param in refused.value.public


def test_a_limit_of_nothing_is_refused(from_anthropic: Translate) -> None:
    with pytest.raises(UnsupportedField, match="max_tokens"):
        from_anthropic(ask(max_tokens=0))


def test_hints_are_dropped_by_name(from_openai: Translate) -> None:
    _, written = from_openai(ask(seed=5, user="u1", store=True, stop=["  "], metadata={"a": "b"}))
    assert set(written.dropped) == {"seed", "user", "store", "stop", "metadata"}


def test_cache_marks_become_cache_points_for_models_that_take_them(from_anthropic: Translate) -> None:
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    request = ask(
        user([{"type": "text", "text": "long", **mark}, {"type": "text", "text": "short"}]),
        system=[{"type": "text", "text": "s", **mark}],
        tools=[{"name": "t", "input_schema": SCHEMA, **mark}],
        max_tokens=5,
    )
    point = {"cachePoint": {"type": "default", "ttl": "1h"}}
    for model in (
        CLAUDE,
        "amazon.nova-pro-v1:0",
        "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1",
    ):
        body, written = from_anthropic(request, model)
        assert body["system"] == [{"text": "s"}, point]
        assert body["messages"][0]["content"] == [{"text": "long"}, point, {"text": "short"}]
        assert body["toolConfig"]["tools"][1] == point
        assert written.dropped == ()
    body, written = from_anthropic(request, LLAMA)
    assert "cachePoint" not in json.dumps(body)
    assert written.dropped == ("cache_control",)


def test_a_mark_inside_a_result_is_dropped(from_anthropic: Translate) -> None:
    part = {"type": "text", "text": "sunny", "cache_control": {"type": "ephemeral"}}
    body, written = from_anthropic(
        ask(
            user("weather?"),
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}]},
            user([{"type": "tool_result", "tool_use_id": "toolu_1", "content": [part]}]),
            tools=[{"name": "weather", "input_schema": SCHEMA}],
            max_tokens=5,
        )
    )
    assert body["messages"][2]["content"][0]["toolResult"]["content"] == [{"text": "sunny"}]
    assert written.dropped == ("cache_control",)


def test_a_schema_travels_as_text(from_openai: Translate) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "city", "description": "A city", "schema": SCHEMA}}
    body, _ = from_openai(ask(response_format=form))
    kind = body["outputConfig"]["textFormat"]
    assert kind["type"] == "json_schema"
    told = kind["structure"]["jsonSchema"]
    assert (told["name"], told["description"], json.loads(told["schema"])) == ("city", "A city", SCHEMA)


def test_claude_gets_its_own_fields(from_anthropic: Translate) -> None:
    body, _ = from_anthropic(ask(max_tokens=3000, top_k=7, thinking={"type": "enabled", "budget_tokens": 2000}))
    assert body["additionalModelRequestFields"] == {
        "top_k": 7,
        "thinking": {"type": "enabled", "budget_tokens": 2000},
    }
    assert body["inferenceConfig"]["maxTokens"] == 3000


def test_a_budget_comes_with_the_limit_it_is_a_share_of(from_openai: Translate) -> None:
    body, _ = from_openai(ask(reasoning_effort="medium"))
    assert body["inferenceConfig"] == {"maxTokens": 4096}
    assert body["additionalModelRequestFields"]["thinking"] == {"type": "enabled", "budget_tokens": 2048}


def test_newer_claudes_are_told_an_effort(from_openai: Translate) -> None:
    body, _ = from_openai(ask(reasoning_effort="high"), NEW_CLAUDE)
    assert body["outputConfig"] == {"effort": "high"}
    assert body["additionalModelRequestFields"] == {"thinking": {"type": "adaptive"}}
    assert "inferenceConfig" not in body


def test_other_models_get_no_fields_of_claudes(from_openai: Translate, from_anthropic: Translate) -> None:
    body, written = from_openai(ask(reasoning_effort="high"), LLAMA)
    assert "additionalModelRequestFields" not in body
    assert written.dropped == ("reasoning_effort",)
    assert from_anthropic(ask(max_tokens=5, top_k=7), LLAMA)[1].dropped == ("top_k",)


def test_signed_reasoning_goes_back_as_it_came(from_anthropic: Translate) -> None:
    withheld = base64.b64encode(b"withheld").decode()
    thoughts = [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": withheld},
        {"type": "text", "text": "Yes."},
    ]
    body, written = from_anthropic(ask(user("a"), {"role": "assistant", "content": thoughts}, user("b"), max_tokens=5))
    assert body["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}},
        {"reasoningContent": {"redactedContent": withheld}},
        {"text": "Yes."},
    ]
    assert written.dropped == ()


def test_reasoning_of_others_stays_behind(from_openai: Translate) -> None:
    _, written = from_openai(ask(user("a"), {"role": "assistant", "content": "b", "reasoning_content": "x"}, user("c")))
    assert written.dropped == ("reasoning_content",)


@pytest.mark.parametrize(
    "model",
    [
        "anthropic.claude-3-haiku-20240307-v1:0",
        "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghij12",
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_the_model_stands_in_the_address_as_botocore_writes_it(
    from_openai: Translate, model: str, stream: bool
) -> None:
    # The comparison with botocore's path is in the fixture.
    assert "model" not in from_openai(ask(), model, stream)[0]
