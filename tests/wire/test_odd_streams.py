"""Streams that break their format fail in an event, and the dialects of compatible providers are understood."""

import pytest

from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire import CHAT_FORMATS, ChatFormat, ErrorKind
from ownkey.wire.events import (
    Event,
    Finished,
    ReasoningDelta,
    Stopped,
    StreamFailed,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
)
from ownkey.wire.neutral import Stop, StopReason

CHAT = CHAT_FORMATS[WireFormat.OPENAI_CHAT]
MESSAGES = CHAT_FORMATS[WireFormat.ANTHROPIC_MESSAGES]
GEMINI = CHAT_FORMATS[WireFormat.GEMINI]


def read(format_: ChatFormat, *data: bytes) -> list[Event]:
    reader = format_.reader()
    return [event for piece in data for event in reader.feed(piece)] + reader.finish()


CHUNK = b'data: {"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'
START = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"a","model":"m",'
    b'"usage":{"input_tokens":1,"output_tokens":1}}}\n\n'
)


@pytest.mark.parametrize(
    ("data", "message", "kind"),
    [
        (b'data: {"error":{"message":"No.","type":"rate_limit_error"}}\n\n', "No.", ErrorKind.RATE_LIMIT),
        (CHUNK + b'data: {"error":{"message":"No.","code":429}}\n\n', "No.", ErrorKind.RATE_LIMIT),
        (CHUNK + b'event: error\ndata: {"message":"No.","code":"401"}\n\n', "No.", ErrorKind.AUTHENTICATION),
        (b'data: {"object":"error","message":"No.","code":404}\n\n', "No.", ErrorKind.NOT_FOUND),
        (b'data: {"choices":[{"delta":{},"finish_reason":"error"}]}\n\n', "broke off", ErrorKind.SERVER),
        (b"data: [DONE]\n\n", "before it began", ErrorKind.SERVER),
        (b"", "ended before", ErrorKind.SERVER),
        (CHUNK, "ended before", ErrorKind.SERVER),
        (CHUNK + b"data: {]\n\n", "own format", ErrorKind.SERVER),
        (CHUNK + b"data: \xff\xfe\n\n", "own format", ErrorKind.SERVER),
        (CHUNK + b'data: {"choices":[{"delta":{"content":"\xff"}}]}\n\n', "own format", ErrorKind.SERVER),
        (CHUNK + b"data: " + b"[" * 100_000 + b"\n\n", "own format", ErrorKind.SERVER),
        (CHUNK + b"data: null\n\n", "own format", ErrorKind.SERVER),
        (CHUNK + b"data: {}\n\n", "own format", ErrorKind.SERVER),
        (CHUNK + b'data: {"choices":7}\n\n', "own format", ErrorKind.SERVER),
        (CHUNK + b'data: {"choices":[{"delta":{"content":7}}]}\n\n', "own format", ErrorKind.SERVER),
        (CHUNK + b'data: {"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}\n\n', "own format", ErrorKind.SERVER),
        (CHUNK + b'data: {"choices":[],"usage":{"prompt_tokens":-1}}\n\n', "own format", ErrorKind.SERVER),
        (CHUNK + b'data: {"choices":[],"usage":{"prompt_tokens":"1"}}\n\n', "own format", ErrorKind.SERVER),
        (CHUNK + b"data: " + b"x" * 9_000_000, "too large", ErrorKind.SERVER),
        (b'{\r\n "error": {"message": "No.", "code": 402}\r\n}', "No.", ErrorKind.BILLING),
        (b"<html>502 Bad Gateway</html>", "ended before", ErrorKind.SERVER),
    ],
    ids=range(22),
)
def test_malformed_chat_streams_fail(data: bytes, message: str, kind: ErrorKind) -> None:
    *_, last = read(CHAT, data)
    assert isinstance(last, StreamFailed)
    assert message in last.error.message
    assert last.error.kind is kind


@pytest.mark.parametrize(
    ("data", "message", "kind"),
    [
        (
            b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"No."}}\n\n',
            "No.",
            ErrorKind.OVERLOADED,
        ),
        (
            START + b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"No."}}\n\n',
            "No.",
            ErrorKind.SERVER,
        ),
        (b'event: error\ndata: {"error":{"type":"api_error","message":"No."}}\n\n', "own format", ErrorKind.SERVER),
        (b'data: {"type":"message_stop"}\n\n', "own format", ErrorKind.SERVER),
        (START + START, "own format", ErrorKind.SERVER),
        (START, "ended before", ErrorKind.SERVER),
        (
            START + b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}\n\n',
            "own format",
            ErrorKind.SERVER,
        ),
        (START + b'data: {"type":"content_block_stop","index":0}\n\n', "own format", ErrorKind.SERVER),
        (START + b'data: {"type":"content_block_start","index":0}\n\n', "own format", ErrorKind.SERVER),
        (
            START + b'data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use"}}\n\n',
            "own format",
            ErrorKind.SERVER,
        ),
        (START + b'data: {"type":"message_delta","usage":{"output_tokens":-4}}\n\n', "own format", ErrorKind.SERVER),
        (START + b"data: garbage\n\n", "own format", ErrorKind.SERVER),
    ],
    ids=range(12),
)
def test_malformed_message_streams_fail(data: bytes, message: str, kind: ErrorKind) -> None:
    *_, last = read(MESSAGES, data)
    assert isinstance(last, StreamFailed)
    assert message in last.error.message
    assert last.error.kind is kind


ANSWERING = b'data: {"candidates":[{"content":{"parts":[{"text":"x"}]}}],"responseId":"r"}\n\n'


@pytest.mark.parametrize(
    ("data", "message", "kind"),
    [
        (
            b'data: {"error":{"code":429,"message":"No.","status":"RESOURCE_EXHAUSTED"}}\n\n',
            "No.",
            ErrorKind.RATE_LIMIT,
        ),
        (ANSWERING + b'data: {"error":{"code":503,"message":"No."}}\n\n', "No.", ErrorKind.SERVER),
        (ANSWERING + b'data: {"error":{"code":503,"message":"No."}}', "No.", ErrorKind.SERVER),
        (b'[{\r\n "error": {"message": "No.", "code": 404}\r\n}\r\n]', "No.", ErrorKind.NOT_FOUND),
        (b'{\n  "error": {"message": "No.", "code": 404}\n}\n', "No.", ErrorKind.NOT_FOUND),
        (
            ANSWERING + b'data: {"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"f("}]}\n\n',
            "MALFORMED_FUNCTION_CALL): f(",
            ErrorKind.SERVER,
        ),
        (b"", "ended before", ErrorKind.SERVER),
        (ANSWERING, "ended before", ErrorKind.SERVER),
        (ANSWERING + b'data: {"candidates":[{"finishReason":"ST', "ended before", ErrorKind.SERVER),
        (ANSWERING + b"data: {]\n\n", "own format", ErrorKind.SERVER),
        (ANSWERING + b"data: {}\n\n", "own format", ErrorKind.SERVER),
        (ANSWERING + b"data: null\n\n", "own format", ErrorKind.SERVER),
        (ANSWERING + b'data: {"candidates":7}\n\n', "own format", ErrorKind.SERVER),
        (
            ANSWERING + b'data: {"candidates":[{"content":{"parts":[{"text":"\xff"}]}}]}\n\n',
            "own format",
            ErrorKind.SERVER,
        ),
        (
            ANSWERING + b'data: {"candidates":[{"content":{"parts":[{"functionCall":{"args":{}}}]}}]}\n\n',
            "own format",
            ErrorKind.SERVER,
        ),
        (ANSWERING + b'data: {"usageMetadata":{"promptTokenCount":-1}}\n\n', "own format", ErrorKind.SERVER),
        (ANSWERING + b"data: " + b"x" * 9_000_000, "too large", ErrorKind.SERVER),
    ],
    ids=range(17),
)
def test_malformed_gemini_streams_fail(data: bytes, message: str, kind: ErrorKind) -> None:
    *_, last = read(GEMINI, data)
    assert isinstance(last, StreamFailed)
    assert message in last.error.message
    assert last.error.kind is kind


def test_gemini_totals_may_follow_the_end_and_other_candidates_are_left_out() -> None:
    data = ANSWERING + (
        b'data: {"candidates":[{"index":1,"content":{"parts":[{"text":"other"}]},"finishReason":"STOP"}]}\n\n'
        b'data: {"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"totalTokenCount":9}}\n\n'
        b'data: {"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":7,"totalTokenCount":10}}'
    )
    assert read(GEMINI, data)[1:] == [
        TextDelta(0, "x"),
        Stopped(Stop(StopReason.END)),
        UsageReported(Usage(3, 6)),
        UsageReported(Usage(3, 7)),
        Finished(),
    ]


def test_dialects_of_compatible_providers() -> None:
    def deltas(*deltas: str, tail: str = "") -> list[Event]:
        chunks = "".join(f'data: {{"id":"a","choices":[{{"delta":{delta}}}]}}\n\n' for delta in deltas)
        return read(CHAT, f"{chunks}{tail}data: [DONE]\n\n".encode())[1:]

    call = '{{"tool_calls":[{{"index":0,"id":"{}","function":{{"name":"f","arguments":"{{}}"}}}}]}}'
    assert deltas(call.format("a"), call.format("b")) == [
        ToolCallStarted(0, "a", "f"),
        ToolCallDelta(0, "{}"),
        ToolCallStarted(1, "b", "f"),
        ToolCallDelta(1, "{}"),
        Stopped(Stop(StopReason.TOOL_USE)),
        Finished(),
    ]
    assert deltas('{"tool_calls":[{"function":{"name":"f"}}]}')[0] == ToolCallStarted(0, "call_a_0", "f")
    pieces = '{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"x"}]}'
    assert deltas(pieces)[:2] == [ReasoningDelta(0, "hm"), TextDelta(1, "x")]
    usage = 'data: {"choices":[],"usage":{"prompt_tokens":1.0,"completion_tokens":2.0,"total_tokens":9}}\n\n'
    assert UsageReported(Usage(1, 8)) in deltas('{"content":"x"}', tail=usage * 2)


def test_a_call_whose_input_comes_whole() -> None:
    data = START + (
        b'data: {"type":"content_block_start","index":0,"content_block":'
        b'{"type":"tool_use","id":"t","name":"f","input":{"a":1.50}}}\n\n'
        b'data: {"type":"content_block_stop","index":0}\n\ndata: {"type":"message_stop"}\n\n'
    )
    assert read(MESSAGES, data)[1:3] == [ToolCallStarted(0, "t", "f"), ToolCallDelta(0, '{"a":1.50}')]
