"""Answers read from bytes with hand-made times."""

import pytest
from tests.workbench.endpoint.endpoints import DONE, event, usage_event

from ownkey.wire.errors import MalformedAnswer
from ownkey.workbench.endpoint.answer import LARGEST_EVENT, LONGEST_ANSWER, MOST_CHUNKS, AnswerReader


def read(*pieces: tuple[float, bytes]) -> AnswerReader:
    reader = AnswerReader()
    for stamp, data in pieces:
        reader.feed(stamp, data)
    reader.close()
    return reader


def test_times_are_those_of_the_first_and_last_content_and_not_of_frames_around_them() -> None:
    reader = read(
        (1.0, event({"role": "assistant", "content": ""})),
        (1.5, event({"content": "Hel"})),
        (1.75, event({"content": "lo"})),
        (2.25, event({"content": "!"})),
        (3.0, event({}, "stop")),
        (4.0, usage_event()),
        (5.0, DONE),
    )
    assert (reader.first, reader.first_output, reader.last) == (1.5, 1.5, 2.25)
    assert reader.gaps_ms == [250.0, 500.0]
    assert reader.text == "Hello!"
    assert reader.chunks == 3
    assert reader.done
    assert reader.streamed


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_starts_the_first_token_and_output_comes_later(field: str) -> None:
    reader = read(
        (1.0, event({field: "hmm"})),
        (2.0, event({field: " so"})),
        (4.0, event({"content": "42"})),
        (5.0, event({}, "stop") + DONE),
    )
    assert (reader.first, reader.first_output, reader.last) == (1.0, 4.0, 4.0)
    assert reader.gaps_ms == [1000.0, 2000.0]
    assert (reader.reasoning, reader.text, reader.reasoning_field) == ("hmm so", "42", field)


def test_reasoning_in_details_and_in_content_lists_is_found() -> None:
    details = read((1.0, event({"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]}, "stop")), (2.0, DONE))
    assert (details.reasoning, details.reasoning_field) == ("hm", "reasoning_details")
    thinking = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]
    lists = read((1.0, event({"content": thinking}, "stop")), (2.0, DONE))
    assert (lists.reasoning, lists.text, lists.reasoning_field) == ("hm", "", "content")


def test_events_of_one_moment_have_no_gap_between_them() -> None:
    reader = read(
        (1.0, event({"content": "a"}) + event({"content": "b"}) + event({"content": "c"})),
        (2.0, event({"content": "d"}, "stop") + DONE),
    )
    assert reader.gaps_ms == [1000.0]
    assert reader.chunks == 4


def test_an_event_belongs_to_the_moment_its_last_byte_came() -> None:
    data = event({"content": "a"}, "stop")
    reader = read((1.0, data[:20]), (2.0, data[20:]), (3.0, DONE))
    assert (reader.first, reader.last, reader.gaps_ms) == (2.0, 2.0, [])


def test_gaps_add_up_to_the_time_from_first_to_last_wherever_the_bytes_are_cut() -> None:
    data = b"".join(event({"content": word}) for word in ("a", "b", "c", "d")) + event({}, "stop") + DONE
    for cut in range(1, len(data)):
        reader = read((1.0, data[:cut]), (2.0, data[cut:]))
        assert reader.text == "abcd"
        assert reader.first is not None
        assert reader.last is not None
        assert sum(reader.gaps_ms) == (reader.last - reader.first) * 1000


def test_a_stream_is_read_the_same_byte_by_byte() -> None:
    data = b": ping\r\n\r\n" + event({"content": "é"}).replace(b"\n", b"\r\n") + event({}, "stop") + DONE
    reader = read(*((float(at), data[at : at + 1]) for at in range(len(data))))
    assert (reader.text, reader.finish_reason, reader.done) == ("é", "stop", True)


def test_tool_calls_and_refusals_count_as_content() -> None:
    call = {"index": 0, "id": "x", "function": {"name": "add", "arguments": "{"}}
    reader = read((1.0, event({"tool_calls": [call]}, "tool_calls")), (2.0, DONE))
    assert (reader.first_output, reader.calls, reader.called, reader.text) == (1.0, 1, "add{", "")
    assert read((1.0, event({"refusal": "No."}, "stop")), (2.0, DONE)).text == "No."


def test_other_choices_are_left_out() -> None:
    second = b'data: {"choices":[{"index":1,"delta":{"content":"x"}}]}\n\n'
    assert read((1.0, second), (2.0, event({"content": "y"}, "stop") + DONE)).text == "y"


def test_a_whole_answer_has_one_moment() -> None:
    body = (
        b'{"choices":[{"message":{"content":"Hi","reasoning":"h"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}'
    )
    reader = read((1.0, b"\xef\xbb\xbf \n" + body[:30]), (2.0, body[30:]))
    assert reader.streamed is False
    assert (reader.first, reader.first_output, reader.last, reader.gaps_ms) == (2.0, 2.0, 2.0, [])
    assert (reader.text, reader.reasoning, reader.usage) == ("Hi", "h", b'{"prompt_tokens":1}')


def test_the_last_usage_counts_and_null_is_none() -> None:
    null = b'data: {"choices":[],"usage":null}\n\n'
    stop = event({"content": "x"}, "stop")
    assert read((1.0, null + stop + usage_event(1, 1) + usage_event(1, 2) + null + DONE)).usage.endswith(b"2}")
    assert read((1.0, null + stop + DONE)).usage == b""


def test_a_reason_to_finish_completes_an_answer_without_the_end_mark() -> None:
    reader = read((1.0, event({"content": "x"}, "stop")))
    assert reader.complete
    assert not reader.done
    assert read((1.0, event({"content": "x"}, "stop") + b"data: [DONE]")).done


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "it is empty"),
        (b"  \n ", "it is empty"),
        (b"<!doctype html><title>Log in</title>", "a web page"),
        (b"Hello, I am no API.", "neither JSON nor an event stream"),
        (event({"content": "x"}), "before the answer was complete"),
        (b"data: {broken\n\n", "malformed"),
        (b"data: [1, 2]\n\n", "Expected"),
        (b'data: {"choices": "none"}\n\n', "Expected"),
        (b'data: {"hello": 1}\n\n', "no choices"),
        (b"data: \xc3\x28\xff\n\n", "malformed"),
        (b"data: [DONE]\n\n", "neither JSON"),
        (b"{}", "no choices"),
        (b'{"choices": []}', "no choices"),
        (b"[]", "Expected"),
        (b'{"choices": [{"message"', "truncated"),
        (b'{"model":"m","response":"x"}\n{"model":"m"}\n', "trailing"),
        (b"data: " + b"x" * (LARGEST_EVENT + 10), "too long"),
        (b'{"x": "' + b"y" * LONGEST_ANSWER, "too large"),
        (event({"content": "x"}) + b'data: {"choices":[{"delta":{},"finish_reason":"error"}]}\n\n', "broke"),
    ],
)
def test_what_is_no_answer_is_told_apart(body: bytes, words: str) -> None:
    with pytest.raises(MalformedAnswer) as caught:
        read((1.0, body))
    assert words in caught.value.operator
    assert caught.value.error is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":{"message":"no such luck"}}',
        b'{"error":"no such luck"}',
        b'{"message":"no such luck"}',
        b'data: {"error":{"message":"no such luck"}}\n\n',
        b'event: error\ndata: {"error":{"message":"no such luck"}}\n\n',
        b'event: error\ndata: {"message":"no such luck"}\n\n',
        b'data: {"detail":"no such luck"}\n\n',
    ],
)
def test_an_error_in_an_answer_is_told(body: bytes) -> None:
    with pytest.raises(MalformedAnswer) as caught:
        read((1.0, body))
    assert caught.value.error is not None
    assert caught.value.error.message == "no such luck"


def test_an_answer_of_small_pieces_is_bounded() -> None:
    with pytest.raises(MalformedAnswer):
        read(*[(1.0, event({"content": "x" * 500_000}))] * 10)
    with pytest.raises(MalformedAnswer):
        read((1.0, event({"content": "x"}) * (MOST_CHUNKS + 1)))
