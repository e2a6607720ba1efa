"""The estimate of a request's tokens: roughly right for text, never less for more."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownkey.domain.errors import InvalidRequest, UnsupportedField
from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire import FORMATS
from ownkey.wire.count_tokens import estimate_message
from ownkey.wire.counting import text_tokens


def count(**body: Any) -> int:
    asked = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]} | body
    return json.loads(estimate_message(asked))["input_tokens"]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        # Counted with OpenAI's o200k vocabulary.
        ("The request is planned before it is sent, and every key belongs to its user.", 17),
        ("请求在发送之前先进行规划。所有密钥都属于用户，网关只负责转发请求并记录用量。", 27),
        ('{"id":1700000000,"ok":true,"items":[1,2,3],"name":"x"}', 24),
        ("def add(a: int, b: int) -> int:\n    return a + b\n", 19),
    ],
)
def test_texts_are_about_right(text: str, tokens: int) -> None:
    assert 0.6 * tokens <= text_tokens(text) <= 1.4 * tokens


@given(st.text(max_size=100), st.text(max_size=100))
def test_more_text_is_never_less(one: str, other: str) -> None:
    assert text_tokens(one + other) == pytest.approx(text_tokens(one) + text_tokens(other))


def test_everything_a_model_reads_counts() -> None:
    plain = count()
    tool = {"name": "look", "description": "Looks around", "input_schema": {"type": "object"}}
    image = {"type": "image", "source": {"type": "url", "url": "https://x.invalid/a.png"}}
    pdf = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "A" * 400_000}}
    call = {"type": "tool_use", "id": "t", "name": "look", "input": {"at": "the window"}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": "a tree"}
    talk: list[Any] = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": [call]}]
    assert plain < count(system="Be brief.") < count(system=[{"type": "text", "text": "Be brief." * 9}])
    assert plain < count(tools=[tool]) < count(tools=[tool, tool | {"name": "other"}])
    assert count(messages=[{"role": "user", "content": [image]}]) > 1600
    assert count(messages=[{"role": "user", "content": [pdf]}]) > 6000
    assert plain < count(messages=talk) < count(messages=[*talk, {"role": "user", "content": [result]}])
    assert plain < count(output_config={"format": {"type": "json_schema", "schema": {"type": "object"}}})


def test_no_limit_is_needed_and_none_counts() -> None:
    assert count(max_tokens=5, stream=True) == count()


def test_what_the_message_itself_would_be_refused_for_is_refused() -> None:
    with pytest.raises(UnsupportedField):
        count(messages=[{"role": "user", "content": [{"type": "search_result"}]}])
    with pytest.raises(InvalidRequest):
        count(messages=[])


def test_counting_uses_nothing() -> None:
    format_ = FORMATS[WireFormat.ANTHROPIC_COUNT_TOKENS]
    assert format_.usage_of(b'{"input_tokens": 500}') == Usage()
    assert format_.usage_of(b'{"error": {}}') is None
    assert format_.outline({"model": "m", "messages": [], "stream": True}).stream is False
