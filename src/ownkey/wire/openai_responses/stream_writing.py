"""Events into responses events for a client.

Each item of the output is opened, filled and closed by events of its own. Texts and reasoning come one
after the other; calls may interleave as the provider's do, so each stays open until the answer is over.
"""

from typing import Any

import msgspec

from ownkey.wire.errors import ErrorKind, WireError, broken, encodable
from ownkey.wire.events import (
    Event,
    ReasoningDelta,
    ReasoningRedacted,
    ReasoningSigned,
    RefusalDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
)
from ownkey.wire.neutral import AnswerLabel, StopReason, ToolCall
from ownkey.wire.openai_responses import answers, reasoning
from ownkey.wire.writing import StreamWriter

_ENCODE = msgspec.json.Encoder().encode


_TEXT_DELTA = (
    b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":%d,'
    b'%b"delta":%b,"logprobs":[]}\n\n'
)
_EVENTS = {
    "function_call": "response.function_call_arguments",
    "custom_tool_call": "response.custom_tool_call_input",
}
"""What the events that fill a call's item are called."""
_MOST_HELD = 32 * 1024 * 1024
"""Characters of an answer held for the events that repeat it; a stream that needs more is broken."""

_CODES = {
    ErrorKind.RATE_LIMIT: "rate_limit_exceeded",
    ErrorKind.INVALID_REQUEST: "invalid_prompt",
    ErrorKind.TOO_LARGE: "invalid_prompt",
}
"""The codes a failed response may have; every other failure is a `server_error`."""


class _Call:
    """A call under way."""

    __slots__ = ("arguments", "index", "item")

    def __init__(self, index: int, item: dict[str, Any]) -> None:
        self.index = index
        self.item = item
        self.arguments: list[str] = []


class ResponseWriter(StreamWriter):
    """Writes the events of one response."""

    __slots__ = (
        "_answer_id",
        "_block",
        "_calls",
        "_encrypted",
        "_held",
        "_index",
        "_item",
        "_kind",
        "_output",
        "_pieces",
        "_place",
        "_response",
        "_sequence",
        "_started_already",
    )

    def __init__(self, label: AnswerLabel) -> None:
        super().__init__()
        self._response = answers.skeleton(label)
        self._answer_id = label.id
        self._sequence = -1
        self._output: list[dict[str, Any]] = []
        self._item: dict[str, Any] | None = None
        self._index = -1
        self._block = -1
        self._kind = ""
        self._pieces: list[str] = []
        self._place = b""
        self._encrypted: str | None = None
        self._calls: dict[int, _Call] = {}
        self._held = 0
        self._started_already = False

    def write(self, event: Event) -> bytes:
        if self.closed:
            return b""
        data = self._by_event[type(event)](self, event)
        if self._held > _MOST_HELD and not self.closed:
            return self.fail(broken("The provider's answer is too large."))
        return data

    def _event(self, kind: str, **fields: Any) -> bytes:
        self._sequence += 1
        body = _ENCODE({"type": kind, "sequence_number": self._sequence, **fields})
        return b"event: " + kind.encode() + b"\ndata: " + body + b"\n\n"

    def _here(self) -> dict[str, Any]:
        """Where the open part stands."""
        item = self._item
        assert item is not None  # noqa: S101
        where: dict[str, Any] = {"item_id": item["id"], "output_index": self._index}
        place = "summary_index" if self._kind == "summary_text" else "content_index"
        where[place] = max(len(item.get("content", ())) - 1, 0)
        return where

    def started(self, event: Started) -> bytes:
        super().started(event)
        self._started_already = True
        created = self._event("response.created", response=self._response)
        return created + self._event("response.in_progress", response=self._response)

    def text(self, event: TextDelta) -> bytes:
        opening = b"" if event.block == self._block else self._open_content(event.block, "output_text")
        self._hold(event.text)
        self._sequence += 1
        return opening + _TEXT_DELTA % (self._sequence, self._place, _ENCODE(event.text))

    def refusal(self, event: RefusalDelta) -> bytes:
        opening = b"" if event.block == self._block else self._open_content(event.block, "refusal")
        self._hold(event.text)
        return opening + self._event("response.refusal.delta", **self._here(), delta=event.text)

    def reasoning(self, event: ReasoningDelta) -> bytes:
        opening = b"" if event.block == self._block else self._open_thought(event.block)
        if self._kind != "summary_text":
            self._kind = "summary_text"
            part = {"type": "summary_text", "text": ""}
            opening += self._event("response.reasoning_summary_part.added", **self._here(), part=part)
        self._hold(event.text)
        return opening + self._event("response.reasoning_summary_text.delta", **self._here(), delta=event.text)

    def signed(self, event: ReasoningSigned) -> bytes:
        opening = b"" if event.block == self._block else self._open_thought(event.block)
        self._encrypted = reasoning.wrap(event.signature, None, event.format)
        return opening

    def redacted(self, event: ReasoningRedacted) -> bytes:
        opening = b"" if event.block == self._block else self._open_thought(event.block)
        self._encrypted = reasoning.wrap(None, event.data, event.format)
        return opening

    def _hold(self, text: str) -> None:
        self._pieces.append(text)
        self._held += len(text)

    def _open_content(self, block: int, kind: str) -> bytes:
        """A further part of the message under way, or of a new one."""
        data = self._close_part()
        if self._item is None or self._item["type"] != "message":
            item = answers.message(self._answer_id, len(self._output), (), "in_progress")
            data += self._close_item() + self._open_item(item)
        item = self._item
        assert item is not None  # noqa: S101
        self._block, self._kind = block, kind
        item["content"].append(_content(kind, ""))
        self._place = _ENCODE(self._here())[1:-1] + b","
        return data + self._event("response.content_part.added", **self._here(), part=item["content"][-1])

    def _open_thought(self, block: int) -> bytes:
        data = self._close_part() + self._close_item()
        self._block = block
        return data + self._open_item(answers.thought(self._answer_id, len(self._output), "", None))

    def _open_item(self, item: dict[str, Any]) -> bytes:
        self._item = item
        self._index = len(self._output)
        self._output.append(item)
        return self._event("response.output_item.added", output_index=self._index, item=item)

    def _close_part(self) -> bytes:
        kind, item = self._kind, self._item
        self._block = -1
        if not kind or item is None:
            return b""
        text, here = "".join(self._pieces), self._here()
        self._pieces.clear()
        self._kind = ""
        if kind == "summary_text":
            part = {"type": kind, "text": text}
            item["summary"] = [part]
            done = self._event("response.reasoning_summary_text.done", **here, text=text)
            return done + self._event("response.reasoning_summary_part.done", **here, part=part)
        part = item["content"][-1] = _content(kind, text)
        if kind == "refusal":
            done = self._event("response.refusal.done", **here, refusal=text)
        else:
            done = self._event("response.output_text.done", **here, text=text, logprobs=[])
        return done + self._event("response.content_part.done", **here, part=part)

    def _close_item(self) -> bytes:
        item = self._item
        if item is None:
            return b""
        if "status" in item:
            item["status"] = "completed"
        if self._encrypted is not None:
            item["encrypted_content"] = self._encrypted
        self._item = self._encrypted = None
        return self._event("response.output_item.done", output_index=self._index, item=item)

    def call_started(self, event: ToolCallStarted) -> bytes:
        data = self._close_part() + self._close_item()
        if event.signature is not None:
            thought = answers.before_call(event.signature, self._answer_id, len(self._output))
            data += self._open_item(thought) + self._close_item()
        index = len(self._output)
        call = ToolCall(event.id, event.name, "", None, event.signature, event.freeform, event.namespace)
        item = answers.called(self._answer_id, index, call, "in_progress")
        self._output.append(item)
        self._calls[event.block] = _Call(index, item)
        return data + self._event("response.output_item.added", output_index=index, item=item)

    def call_delta(self, event: ToolCallDelta) -> bytes:
        call = self._calls[event.block]
        call.arguments.append(event.arguments)
        self._held += len(event.arguments)
        here = {"item_id": call.item["id"], "output_index": call.index}
        return self._event(f"{_EVENTS[call.item['type']]}.delta", **here, delta=event.arguments)

    def _close_call(self, call: _Call) -> bytes:
        item = call.item
        whole = "".join(call.arguments)
        given = {"input": whole} if item["type"] == "custom_tool_call" else {"arguments": whole or "{}"}
        item |= given | {"status": "completed"}
        here = {"item_id": item["id"], "output_index": call.index}
        done = self._event(f"{_EVENTS[item['type']]}.done", **here, **given)
        return done + self._event("response.output_item.done", output_index=call.index, item=item)

    def end(self) -> bytes:
        data = self._explain() + self._close_part() + self._close_item()
        data += b"".join(self._close_call(call) for call in self._calls.values())
        response = answers.finish(self._response, self._output, self.stop, self.usage)
        return data + self._event(f"response.{response['status']}", response=response)

    def _explain(self) -> bytes:
        """A refusal that came as a reason for stopping is told in the place of the model's own words."""
        stop = self.stop
        refused = self._kind == "refusal" or any(
            part["type"] == "refusal" for item in self._output for part in item.get("content", ())
        )
        if stop.reason is not StopReason.REFUSAL or not stop.explanation or refused:
            return b""
        return self.refusal(RefusalDelta(-2, stop.explanation))

    def error_event(self, error: WireError) -> bytes:
        """A response that has begun fails; before that there is an error alone."""
        if not self._started_already:
            return failure(error, self._sequence + 1)
        failed_with = {"code": _CODES.get(error.kind, "server_error"), "message": encodable(error.message)}
        failed = self._response | {"status": "failed", "error": failed_with}
        return self._event("response.failed", response=failed)


def failure(error: WireError, sequence: int) -> bytes:
    """An error event, for a stream whose response has not begun or is not ours."""
    code = error.code or error.type
    body = {
        "type": "error",
        "sequence_number": sequence,
        "code": encodable(code) if code is not None else None,
        "message": encodable(error.message),
        "param": encodable(error.param) if error.param is not None else None,
    }
    return b"event: error\ndata: " + _ENCODE(body) + b"\n\n"


def _content(kind: str, text: str) -> dict[str, Any]:
    if kind == "refusal":
        return {"type": kind, "refusal": text}
    return {"type": kind, "text": text, "annotations": [], "logprobs": []}
