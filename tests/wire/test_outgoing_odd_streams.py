"""Streams of Cohere and Ollama that break their format fail in an event, within bounded memory."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ownkey.domain.formats import WireFormat
from ownkey.wire import CHAT_FORMATS, PROVIDER_CHATS, ErrorKind, MalformedAnswer
from ownkey.wire.events import Event, Finished, Stopped, StreamFailed, TextDelta, UsageReported
from ownkey.wire.neutral import AnswerLabel, Stop, StopReason

START = b'data: {"type":"message-start","id":"a","delta":{"message":{"role":"assistant"}}}\n\n'
TEXT = b'data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"x"}}}}\n\n'
CALL = (
    b'data: {"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"c","function":{"name":"f"}}}}}'
    b"\n\n"
)
ARGUMENTS = (
    b'data: {"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{}"}}}}}\n\n'
)
END = b'data: {"type":"message-end","delta":{"finish_reason":"COMPLETE"}}\n\n'
LINE = b'{"model":"m","created_at":"t","message":{"role":"assistant","content":"x"},"done":false}\n'
DONE = b'{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}\n'


def end_of(reason: bytes, more: bytes = b"") -> bytes:
    return b'data: {"type":"message-end","delta":{"finish_reason":"' + reason + b'"' + more + b"}}\n\n"


def read(format_: WireFormat, *data: bytes) -> list[Event]:
    reader = PROVIDER_CHATS[format_].reader()
    return [event for piece in data for event in reader.feed(piece)] + reader.finish()


@pytest.mark.parametrize(
    ("data", "message", "kind"),
    [
        (b"", "ended before", ErrorKind.SERVER),
        (START + TEXT, "ended before", ErrorKind.SERVER),
        (TEXT, "own format", ErrorKind.SERVER),
        (END, "own format", ErrorKind.SERVER),
        (START + START, "own format", ErrorKind.SERVER),
        (START + b"data: {]\n\n", "own format", ErrorKind.SERVER),
        (START + b"data: \xff\xfe\n\n", "own format", ErrorKind.SERVER),
        (START + b"data: null\n\n", "own format", ErrorKind.SERVER),
        (START + b"data: {}\n\n", "own format", ErrorKind.SERVER),
        (START + b"data: " + b"[" * 100_000 + b"\n\n", "own format", ErrorKind.SERVER),
        (START + b'data: {"type":"content-delta"}\n\n', "own format", ErrorKind.SERVER),
        (START + b'data: {"type":"content-delta","delta":{"message":{}}}\n\n', "own format", ErrorKind.SERVER),
        (START + TEXT.replace(b'"x"', b"7"), "own format", ErrorKind.SERVER),
        (START + ARGUMENTS, "own format", ErrorKind.SERVER),
        (START + CALL + CALL, "own format", ErrorKind.SERVER),
        (START + CALL.replace(b'"id":"c",', b""), "own format", ErrorKind.SERVER),
        (START + CALL.replace(b'"name":"f"', b""), "own format", ErrorKind.SERVER),
        (START + end_of(b"COMPLETE", b',"usage":{"tokens":{"input_tokens":-1}}'), "own format", ErrorKind.SERVER),
        (START + end_of(b"COMPLETE", b',"usage":{"tokens":{"input_tokens":"1"}}'), "own format", ErrorKind.SERVER),
        (START + TEXT + end_of(b"ERROR"), "broke off", ErrorKind.SERVER),
        (START + TEXT + end_of(b"ERROR", b',"error":"No."'), "No.", ErrorKind.SERVER),
        (START + TEXT + end_of(b"TIMEOUT"), "broke off", ErrorKind.TIMEOUT),
        (START + b'data: {"message":"No."}\n\n', "No.", ErrorKind.SERVER),
        (b'event: error\ndata: {"message":"No."}\n\n', "No.", ErrorKind.SERVER),
        (b'{"id":"x","message":"No."}', "No.", ErrorKind.SERVER),
        (START + b"data: " + b"x" * 9_000_000, "too large", ErrorKind.SERVER),
        (b"<html>502 Bad Gateway</html>", "ended before", ErrorKind.SERVER),
    ],
    ids=range(27),
)
def test_malformed_cohere_streams_fail(data: bytes, message: str, kind: ErrorKind) -> None:
    *_, last = read(WireFormat.COHERE_CHAT, data)
    assert isinstance(last, StreamFailed)
    assert message in last.error.message
    assert last.error.kind is kind


@pytest.mark.parametrize(
    ("data", "message", "kind"),
    [
        (b"", "ended before", ErrorKind.SERVER),
        (LINE, "ended before", ErrorKind.SERVER),
        (LINE[:-20], "ended before", ErrorKind.SERVER),
        (LINE + b"{]\n", "own format", ErrorKind.SERVER),
        (LINE + b"\xff\xfe\n", "own format", ErrorKind.SERVER),
        (LINE.replace(b"x", b"\xff"), "own format", ErrorKind.SERVER),
        (LINE + b"null\n", "own format", ErrorKind.SERVER),
        (LINE + b"{}\n", "own format", ErrorKind.SERVER),
        (LINE + b"[" * 100_000 + b"\n", "own format", ErrorKind.SERVER),
        (LINE.replace(b'"x"', b"7"), "own format", ErrorKind.SERVER),
        (LINE.replace(b'"content":"x"', b'"tool_calls":[{}]'), "own format", ErrorKind.SERVER),
        (LINE.replace(b'"content":"x"', b'"tool_calls":[{"function":{}}]'), "own format", ErrorKind.SERVER),
        (DONE.replace(b'"done":true', b'"done":true,"eval_count":-1'), "own format", ErrorKind.SERVER),
        (DONE.replace(b'"done":true', b'"done":true,"eval_count":"1"'), "own format", ErrorKind.SERVER),
        (b'{"error":"model \'m\' not found"}\n', "not found", ErrorKind.SERVER),
        (b'{"error":"No."}', "No.", ErrorKind.SERVER),
        (LINE + b'{"error":"an error was encountered"}\n', "was encountered", ErrorKind.SERVER),
        (LINE + b"x" * 9_000_000, "too large", ErrorKind.SERVER),
        (b"x" * 9_000_000 + b"\n" + DONE, "too large", ErrorKind.SERVER),
        (b"<html>502 Bad Gateway</html>", "ended before", ErrorKind.SERVER),
    ],
    ids=range(20),
)
def test_malformed_ollama_streams_fail(data: bytes, message: str, kind: ErrorKind) -> None:
    *_, last = read(WireFormat.OLLAMA_CHAT, data)
    assert isinstance(last, StreamFailed)
    assert message in last.error.message
    assert last.error.kind is kind


def test_a_giant_line_is_not_gathered() -> None:
    reader = PROVIDER_CHATS[WireFormat.OLLAMA_CHAT].reader()
    seen = [event for _ in range(200) for event in reader.feed(b"x" * 100_000)]
    assert len(seen) == 1
    assert isinstance(seen[0], StreamFailed)


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        (b"COMPLETE", StopReason.END),
        (b"STOP_SEQUENCE", StopReason.STOP_SEQUENCE),
        (b"MAX_TOKENS", StopReason.MAX_TOKENS),
        (b"SOMETHING_NEW", StopReason.END),
    ],
)
def test_cohere_finish_reasons(reason: bytes, stop: StopReason) -> None:
    assert Stopped(Stop(stop)) in read(WireFormat.COHERE_CHAT, START, TEXT, end_of(reason))


def test_cohere_arguments_that_come_whole_with_the_call_and_unknown_events() -> None:
    whole = CALL.replace(b'"name":"f"', b'"name":"f","arguments":"{\\"a\\":1}"')
    ended = b'data: {"type":"tool-call-end","index":0}\n\n'
    events = read(WireFormat.COHERE_CHAT, START, whole, ended, b'data: {"type":"new-thing","x":1}\n\n', END)
    assert [getattr(event, "arguments", None) for event in events].count('{"a":1}') == 1
    assert "{}" not in [getattr(event, "arguments", None) for event in events]
    assert isinstance(events[-1], Finished)


def test_cohere_counts_fall_back_to_what_was_used() -> None:
    used = b',"usage":{"billed_units":{"search_units":1.0},"tokens":{"input_tokens":7.0,"output_tokens":2.0}}'
    reported = [
        event.usage
        for event in read(WireFormat.COHERE_CHAT, START, end_of(b"COMPLETE", used))
        if isinstance(event, UsageReported)
    ]
    assert [(usage.input_tokens, usage.output_tokens) for usage in reported] == [(7, 2)]


def test_nothing_follows_the_last_line() -> None:
    events = read(WireFormat.OLLAMA_CHAT, LINE + DONE + LINE, LINE)
    assert sum(isinstance(event, TextDelta) for event in events) == 1
    assert isinstance(events[-1], Finished)


def test_ollama_length_and_empty_lines() -> None:
    events = read(WireFormat.OLLAMA_CHAT, b"\n \n" + LINE + b"\r\n" + DONE.replace(b'"stop"', b'"length"'))
    assert Stopped(Stop(StopReason.MAX_TOKENS)) in events


PIECES = {
    WireFormat.COHERE_CHAT: [START, TEXT, CALL, ARGUMENTS, END, b'data: {"type":"tool-call-end","index":0}\n\n'],
    WireFormat.OLLAMA_CHAT: [LINE, DONE, LINE[:30], b'{"error":"No."}\n', b"\n"],
}


@pytest.mark.parametrize("format_", PIECES)
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_upstream_bytes_end_in_an_event(format_: WireFormat, data: st.DataObject) -> None:
    pieces = data.draw(st.lists(st.sampled_from(PIECES[format_]) | st.binary(max_size=40), max_size=8))
    events = read(format_, *pieces)
    assert isinstance(events[-1], Finished | StreamFailed)
    assert sum(isinstance(event, Finished | StreamFailed) for event in events) == 1
    for target in CHAT_FORMATS.values():
        writer = target.writer(AnswerLabel("m", 1, "id"), True)
        reader = target.reader()
        again = reader.feed(b"".join(map(writer.write, events)) + writer.finish()) + reader.finish()
        assert isinstance(again[-1], Finished | StreamFailed)


@pytest.mark.parametrize("format_", PIECES)
@settings(max_examples=300, deadline=None)
@given(
    body=st.binary(max_size=60)
    | st.sampled_from([b"{}", b"null", b"[]", b'{"message":null}', b'{"message":"x"}', LINE, DONE])
)
def test_any_whole_answer_is_read_or_malformed(format_: WireFormat, body: bytes) -> None:
    try:
        PROVIDER_CHATS[format_].read_answer(body)
    except MalformedAnswer:
        return
