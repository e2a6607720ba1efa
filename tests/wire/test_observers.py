"""Watching streams that pass: usage, first content, the end and errors, with next to no decoding."""

import re
from pathlib import Path

import pytest

from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire import CHAT_FORMATS, FORMATS, ErrorKind
from ownkey.wire.observing import PassingObserver, raw_events

CHAT = FORMATS[WireFormat.OPENAI_CHAT]
MESSAGES = FORMATS[WireFormat.ANTHROPIC_MESSAGES]
GEMINI = FORMATS[WireFormat.GEMINI]
RECORDINGS = Path(__file__).parent / "recordings"
CHAT_TEXT = (RECORDINGS / "openai_chat" / "text.sse").read_bytes()
MESSAGES_TEXT = (RECORDINGS / "anthropic_messages" / "thinking_and_tools.sse").read_bytes()


def test_bytes_pass_as_the_same_object() -> None:
    for observer in (CHAT.observer(True), MESSAGES.observer(True)):
        chunk = b'data: {"choices":[{"delta":{"content":"x"}}],"usage":null}\n\n'
        assert observer.feed(chunk) is chunk
    plain = b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'
    assert CHAT.observer(False).feed(plain) is plain


@pytest.mark.parametrize("null", [b',"usage":null', b', "usage": null'])
def test_no_usage_is_announced_to_a_client_that_did_not_ask(null: bytes) -> None:
    """OpenAI writes `"usage": null` into every chunk once usage is asked for; strict clients refuse it."""
    observer = CHAT.observer(False)
    for text in (b'""', b'"a"', b'"\\",\\"usage\\":null"'):
        chunk = b'data: {"choices":[{"delta":{"content":' + text + b"}}]"
        assert observer.feed(chunk + null + b"}\n\n") == chunk + b"}\n\n"


FINISH = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
TEXT = b'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}\n\n'
CHAT_USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n'


@pytest.mark.parametrize("wants_usage", [True, False])
@pytest.mark.parametrize("after", [b"", CHAT_USAGE, b": still here\n\n" * 3, TEXT], ids=["", "usage", "pings", "more"])
def test_a_stream_that_said_why_it_stopped_needs_no_end_mark(wants_usage: bool, after: bytes) -> None:
    observer = CHAT.observer(wants_usage)
    for piece in (TEXT, TEXT, FINISH, after):
        observer.feed(piece)
    assert not observer.ended
    observer.finish()
    assert observer.ended
    assert observer.closing == b"data: [DONE]\n\n"


@pytest.mark.parametrize("pieces", [[TEXT, TEXT], [TEXT, FINISH[:-4]], [TEXT, FINISH, CHAT_USAGE[:-9]]])
def test_half_an_event_or_no_reason_to_stop_is_no_end(pieces: list[bytes]) -> None:
    observer = CHAT.observer(True)
    for piece in pieces:
        observer.feed(piece)
    observer.finish()
    assert not observer.ended
    assert observer.closing == b""


def test_messages_that_said_why_they_stopped_need_no_end_mark() -> None:
    observer = MESSAGES.observer(True)
    observer.feed(MESSAGES_TEXT.partition(b"event: message_stop")[0])
    observer.finish()
    assert observer.ended
    assert observer.closing.startswith(b"event: message_stop\n")
    assert observer.usage == Usage(132, 42, 100, 7, 12)


def test_a_reason_to_stop_that_is_an_error_fails() -> None:
    bare = b'data: {"choices":[{"delta":{},"finish_reason": "error"}]}\n\n'
    told = bare.replace(b'"finish', b'"error":{"code":503,"message":"late"},"finish')
    for event, said in ((bare, "The provider broke off the answer."), (told, "late")):
        observer = CHAT.observer(True)
        observer.feed(TEXT)
        observer.feed(event)
        assert observer.error is not None
        assert observer.error.message == said


@pytest.mark.parametrize(
    "chunk",
    [
        b'{"choices":[{"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r","usage":{"prompt_tokens":3,"completion_tokens":4}}}',
        b'{"choices":[{"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":3,"completion_tokens":4}}]}',
    ],
    ids=["x_groq", "choice"],
)
def test_usage_in_other_places_is_found_and_the_chunk_stays(chunk: bytes) -> None:
    event = b"data: " + chunk + b"\n\n"
    observer = CHAT.observer(False)
    assert observer.feed(event) == event
    assert observer.usage == Usage(3, 4)
    reader = CHAT_FORMATS[WireFormat.OPENAI_CHAT].reader()
    reader.feed(event)
    assert reader.usage == Usage(3, 4)
    observer = CHAT.observer(True)
    assert observer.feed(chunk[:10]) == chunk[:10]


def test_the_usage_chunk_is_taken_out_for_a_client_that_did_not_ask() -> None:
    observer = CHAT.observer(False)
    events = CHAT_TEXT.split(b"\n\n")[:-1]
    forwarded = observer.feed(CHAT_TEXT) + observer.finish()
    kept = (event.replace(b',"usage":null', b"") for event in events if b'"choices":[],' not in event)
    assert forwarded == b"".join(event + b"\n\n" for event in kept)
    assert observer.usage == Usage(31, 17, 16, 0, 5)
    assert observer.ended
    assert observer.first_content
    assert observer.error is None


def test_usage_beside_choices_is_read_and_stays() -> None:
    data = b'data: {"choices":[{"delta":{}}], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}\n\n'
    observer = CHAT.observer(False)
    assert observer.feed(data) is data
    assert observer.usage == Usage(3, 4)


def test_repeated_usage_counts_once_with_its_last_totals() -> None:
    observer = CHAT.observer(True)
    for count in (1, 2, 9):
        observer.feed(b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":%d}}\n\n' % count)
    assert observer.usage == Usage(5, 9)


def test_unreadable_usage_is_left_alone() -> None:
    for usage in (b'{"prompt_tokens":-1}', b'{"prompt_tokens":"x"}', b"{", b'{"prompt_tokens":1e99}'):
        data = b'data: {"choices":[],"usage":' + usage + b"}\n\n"
        observer = CHAT.observer(False)
        assert observer.feed(data) == data
        assert observer.usage is None


@pytest.mark.parametrize(
    "delta",
    [
        '{"content":"x"}',
        '{"content": "\\n"}',
        '{"reasoning_content":"x"}',
        '{"reasoning":"x"}',
        '{"refusal":"x"}',
        '{"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]}',
    ],
)
def test_first_content_is_not_a_mere_role(delta: str) -> None:
    observer = CHAT.observer(True)
    observer.feed(b'data: {"choices":[{"delta":{"role":"assistant","content":"","refusal":null}}]}\n\n')
    observer.feed(b'data: {"choices":[{"delta":{"role":"assistant","content":null}}]}\n\n')
    observer.feed(b": ping\n\n")
    assert not observer.first_content
    observer.feed(b'data: {"choices":[{"delta":' + delta.encode() + b"}]}\n\n")
    assert observer.first_content


def test_words_inside_a_text_are_no_marks() -> None:
    observer = CHAT.observer(False)
    data = b'data: {"choices":[{"delta":{"content":"[DONE] \\"usage\\":{} \\"error\\": 1\\n\\ndata: [DONE]"}}]}\n\n'
    assert observer.feed(data) is data
    assert not observer.ended
    assert observer.usage is None
    assert observer.error is None


@pytest.mark.parametrize(
    "data",
    [
        b'data: {"error":{"message":"late","type":"server_error","code":503}}\n\n',
        b'data: {"id":"x","choices":[], "error" : {"message":"late","code":503}}\n\n',
        b'event: error\ndata: {"message":"late","code":"503"}\n\n',
        b'{"error":{"message":"late","code":503}}',
    ],
)
def test_an_error_inside_a_chat_stream_is_seen(data: bytes) -> None:
    observer = CHAT.observer(False)
    assert observer.feed(data) + observer.finish() == data
    assert observer.error is not None
    assert (observer.error.message, observer.error.status) == ("late", 503)
    assert not observer.ended


def test_a_null_error_is_none() -> None:
    observer = CHAT.observer(True)
    observer.feed(b'data: {"error":null,"choices":[]}\n\n')
    assert observer.error is None


def test_messages_totals_and_end() -> None:
    observer = MESSAGES.observer(False)
    assert observer.feed(MESSAGES_TEXT) is MESSAGES_TEXT
    assert observer.usage == Usage(132, 42, 100, 7, 12)
    assert observer.first_content
    assert observer.ended


def test_an_error_inside_a_message_stream_is_seen() -> None:
    observer = MESSAGES.observer(True)
    observer.feed(
        b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "late"}}\n\n'
    )
    assert observer.error is not None
    assert observer.error.kind is ErrorKind.OVERLOADED


@pytest.mark.parametrize("step", [1, 3, 64, 4096])
@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r", b"\n\r\n"])
def test_an_oversized_event_passes_unseen_and_the_next_is_watched(step: int, end: bytes) -> None:
    class Collecting(PassingObserver):
        seen: list[bytes]

        def inspect(self, whole: bytes) -> bytes:
            self.seen += raw_events(whole)
            return whole

    data = b"data: 1" + end + b"data: " + b"x" * 5000 + end + b"data: 3" + end + b":"
    observer = Collecting(strip=True, limit=100)
    observer.seen = []
    pieces = [data[at : at + step] for at in range(0, len(data), step)]
    passed = [observer.feed(piece) for piece in pieces]
    assert b"".join(passed) + observer.finish() == data
    assert len(observer._held) <= 1
    if step < 100:
        assert [re.sub(rb"[\r\n]", b"", event) for event in observer.seen] == [b"data: 1", b"data: 3", b":"]


def test_embeddings_usage() -> None:
    body = b'{"object":"list","data":[],"model":"m","usage":{"prompt_tokens":8,"total_tokens":8}}'
    assert FORMATS[WireFormat.OPENAI_EMBEDDINGS].usage_of(body) == Usage(8, 0)


def test_gemini_totals_are_the_last_chunks_and_the_end_is_its_reason() -> None:
    chunk = (
        b'data: {"candidates":[{"content":{"parts":[{"text":"%b"}]}}],"usageMetadata":{"promptTokenCount":%d}}\r\n\r\n'
    )
    observer = GEMINI.observer(False)
    data = chunk % (b"", 1)
    assert observer.feed(data) is data
    assert not observer.first_content
    observer.feed(chunk % (b"x", 2) + chunk % (b"y", 3))
    assert observer.first_content
    assert observer.usage == Usage(3)
    observer.feed(chunk % (rb"\"finishReason\":\"STOP\" \"error\":{", 4))
    assert not observer.ended
    assert observer.error is None
    observer.feed(b'data: {"candidates":[{"finishReason" : "MAX_TOKENS"}]}\n\n')
    assert observer.ended
    assert observer.usage == Usage(4)


def test_a_blocked_prompt_and_an_error_end_a_gemini_stream() -> None:
    blocked = GEMINI.observer(False)
    blocked.feed(b'data: {"promptFeedback":{"blockReason":"SAFETY"}}\n\n')
    assert blocked.ended
    for data in (b'data: {"error":{"code":503,"message":"late"}}\n\n', b'{"error": {"code": 503, "message": "late"}}'):
        observer = GEMINI.observer(False)
        observer.feed(data)
        observer.finish()
        assert observer.error is not None
        assert (observer.error.status, observer.error.message) == (503, "late")
        assert not observer.ended


@pytest.mark.parametrize("wants_usage", [True, False])
def test_events_that_count_are_seen_after_ordinary_ones_have_passed_unread(wants_usage: bool) -> None:
    observer = CHAT.observer(wants_usage)
    ordinary = b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'
    for _ in range(3):
        assert observer.feed(ordinary) is ordinary
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n'
    assert observer.feed(usage) == (usage if wants_usage else b"")
    assert observer.usage == Usage(3, 4)
    observer.feed(b'data: {"error":{"message":"Slow down.","type":"rate_limit_error"}}\n\n')
    assert observer.error is not None
    assert observer.error.kind is ErrorKind.RATE_LIMIT
