"""Reading an answer, whole or streamed, with its times and its token counts."""

from collections.abc import Sequence
from math import ceil
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.wire.counting import text_tokens
from ownkey.wire.errors import MalformedAnswer, error_of_value
from ownkey.wire.fields import decode
from ownkey.wire.openai_chat.answers import Piece, pieces
from ownkey.wire.openai_chat.request_shapes import ReasoningDetail
from ownkey.wire.openai_chat.usage import UsageShape, to_usage
from ownkey.wire.sse import SseParser
from ownkey.workbench.records import Message, Prices, Tokens, TokenSource

MEBIBYTE = 1024 * 1024
LONGEST_ANSWER = 4 * MEBIBYTE
"""Bytes of a whole answer, and characters of a streamed one."""
LARGEST_EVENT = MEBIBYTE
LARGEST_STREAM = 64 * MEBIBYTE
"""What frames a token may be a hundred times its size."""
MOST_CHUNKS = 200_000
"""More than any model writes in one answer; each costs a gap."""
_SHOWN = 80

_BOM = b"\xef\xbb\xbf"


class _Function(Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(Struct):
    function: _Function | None = None


class _Said(Struct):
    """A delta, or a message: they have the same fields."""

    content: str | list[Piece] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[ReasoningDetail] | None = None
    tool_calls: list[_Call] | None = None


class _Choice(Struct):
    index: int | None = None
    delta: _Said | None = None
    message: _Said | None = None
    finish_reason: str | None = None


class _Chunk(Struct):
    choices: list[_Choice] | None = None
    usage: msgspec.Raw = msgspec.Raw()
    error: Any = None


_CHUNK = msgspec.json.Decoder(_Chunk)
_ANY = msgspec.json.Decoder()


class AnswerReader:
    """Takes a body piece by piece. Times are the stamps it is given, in seconds.

    `streamed` is None until the first character is here. `done` is set by the stream's own end mark, `complete` when
    nothing of the answer is missing. `usage` is the endpoint's JSON, empty where it sent none.
    """

    def __init__(self) -> None:
        self.streamed: bool | None = None
        self.done = False
        self.finish_reason: str | None = None
        self.usage = b""
        self.reasoning_field: str | None = None
        self.chunks = 0
        self.calls = 0
        self.first: float | None = None
        self.first_output: float | None = None
        self.last: float | None = None
        self.gaps_ms: list[float] = []
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._called: list[str] = []
        self._length = 0
        self._size = 0
        self._stamp = 0.0
        self._held = bytearray()
        self._start = b""
        self._events = 0
        self._parser = SseParser(LARGEST_EVENT)

    @property
    def text(self) -> str:
        return "".join(self._text)

    def text_after(self, pieces: int) -> tuple[str, int]:
        """The text that came after so many pieces of it, and how many there are now."""
        return "".join(self._text[pieces:]), len(self._text)

    @property
    def reasoning(self) -> str:
        return "".join(self._reasoning)

    @property
    def called(self) -> str:
        """Names and arguments of the tool calls, as one text to be counted."""
        return "".join(self._called)

    @property
    def complete(self) -> bool:
        return self.done or self.finish_reason is not None

    def feed(self, stamp: float, data: bytes) -> None:
        """Take bytes that came at `stamp`. Raises MalformedAnswer."""
        self._stamp = stamp
        self._size += len(data)
        if self._size > (LARGEST_STREAM if self.streamed else LONGEST_ANSWER):
            raise MalformedAnswer("it is too large")
        if self.streamed is None:
            self._held += data
            data = self._begin()
        if self.streamed:
            self._feed_stream(stamp, data)
        elif self.streamed is False:
            self._held += data

    def close(self) -> None:
        """The body has ended. Raises MalformedAnswer where that was too early, or no answer came."""
        if self.streamed is False:
            self._whole()
            return
        if self._parser.rest.strip() == b"data: [DONE]":
            self.done = True
        if not self._events:
            raise MalformedAnswer(self._no_answer())
        if not self.complete:
            raise MalformedAnswer("the stream ended before the answer was complete")

    def _begin(self) -> bytes:
        """Tell the kind of body by its first character; what is to be fed as a stream."""
        start = bytes(self._held[: len(_BOM) + 1024]).removeprefix(_BOM).lstrip()
        if not start:
            return b""
        self._start = start[:_SHOWN]
        if start.startswith(b"<"):
            raise MalformedAnswer("it is a web page")
        if start.startswith((b"{", b"[")):
            self.streamed = False
            return b""
        self.streamed = True
        held = bytes(self._held)
        self._held.clear()
        return held

    def _feed_stream(self, stamp: float, data: bytes) -> None:
        for name, payload in self._parser.feed(data):
            if self.done:
                return
            if payload == b"[DONE]":
                self.done = self._events > 0
            elif payload:
                self._event(stamp, name, payload)
        if self._parser.oversized:
            raise MalformedAnswer("its stream holds a line that is too long")

    def _event(self, stamp: float, name: bytes, payload: bytes) -> None:
        if name == b"error":
            raise MalformedAnswer("the stream holds an error", error_of_value(200, decode(_ANY, payload)))
        self._chunk(stamp, decode(_CHUNK, payload), payload)
        self._events += 1

    def _whole(self) -> None:
        body = bytes(self._held).removeprefix(_BOM)
        chunk = decode(_CHUNK, body)
        self._chunk(self._stamp, chunk, body)
        if not chunk.choices:
            raise MalformedAnswer("it has no choices")
        self.done = True

    def _chunk(self, stamp: float, chunk: _Chunk, payload: bytes) -> None:
        if chunk.error:
            raise MalformedAnswer("it is an error", error_of_value(200, {"error": chunk.error}))
        if chunk.choices is None and not bytes(chunk.usage):
            raise _not_a_chunk(payload)
        usage = bytes(chunk.usage)
        if usage not in (b"", b"null"):
            self.usage = usage
        for choice in chunk.choices or ():
            if not choice.index:
                self._choice(stamp, choice)

    def _choice(self, stamp: float, choice: _Choice) -> None:
        said = choice.delta or choice.message
        if said is not None:
            self._said(stamp, said)
        if choice.finish_reason == "error":
            raise MalformedAnswer("the endpoint broke the answer off")
        if choice.finish_reason:
            self.finish_reason = choice.finish_reason

    def _said(self, stamp: float, said: _Said) -> None:
        content = said.content or ""
        reasoning, field = said.reasoning_content or "", "reasoning_content"
        if not reasoning and said.reasoning:
            reasoning, field = said.reasoning, "reasoning"
        if not reasoning and said.reasoning_details:
            found = [detail.text or detail.summary or "" for detail in said.reasoning_details]
            reasoning, field = "".join(found), "reasoning_details"
        if not isinstance(content, str):
            thought, content = pieces(content)
            if not reasoning and thought:
                reasoning, field = thought, "content"
        content += said.refusal or ""
        called = "".join(map(_call_text, said.tool_calls or ()))
        if reasoning:
            self.reasoning_field = field
            self._reasoning.append(reasoning)
        if content:
            self._text.append(content)
        if called:
            self.calls += 1
            self._called.append(called)
        if reasoning or content or called:
            self._mark(stamp, output=bool(content or called))
            self._length += len(reasoning) + len(content) + len(called)
            if self._length > LONGEST_ANSWER or self.chunks > MOST_CHUNKS:
                raise MalformedAnswer("it is too large")

    def _mark(self, stamp: float, *, output: bool) -> None:
        self.chunks += 1
        if self.last is None:
            self.first = stamp
        elif stamp > self.last:
            self.gaps_ms.append((stamp - self.last) * 1000)
        self.last = stamp
        if output and self.first_output is None:
            self.first_output = stamp

    def _no_answer(self) -> str:
        if not self._start:
            return "it is empty"
        shown = self._start.decode("utf-8", "replace")
        return f"it is neither JSON nor an event stream: it begins with {shown!r}"


def _call_text(call: _Call) -> str:
    function = call.function
    return "" if function is None else (function.name or "") + (function.arguments or "")


def _not_a_chunk(payload: bytes) -> MalformedAnswer:
    """JSON without choices and usage: some endpoints send a bare error object."""
    value: object = decode(_ANY, payload)
    told = b'"message"' in payload or b'"detail"' in payload
    return MalformedAnswer("it has no choices", error_of_value(200, value) if told else None)


_MESSAGE = 4
"""Tokens that frame a message, about."""
_LONGEST_TOKEN = 20
_SLACK = 32
_TEMPLATE = 2000
"""Tokens an endpoint may add to a prompt of its own accord: a template, a system prompt, tools."""

_SHAPE = msgspec.json.Decoder(UsageShape)


def tokens_of(reader: AnswerReader, messages: Sequence[Message], max_tokens: int) -> tuple[Tokens | None, list[str]]:
    """The tokens of a call that was answered at least in part, and cautions. None where nothing was counted or said."""
    cautions: list[str] = []
    if reader.usage:
        try:
            usage = to_usage(_SHAPE.decode(reader.usage))
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            usage = None
        if usage is not None:
            tokens = Tokens(usage.input_tokens, usage.output_tokens, usage.reasoning_tokens, usage.cached_tokens)
            return tokens, _doubts(tokens, reader, messages, max_tokens)
        cautions.append("The endpoint's usage cannot be read, so the tokens are estimated.")
    if not reader.chunks:
        return None, cautions
    asked = sum(text_tokens(message.content) + _MESSAGE for message in messages)
    thought = text_tokens(reader.reasoning)
    said = text_tokens(reader.text) + text_tokens(reader.called)
    return Tokens(ceil(asked), ceil(thought + said), ceil(thought), source=TokenSource.ESTIMATED), cautions


def cost_of(tokens: Tokens | None, prices: Prices | None) -> int | None:
    """Nano-dollars, rounded up; None without prices or tokens."""
    if tokens is None or prices is None:
        return None
    return prices.cost(tokens.input, tokens.output)


def _doubts(tokens: Tokens, reader: AnswerReader, messages: Sequence[Message], max_tokens: int) -> list[str]:
    doubts: list[str] = []
    asked = sum(len(message.content) for message in messages)
    answer = reader.text + reader.reasoning + reader.called
    said, size = len(answer), len(answer.encode())
    if tokens.input == 0 and asked:
        doubts.append("The endpoint counts no input tokens.")
    elif tokens.input * _LONGEST_TOKEN + _SLACK < asked:
        doubts.append(f"The endpoint counts only {tokens.input} input tokens for {asked} characters.")
    elif tokens.input > 4 * asked + _TEMPLATE:
        doubts.append(f"The endpoint counts {tokens.input} input tokens for {asked} characters.")
    if tokens.output == 0 and said:
        doubts.append("The endpoint counts no output tokens for an answer.")
    elif tokens.output * _LONGEST_TOKEN + _SLACK < said:
        doubts.append(f"The endpoint counts only {tokens.output} output tokens for {said} characters.")
    elif tokens.output - tokens.reasoning > max_tokens + max(max_tokens // 10, _SLACK):
        doubts.append(f"The endpoint counts {tokens.output} output tokens although {max_tokens} was the limit.")
    elif tokens.output - tokens.reasoning > size + _SLACK:
        doubts.append(
            f"The endpoint counts {tokens.output} output tokens for {said} characters: it does not tell of reasoning, "
            "or counts wrongly."
        )
    return doubts
