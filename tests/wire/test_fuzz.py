"""Any JSON object is read or refused, and any bytes of a provider end in an event."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.wire import CHAT_FORMATS, FORMATS, PROVIDER_CHATS
from ownkey.wire.neutral import AnswerLabel, Conversation

RECORDINGS = Path(__file__).parent / "recordings"
CHAT_REQUEST: dict[str, Any] = json.loads((RECORDINGS / "openai_chat" / "request.json").read_text())
MESSAGES_REQUEST: dict[str, Any] = json.loads((RECORDINGS / "anthropic_messages" / "request.json").read_text())
GEMINI_REQUEST: dict[str, Any] = json.loads((RECORDINGS / "gemini" / "request.json").read_text())
RESPONSES_REQUEST: dict[str, Any] = json.loads((RECORDINGS / "openai_responses" / "request.json").read_text())
TEXT = st.text(max_size=8) | st.sampled_from(["\ud800", "text", "function", "image_url", "data:x;base64,", "user"])
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.just(10**400)
JSON = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=6
)


def mutated(draw: st.DrawFn, value: Any) -> Any:
    """`value` with some of its parts replaced by any JSON, taken away, or joined by unknown fields."""
    dice = draw(st.integers(0, 19))
    if dice == 0:
        return draw(JSON)
    if isinstance(value, dict):
        changed = {key: mutated(draw, inner) for key, inner in value.items() if draw(st.integers(0, 19))}
        return changed | draw(st.dictionaries(TEXT, JSON, max_size=1)) if dice == 1 else changed
    if isinstance(value, list):
        return [mutated(draw, inner) for inner in value if draw(st.integers(0, 9))]
    return value


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    source = draw(st.sampled_from([CHAT_REQUEST, MESSAGES_REQUEST, GEMINI_REQUEST, RESPONSES_REQUEST, {}]))
    changed = mutated(draw, source)
    return changed if isinstance(changed, dict) else {"messages": changed}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(requests(), st.sampled_from(list(CHAT_FORMATS)), st.sampled_from(["claude-sonnet-4-5", "m"]))
def test_any_object_is_read_or_refused(body: dict[str, Any], source: WireFormat, model: str) -> None:
    for format_ in FORMATS.values():
        try:
            format_.outline(body)
        except InvalidRequest:
            continue
    try:
        conversation = CHAT_FORMATS[source].read_request(body)
    except InvalidRequest:
        return
    assert isinstance(conversation, Conversation)
    for target in PROVIDER_CHATS.values():
        try:
            written = target.write_request(conversation, model, True)
        except InvalidRequest:
            continue
        assert isinstance(msgspec.json.decode(written.encoded()), dict)


@pytest.mark.parametrize("format_", list(CHAT_FORMATS.values()), ids=list(CHAT_FORMATS))
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_upstream_bytes_end_in_an_event(format_: Any, data: st.DataObject) -> None:
    piece = st.sampled_from(
        [
            b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n',
            b'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}]}}]}\n\n',
            b'data: {"choices":[{"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"f"}}]}}]}\n\n',
            b'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}}]}\n\n',
            b'data: {"choices":[{"delta":{"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]}}]}\n\n',
            b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
            b"data: [DONE]\n\n",
            b'data: {"type":"message_start","message":{}}\n\n',
            b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text"}}\n\n',
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}\n\n',
            b'data: {"type":"content_block_stop","index":0}\n\n',
            b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}\n\n',
            b'data: {"type":"message_stop"}\n\n',
            b'data: {"candidates":[{"content":{"parts":[{"text":"x"}]}}]}\n\n',
            b'data: {"candidates":[{"content":{"parts":[{"text":"x","thought":true}]}}]}\n\n',
            b'data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]}}]}\n\n',
            b'data: {"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"cw=="}]}}]}\n\n',
            b'data: {"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"totalTokenCount":3}}\n\n',
            b'data: {"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}]}\n\n',
            b'data: {"promptFeedback":{"blockReason":"SAFETY"}}\n\n',
            b'data: {"type":"response.created","response":{"id":"a"}}\n\n',
            b'data: {"type":"response.output_text.delta","output_index":0,"delta":"x"}\n\n',
            b'data: {"type":"response.output_text.done","output_index":1,"text":"x"}\n\n',
            b'data: {"type":"response.reasoning_summary_text.delta","output_index":2,"delta":"x"}\n\n',
            b'data: {"type":"response.output_item.added","item":{"type":"function_call","call_id":"a","name":"f"}}\n\n',
            b'data: {"type":"response.function_call_arguments.delta","delta":"{}"}\n\n',
            b'data: {"type":"response.output_item.done","item":{"type":"reasoning","encrypted_content":"x"}}\n\n',
            b'data: {"type":"response.completed","response":{"status":"completed"}}\n\n',
            b'data: {"type":"response.failed","response":{"error":{"code":"x"}}}\n\n',
            b"event: error\n",
            b"data: {",
            b"\n\n",
            b"\xff",
        ]
    ) | st.binary(max_size=10)
    pieces = data.draw(st.lists(piece, max_size=12))
    reader = format_.reader()
    events = [event for part in pieces for event in reader.feed(part)] + reader.finish()
    assert [type(event).__name__ for event in events].count("Finished") == int(reader.ended)
    assert (reader.error is None) == reader.ended
    for target in CHAT_FORMATS.values():
        writer = target.writer(AnswerLabel("m", 1, "i"), True)
        written = b"".join(map(writer.write, events)) + writer.finish()
        assert written.endswith(b"\n\n")
