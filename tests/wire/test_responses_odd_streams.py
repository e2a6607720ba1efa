"""Responses streams that break their format fail in an event, dialects are understood, observers see the end."""

import json
from typing import Any

import pytest
from tests.wire.test_responses_streams import RESPONSES, read

from ownkey.domain.usage import Usage
from ownkey.wire import ErrorKind
from ownkey.wire.events import (
    Finished,
    ReasoningDelta,
    Started,
    Stopped,
    StreamFailed,
    TextDelta,
    ToolCallStarted,
    UsageReported,
)
from ownkey.wire.neutral import Stop, StopReason


def line(kind: str, **fields: Any) -> bytes:
    return b"data: " + json.dumps({"type": kind} | fields).encode() + b"\n\n"


BEGUN = line("response.created", response={"id": "r", "model": "m"})


@pytest.mark.parametrize(
    ("data", "message", "kind"),
    [
        (line("error", code="rate_limit_exceeded", message="No.", param=None), "No.", ErrorKind.RATE_LIMIT),
        (b'event: error\ndata: {"error":{"message":"No.","code":"401"}}\n\n', "No.", ErrorKind.AUTHENTICATION),
        (BEGUN + line("error", error={"message": "No.", "type": "overloaded_error"}), "No.", ErrorKind.OVERLOADED),
        (
            BEGUN + line("response.failed", response={"error": {"code": "server_error", "message": "No."}}),
            "No.",
            ErrorKind.SERVER,
        ),
        (BEGUN + line("response.failed", error={"message": "No."}), "No.", ErrorKind.SERVER),
        (b'{"error":{"message":"No.","code":402}}', "No.", ErrorKind.BILLING),
        (BEGUN, "ended before", ErrorKind.SERVER),
        (b"", "ended before", ErrorKind.SERVER),
        (BEGUN + b"data: [DONE]\n\n", "ended before", ErrorKind.SERVER),
        (BEGUN + b"data: {]\n\n", "own format", ErrorKind.SERVER),
        (BEGUN + b"data: null\n\n", "own format", ErrorKind.SERVER),
        (BEGUN + b"data: {}\n\n", "own format", ErrorKind.SERVER),
        (BEGUN + b"data: \xff\n\n", "own format", ErrorKind.SERVER),
        (BEGUN + line("response.output_text.delta", delta=7), "own format", ErrorKind.SERVER),
        (BEGUN + line("response.output_item.added", item={"type": "function_call"}), "own format", ErrorKind.SERVER),
        (BEGUN + line("response.output_item.added", item=7), "own format", ErrorKind.SERVER),
        (BEGUN + line("response.completed"), "own format", ErrorKind.SERVER),
        (
            BEGUN + line("response.completed", response={"usage": {"input_tokens": -1}}),
            "own format",
            ErrorKind.SERVER,
        ),
        (BEGUN + b"data: " + b"x" * 9_000_000, "too large", ErrorKind.SERVER),
        (BEGUN + b"data: " + b"[" * 100_000 + b"\n\n", "own format", ErrorKind.SERVER),
    ],
)
def test_odd_streams_fail_in_an_event(data: bytes, message: str, kind: ErrorKind) -> None:
    events = read(data)
    assert isinstance(events[-1], StreamFailed)
    assert message in events[-1].error.message
    assert events[-1].error.kind is kind


def test_parts_without_limit_are_an_attack() -> None:
    data = b"".join(line("response.output_text.delta", output_index=n, delta="x") for n in range(10_002))
    events = read(BEGUN + data)
    assert isinstance(events[-1], StreamFailed)


def test_dialects_of_compatible_providers() -> None:
    """No beginning, no pieces but the whole at the end, events nobody knows, raw reasoning, another usage."""
    data = (
        line("response.reasoning.started", thought="x", sequence_number=0)
        + line("response.reasoning_text.delta", output_index=0, delta="Hm")
        + line("response.output_text.done", output_index=1, text="Whole")
        + line("response.output_item.done", output_index=2, item={"type": "search_results", "content": "x"})
        + line("response.output_item.done", output_index=3, item={"type": "function_call", "id": "i", "name": "f"})
        + line("response.function_call_arguments.delta", output_index=9, delta="lost")
        + line(
            "response.completed",
            response={
                "id": "r",
                "model": "m",
                "status": "completed",
                "usage": {
                    "input_tokens": 9,
                    "output_tokens": 2.0,
                    "input_tokens_details": {"cache_read_input_tokens": 4, "cache_creation_input_tokens": 3},
                },
            },
        )
    )
    assert read(data) == [
        Started("", ""),
        ReasoningDelta(0, "Hm"),
        TextDelta(1, "Whole"),
        ToolCallStarted(2, "i", "f"),
        Stopped(Stop(StopReason.TOOL_USE)),
        UsageReported(Usage(9, 2, 4, 3)),
        Finished(),
    ]


@pytest.mark.parametrize(
    ("end", "ended", "message"),
    [
        (line("response.completed", response={"usage": {"input_tokens": 2, "output_tokens": 3}}), True, None),
        (line("response.incomplete", response={"usage": {"input_tokens": 2, "output_tokens": 3}}), True, None),
        (line("response.failed", response={"error": {"code": "server_error", "message": "No."}}), False, "No."),
        (line("error", code=None, message="No.", param=None), False, "No."),
        (b'data: {"error":{"message":"No."}}\n\n', False, "No."),
        (line("response.output_text.delta", delta='"type":"response.completed"'), False, None),
    ],
)
def test_observers_see_the_end_and_errors(end: bytes, ended: bool, message: str | None) -> None:
    observer = RESPONSES.observer(False)
    observer.feed(BEGUN)
    assert not observer.first_content
    chunk = line("response.output_text.delta", delta="x")
    assert observer.feed(chunk) is chunk
    assert observer.first_content
    observer.feed(end)
    assert observer.ended is ended
    assert (observer.error.message if observer.error else None) == message
    assert observer.usage == (Usage(2, 3) if ended else None)
