"""Streams in one format become streams in another that the vendors' SDKs accept and accumulate."""

import json
from pathlib import Path
from typing import Any

from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import TypeAdapter

from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire import CHAT_FORMATS, ChatFormat, ErrorKind, WireError
from ownkey.wire.events import (
    Event,
    Finished,
    Pinged,
    ReasoningDelta,
    ReasoningRedacted,
    ReasoningSigned,
    Started,
    Stopped,
    StreamFailed,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
)
from ownkey.wire.neutral import ANTHROPIC_REASONING, AnswerLabel, Stop, StopReason
from ownkey.wire.sse import SseParser

CHAT = CHAT_FORMATS[WireFormat.OPENAI_CHAT]
MESSAGES = CHAT_FORMATS[WireFormat.ANTHROPIC_MESSAGES]
RECORDINGS = Path(__file__).parent / "recordings"
EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


def recorded(name: str) -> list[Event]:
    path = RECORDINGS / f"{name}.sse"
    reader = CHAT_FORMATS[WireFormat(path.parent.name)].reader()
    return reader.feed(path.read_bytes()) + reader.finish()


def read(format_: ChatFormat, *data: bytes) -> list[Event]:
    reader = format_.reader()
    return [event for piece in data for event in reader.feed(piece)] + reader.finish()


def written(format_: ChatFormat, events: list[Event], include_usage: bool = True) -> bytes:
    writer = format_.writer(AnswerLabel("the-model", 1764, "id-1"), include_usage)
    return b"".join(map(writer.write, events)) + writer.finish()


def chat_completion(data: bytes) -> ChatCompletion:
    """What the OpenAI SDK makes of a stream."""
    state: Any = ChatCompletionStreamState()
    *frames, last = SseParser().feed(data)
    assert last == (b"", b"[DONE]")
    for _, payload in frames:
        chunk = ChatCompletionChunk.model_validate_json(payload, strict=True)
        assert (chunk.id, chunk.created, chunk.model) == ("id-1", 1764, "the-model")
        state.handle_chunk(chunk)
    return ChatCompletion.model_validate(state.current_completion_snapshot.to_dict(), strict=True)


def message(data: bytes) -> Message:
    """What the Anthropic SDK makes of a stream, whose blocks must come one after the other."""
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    opened = -1
    is_open = False
    frames = SseParser().feed(data)
    for name, payload in frames:
        assert json.loads(payload)["type"] == name.decode()
        if name == b"ping":
            continue
        event = EVENT.validate_json(payload, strict=True)
        if event.type == "content_block_start":
            assert not is_open
            opened, is_open = opened + 1, True
        if event.type.startswith("content_block"):
            assert is_open
            assert event.index == opened
        if event.type == "content_block_stop":
            is_open = False
        snapshot = accumulate_event(event=event, current_snapshot=snapshot, json_bufs=buffers)
    assert frames[-1][0] == b"message_stop"
    assert not is_open
    return Message.model_validate(snapshot.to_dict(), strict=True)


def test_every_recording_is_valid_in_every_format(recording: Path) -> None:
    events = recorded(f"{recording.parent.name}/{recording.stem}")
    chat_completion(written(CHAT, events))
    chat_completion(written(CHAT, events, include_usage=False))
    message(written(MESSAGES, events))


def test_reading_chat_text() -> None:
    assert recorded("openai_chat/text") == [
        Started("chatcmpl-9", "gpt-5-mini-2025-08-07"),
        TextDelta(0, "Grüße"),
        TextDelta(0, " aus Köln"),
        TextDelta(0, " 👋🏽"),
        TextDelta(0, ' "usage":{} [DONE]\n\ndata: [DONE]'),
        Stopped(Stop(StopReason.END)),
        UsageReported(Usage(31, 17, 16, 0, 5)),
        Finished(),
    ]


def test_reading_interleaved_calls() -> None:
    assert recorded("openai_chat/interleaved_tools")[1:-3] == [
        TextDelta(0, "Let me look."),
        ToolCallStarted(1, "call_a", "weather"),
        ToolCallStarted(2, "call_b", "time"),
        ToolCallDelta(1, '{"city":'),
        ToolCallDelta(2, '{"zone"'),
        ToolCallDelta(1, '"Köln"}'),
        ToolCallDelta(2, ':"CET"}'),
        ToolCallStarted(3, "call_c", "now"),
        ToolCallDelta(3, "{}"),
    ]


def test_reading_messages_with_thinking_and_tools() -> None:
    assert recorded("anthropic_messages/thinking_and_tools") == [
        Started("msg_01", "claude-sonnet-4-5-20250929", Usage(132, 1, 100, 7)),
        ReasoningDelta(0, "Need", ANTHROPIC_REASONING),
        ReasoningDelta(0, " weather.", ANTHROPIC_REASONING),
        ReasoningSigned(0, "EqQBCgIYAhIM==", ANTHROPIC_REASONING),
        ReasoningRedacted(1, "EmwKAhgB", ANTHROPIC_REASONING),
        TextDelta(2, "I look."),
        ToolCallStarted(3, "toolu_01", "weather"),
        ToolCallDelta(3, '{"city": "K'),
        ToolCallDelta(3, 'öln"}'),
        ToolCallStarted(4, "toolu_02", "now"),
        ToolCallDelta(4, "{}"),
        Stopped(Stop(StopReason.TOOL_USE)),
        UsageReported(Usage(132, 42, 100, 7, 12)),
        Finished(),
    ]


def test_chat_text_for_an_anthropic_client() -> None:
    answer = message(written(MESSAGES, recorded("openai_chat/text")))
    assert [block.to_dict() for block in answer.content] == [
        {"type": "text", "text": 'Grüße aus Köln 👋🏽 "usage":{} [DONE]\n\ndata: [DONE]'}
    ]
    assert answer.stop_reason == "end_turn"
    assert (answer.usage.input_tokens, answer.usage.cache_read_input_tokens, answer.usage.output_tokens) == (15, 16, 17)
    assert answer.usage.output_tokens_details is not None
    assert answer.usage.output_tokens_details.thinking_tokens == 5


def test_interleaved_calls_for_an_anthropic_client_come_one_after_the_other() -> None:
    answer = message(written(MESSAGES, recorded("openai_chat/interleaved_tools")))
    assert [block.to_dict() for block in answer.content] == [
        {"type": "text", "text": "Let me look."},
        {"type": "tool_use", "id": "call_a", "name": "weather", "input": {"city": "Köln"}},
        {"type": "tool_use", "id": "call_b", "name": "time", "input": {"zone": "CET"}},
        {"type": "tool_use", "id": "call_c", "name": "now", "input": {}},
    ]
    assert answer.stop_reason == "tool_use"


def test_a_call_goes_out_as_it_comes_and_the_next_as_soon_as_it_is_whole() -> None:
    writer = MESSAGES.writer(AnswerLabel("m", 1, "id"), True)
    writer.write(Started("x", "m"))
    assert b"content_block_start" in writer.write(ToolCallStarted(0, "a", "f"))
    assert b"partial_json" in writer.write(ToolCallDelta(0, '{"x":'))
    assert writer.write(ToolCallStarted(1, "b", "g")) == b""
    assert writer.write(ToolCallDelta(1, '{"y"')) == b""
    released = writer.write(ToolCallDelta(0, "1}"))
    assert released.index(b'"1}"') < released.index(b"content_block_stop") < released.index(b'"name":"g"')
    assert b"y" in writer.write(ToolCallDelta(1, ":2}"))
    assert writer.write(ToolCallDelta(0, " ")) == b""


def test_waiting_calls_are_bounded() -> None:
    writer = MESSAGES.writer(AnswerLabel("m", 1, "id"), True)
    for event in (Started("x", "m"), ToolCallStarted(0, "a", "f"), ToolCallStarted(1, "b", "g")):
        writer.write(event)
    piece = "x" * 1_000_000
    outputs = [writer.write(ToolCallDelta(1, piece)) for _ in range(20)]
    assert sum(b"event: error" in output for output in outputs) == 1
    assert writer.finish() == b""


def test_messages_for_an_openai_client_keep_signatures_and_tools() -> None:
    answer: Any = chat_completion(written(CHAT, recorded("anthropic_messages/thinking_and_tools")))
    told = answer.choices[0].message
    assert told.content == "I look."
    assert told.reasoning_content == "Need weather."
    assert told.reasoning_details == [
        {
            "type": "reasoning.text",
            "text": "Need weather.",
            "signature": "EqQBCgIYAhIM==",
            "format": "anthropic-claude-v1",
            "index": 0,
        },
        {"type": "reasoning.encrypted", "data": "EmwKAhgB", "format": "anthropic-claude-v1", "index": 1},
    ]
    assert [(call.id, call.function.name, call.function.arguments) for call in told.tool_calls] == [
        ("toolu_01", "weather", '{"city": "Köln"}'),
        ("toolu_02", "now", "{}"),
    ]
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.usage.prompt_tokens == 132
    assert answer.usage.total_tokens == 174
    assert answer.usage.prompt_tokens_details.cached_tokens == 100
    assert answer.usage.prompt_tokens_details.cache_write_tokens == 7
    assert answer.usage.completion_tokens_details.reasoning_tokens == 12


def test_signatures_pass_through_an_openai_client_unchanged() -> None:
    answer = chat_completion(written(CHAT, recorded("anthropic_messages/thinking_and_tools")))
    returned = answer.choices[0].message.to_dict()
    conversation = CHAT.read_request({"model": "m", "messages": [{"role": "user", "content": "?"}, returned]})
    body = json.loads(MESSAGES.write_request(conversation, "claude", False).encoded())
    assert body["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Need weather.", "signature": "EqQBCgIYAhIM=="},
        {"type": "redacted_thinking", "data": "EmwKAhgB"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "toolu_01", "name": "weather", "input": {"city": "Köln"}},
        {"type": "tool_use", "id": "toolu_02", "name": "now", "input": {}},
    ]


def test_signed_reasoning_of_a_router_for_an_anthropic_client() -> None:
    answer = message(written(MESSAGES, recorded("openai_chat/signed_reasoning")))
    assert [block.to_dict() for block in answer.content] == [
        {"type": "thinking", "thinking": "The user waits.", "signature": "EqRk/sig=="},
        {"type": "redacted_thinking", "data": "R0lG"},
        {"type": "text", "text": "Hi"},
    ]


def test_unsigned_reasoning_for_an_anthropic_client() -> None:
    answer = message(written(MESSAGES, recorded("openai_chat/plain_reasoning")))
    assert [block.to_dict() for block in answer.content] == [
        {"type": "thinking", "thinking": "Hmm …", "signature": ""},
        {"type": "text", "text": "42"},
    ]
    assert answer.stop_reason == "max_tokens"


def test_the_usage_chunk_comes_only_when_asked() -> None:
    events = recorded("anthropic_messages/text")
    with_usage = [json.loads(data) for _, data in SseParser().feed(written(CHAT, events))[:-1]]
    assert with_usage[-1]["choices"] == []
    assert with_usage[-1]["usage"]["prompt_tokens"] == 132
    assert all(chunk["usage"] is None for chunk in with_usage[:-1])
    assert b"usage" not in written(CHAT, events, include_usage=False)


def test_a_refusal_is_explained_to_both() -> None:
    answer: Any = chat_completion(written(CHAT, recorded("anthropic_messages/refusal")))
    assert answer.choices[0].finish_reason == "content_filter"
    assert answer.choices[0].message.refusal == "Not this."
    refused = b"".join(
        b'data: {"id":"a","choices":[{"index":0,"delta":%b,"finish_reason":%b}]}\n\n' % (delta, finish)
        for delta, finish in [(b'{"refusal":"I "}', b"null"), (b'{"refusal":"won\'t"}', b'"stop"')]
    )
    told = message(written(MESSAGES, read(CHAT, refused + b"data: [DONE]\n\n")))
    assert told.stop_reason == "refusal"
    assert [block.to_dict() for block in told.content] == [{"type": "text", "text": "I won't"}]


def test_pings_are_relayed() -> None:
    assert Pinged() in recorded("anthropic_messages/text")
    assert written(CHAT, [Started("x", "m"), Pinged()]).count(CHAT.ping) == 1
    assert SseParser().feed(CHAT.ping) == []
    assert SseParser().feed(MESSAGES.ping) == [(b"ping", b'{"type":"ping"}')]


def test_an_error_reaches_each_client_in_its_shape() -> None:
    events: list[Event] = [
        Started("x", "m"),
        TextDelta(0, "a"),
        StreamFailed(WireError(ErrorKind.OVERLOADED, "Too busy.", 529, "overloaded_error")),
    ]
    frames = SseParser().feed(written(CHAT, events))
    assert json.loads(frames[-1][1]) == {
        "error": {"message": "Too busy.", "type": "server_error", "param": None, "code": "overloaded_error"}
    }
    frames = SseParser().feed(written(MESSAGES, events))
    assert frames[-1][0] == b"error"
    assert json.loads(frames[-1][1]) == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Too busy."},
    }


def test_nothing_is_written_after_the_end() -> None:
    for format_ in CHAT_FORMATS.values():
        writer = format_.writer(AnswerLabel("m", 1, "id"), True)
        for event in (Started("x", "m"), Finished()):
            writer.write(event)
        assert writer.write(TextDelta(0, "late")) == writer.write(Finished()) == writer.finish() == b""
