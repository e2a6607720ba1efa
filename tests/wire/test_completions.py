"""Text completions read as chats of one turn, and chats written back as text completions."""

import json
from pathlib import Path
from typing import Any

import pytest
from openai.types import Completion
from pydantic import TypeAdapter

from ownkey.domain.errors import InvalidRequest, UnsupportedField
from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire import CLIENT_CHATS, PROVIDER_CHATS
from ownkey.wire.errors import ErrorKind, WireError
from ownkey.wire.events import (
    Finished,
    Pinged,
    ReasoningDelta,
    RefusalDelta,
    Started,
    Stopped,
    StreamFailed,
    TextDelta,
    UsageReported,
)
from ownkey.wire.neutral import Answer, AnswerLabel, Reasoning, Refusal, Stop, StopReason, Text, Turn
from ownkey.wire.translation import new_reader, new_writer, translate_request
from ownkey.wire.wishes import Wishes

COMPLETIONS = CLIENT_CHATS[WireFormat.OPENAI_COMPLETIONS]
NAMED = AnswerLabel("asked/model", 1700000000, "req_1")


def to(target: WireFormat, body: dict[str, Any], **wishes: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    written = translate_request(
        WireFormat.OPENAI_COMPLETIONS,
        target,
        body,
        model="m",
        stream=bool(body.get("stream")),
        wishes=Wishes(**wishes),
        quirks=(),
    )
    return json.loads(written.body), written.adaptations


@pytest.mark.parametrize("prompt", ["Say hi", ["Say hi"]])
def test_a_prompt_is_the_one_turn_of_a_chat(prompt: object) -> None:
    read = COMPLETIONS.read_request({"model": "m", "prompt": prompt})
    assert read.turns == (Turn("user", (Text("Say hi"),)),)


@pytest.mark.parametrize("target", PROVIDER_CHATS)
def test_every_chat_format_can_say_it(target: WireFormat) -> None:
    body = {"model": "m", "prompt": "Say hi", "temperature": 0.5, "user": "u", "echo": False, "n": 1}
    sent, _ = to(target, body | {"best_of": 1, "suffix": "", "max_tokens": 7})
    assert "Say hi" in json.dumps(sent)


def test_all_that_a_chat_knows_too_is_carried_over() -> None:
    body: dict[str, Any] = {
        "temperature": 0.5,
        "top_p": 0.9,
        "frequency_penalty": 1,
        "presence_penalty": -1,
        "logit_bias": {"50256": -100},
        "seed": 3,
        "user": "u",
        "max_tokens": 7,
    }
    sent, dropped = to(WireFormat.OPENAI_CHAT, {"prompt": "x", "stop": "end", "best_of": 1} | body)
    assert body.items() <= sent.items()
    assert sent["messages"] == [{"role": "user", "content": "x"}]
    assert sent["stop"] in ("end", ["end"])
    assert not dropped


def test_the_formats_own_limit_of_16_tokens_is_not_imposed() -> None:
    assert "max_tokens" not in to(WireFormat.OPENAI_CHAT, {"prompt": "x"})[0]
    assert to(WireFormat.OPENAI_CHAT, {"prompt": "x"}, max_tokens=9)[0]["max_tokens"] == 9


def test_unknown_fields_are_dropped_by_name() -> None:
    assert to(WireFormat.OPENAI_CHAT, {"prompt": "x", "use_beam_search": True})[1] == ("use_beam_search",)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("suffix", "end"),
        ("echo", True),
        ("best_of", 2),
        ("n", 2),
        ("logprobs", 0),
        ("prompt", ["a", "b"]),
        ("prompt", [1, 2]),
        ("prompt", [[1, 2]]),
    ],
)
def test_what_a_chat_cannot_say_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(UnsupportedField) as refused:
        COMPLETIONS.read_request({"prompt": "x", field: value})
    assert refused.value.param == field


@pytest.mark.parametrize(
    "body", [{}, {"prompt": None}, {"prompt": []}, {"prompt": "x", "max_tokens": 0}, {"prompt": "x", "temperature": 3}]
)
def test_what_is_wrong_is_named(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        COMPLETIONS.read_request(body)
    assert refused.value.param in body.keys() | {"prompt"}


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        (StopReason.END, "stop"),
        (StopReason.STOP_SEQUENCE, "stop"),
        (StopReason.MAX_TOKENS, "length"),
        (StopReason.CONTEXT_WINDOW, "length"),
        (StopReason.REFUSAL, "content_filter"),
        (StopReason.PAUSE, "stop"),
    ],
)
def test_an_answer_is_a_text_completion(reason: StopReason, finish: str) -> None:
    parts = (Reasoning("hm"), Text("a"), Text("b"), Refusal("c"))
    answer = Answer(id="x", model="m", parts=parts, stop=Stop(reason), usage=Usage(3, 4))
    body = COMPLETIONS.write_answer(answer, AnswerLabel("asked/model", 5, "req_1"))
    read = TypeAdapter(Completion).validate_json(body)
    assert (read.choices[0].text, read.choices[0].finish_reason) == ("abc", finish)
    assert read.usage is not None
    assert (read.usage.prompt_tokens, read.usage.total_tokens) == (3, 7)


def chunks(data: bytes) -> list[Any]:
    blocks = [block.removeprefix("data: ") for block in data.decode().split("\n\n") if block.startswith("data: {")]
    return [json.loads(block) for block in blocks]


@pytest.mark.parametrize("usage_asked", [False, True])
def test_a_stream_is_chunks_of_text(usage_asked: bool) -> None:
    writer = new_writer(WireFormat.OPENAI_COMPLETIONS, NAMED, usage_asked)
    events = [
        Started("x", "m", Usage(3)),
        ReasoningDelta(0, "hm"),
        TextDelta(1, "a"),
        Pinged(),
        RefusalDelta(2, "b"),
        Stopped(Stop(StopReason.MAX_TOKENS)),
        UsageReported(Usage(3, 2)),
        Finished(),
        TextDelta(3, "late"),
    ]
    data = b"".join(map(writer.write, events)) + writer.finish()
    read = chunks(data)
    assert data.endswith(b"data: [DONE]\n\n")
    assert b": ping\n\n" in data
    texts = [chunk["choices"][0]["text"] for chunk in read if chunk["choices"]]
    assert texts == ["a", "b", ""]
    assert [chunk["choices"][0]["finish_reason"] for chunk in read if chunk["choices"]] == [None, None, "length"]
    assert {(chunk["id"], chunk["object"], chunk["model"]) for chunk in read} == {
        ("req_1", "text_completion", "asked/model")
    }
    if usage_asked:
        assert read[-1]["usage"]["completion_tokens"] == 2
        assert all(chunk["usage"] is None for chunk in read[:-1])
    else:
        assert all("usage" not in chunk for chunk in read)


def test_recorded_streams_tell_the_text_that_a_chat_tells(recording: Path) -> None:
    source = WireFormat(recording.parent.name)

    def through(target: WireFormat) -> list[Any]:
        reader, writer = new_reader(source), new_writer(target, NAMED, True)
        events = reader.feed(recording.read_bytes()) + reader.finish()
        return chunks(b"".join(map(writer.write, events)) + writer.finish())

    completion, chat = through(WireFormat.OPENAI_COMPLETIONS), through(WireFormat.OPENAI_CHAT)
    deltas = [chunk["choices"][0]["delta"] for chunk in chat if chunk.get("choices")]
    told = "".join((delta.get("content") or "") + (delta.get("refusal") or "") for delta in deltas)
    assert told.startswith("".join(chunk["choices"][0]["text"] for chunk in completion if chunk.get("choices")))
    assert completion[-1].get("usage") == chat[-1].get("usage")
    assert ("error" in completion[-1]) == ("error" in chat[-1])


def test_a_stream_that_fails_ends_in_an_error() -> None:
    for fail in (lambda w: w.write(StreamFailed(WireError(ErrorKind.SERVER, "no", 502))), lambda w: w.finish()):
        writer = new_writer(WireFormat.OPENAI_COMPLETIONS, NAMED, False)
        writer.write(TextDelta(0, "a"))
        assert chunks(fail(writer))[0]["error"]["message"]
        assert writer.write(TextDelta(0, "b")) == writer.finish() == b""
