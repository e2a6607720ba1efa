"""What a plan learns of a request, and what preferences add to it."""

from typing import Any

import pytest

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.wire import FORMATS, PROVIDER_CHATS, PROVIDER_RERANKS, Outline

CHAT = FORMATS[WireFormat.OPENAI_CHAT]
MESSAGES = FORMATS[WireFormat.ANTHROPIC_MESSAGES]
EMBEDDINGS = FORMATS[WireFormat.OPENAI_EMBEDDINGS]
GEMINI = FORMATS[WireFormat.GEMINI]
COUNT = FORMATS[WireFormat.GEMINI_COUNT_TOKENS]
EMBED = FORMATS[WireFormat.GEMINI_EMBED]
BATCH = FORMATS[WireFormat.GEMINI_BATCH_EMBED]


def test_every_wire_format_has_an_entry() -> None:
    assert {*FORMATS, *PROVIDER_CHATS, *PROVIDER_RERANKS} == set(WireFormat)
    assert all(FORMATS[name].name is name for name in FORMATS)
    assert all(PROVIDER_CHATS[name].name is name for name in PROVIDER_CHATS)


def test_the_newer_limit_wins_in_chat() -> None:
    body = {"model": "m", "messages": [], "stream": True, "max_tokens": 5, "max_completion_tokens": 7}
    assert CHAT.outline(body) == Outline("m", True, 7)


def test_outlines_of_the_other_formats() -> None:
    assert MESSAGES.outline({"model": "m", "messages": [], "max_tokens": 0}) == Outline("m", False, 0)
    assert EMBEDDINGS.outline({"model": "m", "input": ["a"]}) == Outline("m", False, 0)


def test_gemini_tells_the_limit_in_either_spelling_and_the_model_by_its_address() -> None:
    assert GEMINI.outline({"contents": []}) == Outline("")
    assert GEMINI.outline({"contents": {}, "generationConfig": {"maxOutputTokens": 7}}) == Outline("", False, 7)
    assert GEMINI.outline({"contents": [], "generation_config": {"max_output_tokens": 7}}) == Outline("", False, 7)
    assert COUNT.outline({"generateContentRequest": {}}) == Outline("", False, 0)
    assert EMBED.outline({"content": {}}) == BATCH.outline({"requests": []}) == Outline("", False, 0)


def test_gemini_addresses() -> None:
    path = "/models/{model}"
    assert GEMINI.address(path, "gemini-2.5-flash", False) == "/models/gemini-2.5-flash:generateContent"
    assert GEMINI.address(path, "models/a/b", True) == "/models/a%2Fb:streamGenerateContent?alt=sse"
    assert COUNT.address(f"{path}:countTokens", "models/m", False) == "/models/m:countTokens"


def test_gemini_preferences_go_where_the_client_puts_its_own() -> None:
    assert GEMINI.defaults({}, 0.5, 100) == {"generationConfig": {"temperature": 0.5, "maxOutputTokens": 100}}
    given = {"generation_config": {"temperature": 0, "max_output_tokens": 5, "top_p": 1}}
    assert GEMINI.defaults(given, 0.5, 100) == {}
    assert GEMINI.defaults({"generation_config": {"top_p": 1}}, None, 9) == {
        "generation_config": {"top_p": 1, "maxOutputTokens": 9}
    }


def test_the_upstreams_model_is_named_wherever_a_body_names_it() -> None:
    assert EMBED.rename is not None
    assert COUNT.rename is not None
    assert BATCH.rename is not None
    assert EMBED.rename({"content": {}}, "m") == {}
    assert EMBED.rename({"content": {}, "model": "models/x/m"}, "m") == {"model": "models/m"}
    assert COUNT.rename({"contents": []}, "m") == {}
    assert COUNT.rename({"generate_content_request": {"model": "x", "a": 1}}, "m") == {
        "generate_content_request": {"model": "models/m", "a": 1}
    }
    assert BATCH.rename({"requests": [{"model": "x", "a": 1}, {}]}, "models/m") == {
        "requests": [{"model": "models/m", "a": 1}, {"model": "models/m"}]
    }


@pytest.mark.parametrize(
    ("format_", "body", "param"),
    [
        (GEMINI, {}, "contents"),
        (GEMINI, {"contents": "x"}, "contents"),
        (GEMINI, {"contents": [], "generationConfig": {"maxOutputTokens": 0}}, "generationConfig.maxOutputTokens"),
        (COUNT, {}, "contents"),
        (EMBED, {}, "content"),
        (BATCH, {"requests": "x"}, "requests"),
        (CHAT, {"messages": []}, "model"),
        (CHAT, {"model": 1, "messages": []}, "model"),
        (CHAT, {"model": "m"}, "messages"),
        (CHAT, {"model": "m", "messages": {}}, "messages"),
        (CHAT, {"model": "m", "messages": [], "stream": "yes"}, "stream"),
        (CHAT, {"model": "m", "messages": [], "max_tokens": 0}, "max_tokens"),
        (CHAT, {"model": "m", "messages": [], "max_tokens": -5}, "max_tokens"),
        (CHAT, {"model": "m", "messages": [], "max_completion_tokens": 10_000_001}, "max_completion_tokens"),
        (CHAT, {"model": "m", "messages": [], "max_tokens": 10**5000}, "max_tokens"),
        (CHAT, {"model": "m", "messages": [], "max_tokens": True}, "max_tokens"),
        (MESSAGES, {"model": "m", "messages": [], "max_tokens": -1}, "max_tokens"),
        (MESSAGES, {"model": "m", "messages": [], "max_tokens": 10**30}, "max_tokens"),
        (MESSAGES, {"model": "m", "messages": [], "max_tokens": 1.5}, "max_tokens"),
        (EMBEDDINGS, {"model": "m"}, "input"),
        (EMBEDDINGS, {"model": None, "input": "a"}, "model"),
    ],
)
def test_a_bad_field_is_named(format_: Any, body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        format_.outline(body)
    assert caught.value.param == param


def test_defaults_fill_only_what_the_client_left_open() -> None:
    assert CHAT.defaults({}, 0.5, 100) == {"temperature": 0.5, "max_tokens": 100}
    assert CHAT.defaults({"temperature": 0, "max_completion_tokens": 1}, 0.5, 100) == {}
    assert CHAT.defaults({"temperature": None, "max_tokens": 1}, 0.5, 100) == {"temperature": 0.5}
    assert CHAT.defaults({}, None, None) == {}
    assert MESSAGES.defaults({}, 1.5, 100) == {"temperature": 1.0, "max_tokens": 100}
    assert MESSAGES.defaults({"temperature": 0.1, "max_tokens": 1}, 0.5, 100) == {}
    assert EMBEDDINGS.defaults({}, 0.5, 100) == {}


def test_usage_is_asked_for_in_streams_alone_and_once() -> None:
    asked = {"stream_options": {"include_usage": True}}
    assert CHAT.ask_usage({"stream": True}) == asked
    assert CHAT.ask_usage({"stream": True, "stream_options": None}) == asked
    assert CHAT.ask_usage({"stream": True, "stream_options": {"include_usage": False}}) == asked
    assert CHAT.ask_usage({"stream": True, "stream_options": {"include_obfuscation": False}}) == {
        "stream_options": {"include_obfuscation": False, "include_usage": True}
    }
    assert CHAT.ask_usage({"stream": True, **asked}) == {}
    assert CHAT.ask_usage({"stream": False}) == {}
    assert CHAT.ask_usage({}) == {}
    assert MESSAGES.ask_usage({"stream": True}) == {}
    assert EMBEDDINGS.ask_usage({}) == {}
