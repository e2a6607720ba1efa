"""What is seen of answers that only pass: their usage, their end, their errors."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire import FORMATS, ErrorKind, Observer

IMAGES, EDITS = FORMATS[WireFormat.OPENAI_IMAGES], FORMATS[WireFormat.OPENAI_IMAGE_EDITS]
SPEECH, TRANSCRIPTIONS = FORMATS[WireFormat.OPENAI_SPEECH], FORMATS[WireFormat.OPENAI_TRANSCRIPTIONS]
MODERATIONS = FORMATS[WireFormat.OPENAI_MODERATIONS]
MEDIA = [format_ for name, format_ in FORMATS.items() if format_.media or "image" in name]


def event(kind: str, **fields: Any) -> bytes:
    return b"data: " + json.dumps({"type": kind} | fields).encode() + b"\n\n"


STREAMS = {
    WireFormat.OPENAI_IMAGES: ("image_generation.partial_image", "image_generation.completed"),
    WireFormat.OPENAI_IMAGE_EDITS: ("image_edit.partial_image", "image_edit.completed"),
    WireFormat.OPENAI_SPEECH: ("speech.audio.delta", "speech.audio.done"),
    WireFormat.OPENAI_TRANSCRIPTIONS: ("transcript.text.delta", "transcript.text.done"),
    WireFormat.OPENAI_TRANSLATIONS: ("transcript.text.delta", "transcript.text.done"),
}


def watch(format_: WireFormat, *pieces: bytes) -> Observer:
    observer = FORMATS[format_].observer(False)
    assert b"".join(map(observer.feed, pieces)) + observer.finish() == b"".join(pieces)
    return observer


@pytest.mark.parametrize("name", STREAMS)
@given(cut=st.integers(0, 400))
def test_the_last_event_tells_usage_and_end_wherever_it_is_cut(name: WireFormat, cut: int) -> None:
    first, last = STREAMS[name]
    data = event(first, b64_json="QQ==") + event(last, usage={"input_tokens": 3, "output_tokens": 4})
    seen = watch(name, data[:cut], data[cut:])
    assert (seen.ended, seen.first_content, seen.usage) == (True, True, Usage(3, 4))
    half = watch(name, event(first, b64_json="QQ=="))
    assert (half.ended, half.usage) == (False, None)


@pytest.mark.parametrize(
    "data",
    [
        event("error", error={"message": "no", "code": "rate_limit_exceeded"}),
        b'event: error\ndata: {"message": "no", "code": "rate_limit_exceeded"}\n\n',
        b'data: {"error": {"message": "no", "code": "rate_limit_exceeded"}}\n\n',
        b'{"error": {"message": "no", "code": "rate_limit_exceeded"}}',
    ],
)
def test_errors_inside_a_stream_are_seen(data: bytes) -> None:
    seen = watch(WireFormat.OPENAI_IMAGES, data)
    assert seen.error is not None
    assert (seen.error.kind, seen.error.message) == (ErrorKind.RATE_LIMIT, "no")
    assert not seen.first_content


@pytest.mark.parametrize(
    "data", [b"data: {nonsense\n\n", b"data: [1]\n\n", b"data: image_edit.completed\n\n", b"\xff\n\n"]
)
def test_what_cannot_be_read_passes(data: bytes) -> None:
    assert not watch(WireFormat.OPENAI_IMAGE_EDITS, data).ended


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        ({"usage": {"input_tokens": 3, "output_tokens": 4, "input_tokens_details": {"image_tokens": 2}}}, Usage(3, 4)),
        ({"usage": {"input_tokens": 3}}, Usage(3)),
        ({"usage": {"prompt_tokens": 3, "completion_tokens": 4}}, Usage(3, 4)),
        ({"usage": {"type": "duration", "seconds": 9.5}}, None),
        ({"text": "hi"}, None),
        ({"usage": {"input_tokens": -1}}, None),
        ({"usage": "x"}, None),
        ([], None),
    ],
)
def test_usage_of_whole_answers(body: object, usage: Usage | None) -> None:
    for format_ in MEDIA:
        assert format_.usage_of(json.dumps(body).encode()) == usage


@pytest.mark.parametrize("format_", MEDIA, ids=lambda format_: format_.name)
def test_a_model_is_needed(format_: Any) -> None:
    with pytest.raises(InvalidRequest, match="model is missing"):
        format_.outline({"prompt": "x", "input": "x"})


@pytest.mark.parametrize(("value", "streamed"), [(None, False), ("true", True), ("false", False), (True, True)])
def test_a_forms_stream_is_text(value: object, streamed: bool) -> None:
    for format_ in (EDITS, TRANSCRIPTIONS):
        assert format_.outline({"model": "m", "stream": value}).stream is streamed


@pytest.mark.parametrize("value", ["yes", "", 1.5, [True], ["true", "true"], {}])
def test_an_odd_stream_is_refused(value: object) -> None:
    for format_ in (IMAGES, EDITS, TRANSCRIPTIONS):
        with pytest.raises(InvalidRequest) as refused:
            format_.outline({"model": "m", "prompt": "x", "stream": value})
        assert refused.value.param == "stream"


def test_speech_comes_as_events_only_by_name() -> None:
    asked = {"model": "m", "input": "x"}
    assert not SPEECH.outline(asked).stream
    assert not SPEECH.outline(asked | {"stream_format": "audio"}).stream
    assert SPEECH.outline(asked | {"stream_format": "sse"}).stream


def test_moderations_have_a_usual_model() -> None:
    assert MODERATIONS.outline({"input": "x"}).model == "omni-moderation-latest"
    assert MODERATIONS.outline({"input": ["x"], "model": "m"}).model == "m"
    with pytest.raises(InvalidRequest, match="input is missing"):
        MODERATIONS.outline({})


@given(st.binary(max_size=300))
def test_no_bytes_break_an_observer(data: bytes) -> None:
    for name in STREAMS:
        watch(name, data, data)
