"""What a plan learns of a request, and what preferences add to it."""

from typing import Any

import pytest

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.wire import FORMATS, Outline

CHAT = FORMATS[WireFormat.OPENAI_CHAT]
MESSAGES = FORMATS[WireFormat.ANTHROPIC_MESSAGES]
EMBEDDINGS = FORMATS[WireFormat.OPENAI_EMBEDDINGS]


def test_every_wire_format_has_an_entry() -> None:
    assert set(FORMATS) == set(WireFormat)
    assert all(FORMATS[name].name is name for name in FORMATS)


def test_the_newer_limit_wins_in_chat() -> None:
    body = {"model": "m", "messages": [], "stream": True, "max_tokens": 5, "max_completion_tokens": 7}
    assert CHAT.outline(body) == Outline("m", True, 7)


def test_outlines_of_the_other_formats() -> None:
    assert MESSAGES.outline({"model": "m", "messages": [], "max_tokens": 0}) == Outline("m", False, 0)
    assert EMBEDDINGS.outline({"model": "m", "input": ["a"]}) == Outline("m", False, 0)


@pytest.mark.parametrize(
    ("format_", "body", "param"),
    [
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
    assert CHAT.defaults({}, 0.5, 100, ("max_completion_tokens",)) == {
        "temperature": 0.5,
        "max_completion_tokens": 100,
    }
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
