"""A chat request and its reply, in neutral terms: every wire format is read into the one and written from the other."""

from collections.abc import Sequence
from enum import Enum, StrEnum
from typing import Any

from msgspec import Struct

from ownkey.sandbox import tokens
from ownkey.sandbox.errors import Problem
from ownkey.sandbox.pacing import Timing

LONGEST = 1_000_000
"""The most tokens an answer may be asked for."""


class Tool(Struct, frozen=True):
    """A function the client offers; `schema` describes its arguments."""

    name: str
    schema: dict[str, Any]


class ChatRequest(Struct, kw_only=True):
    """A request, whatever format it came in.

    `prompt` is the text of the last user message, `prompt_tokens` its size if known. `tool_result`
    is the text of the tool results that end the conversation, None when there are none.
    `forced_tool` is the tool the client names; `tools` is empty when the client forbids calls.
    `output_schema` is None when no structured output is asked for, and empty for any JSON object.
    `request` is the whole body, for formats whose answers repeat it. `system_at` is the place of the first system
    message among the messages, None when there is none. `old_limit` says that the limit came as OpenAI's
    `max_tokens`; `temperature` is set where the format is OpenAI's chat.
    """

    model: str
    prompt: str
    prompt_tokens: int | None
    input_tokens: int
    stream: bool = False
    include_usage: bool = False
    obfuscate: bool = True
    count: int = 1
    max_tokens: int | None = None
    stop: Sequence[str] = ()
    tools: Sequence[Tool] = ()
    forced_tool: str | None = None
    parallel: bool = True
    tool_result: str | None = None
    output_schema: dict[str, Any] | None = None
    request: dict[str, Any] | None = None
    system_at: int | None = None
    old_limit: bool = False
    temperature: float | None = None


class Finish(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    TOOL = "tool"
    STOP_SEQUENCE = "stop_sequence"
    REFUSAL = "refusal"
    """The vendor's filter withheld the answer."""


class Fault(Enum):
    """How an answer is damaged on its way."""

    CUT = "cut"
    GARBAGE = "garbage"
    ERROR_EVENT = "error event"
    ERROR_ONLY = "error only"
    """A stream whose only event is an error."""


class Call(Struct, frozen=True):
    """One call of a tool; `arguments` is JSON text."""

    name: str
    arguments: str


class Reply(Struct, kw_only=True):
    """What to answer. `pieces` are the tokens of the text and `size` is their number, when known already.

    Counts of the input: of its tokens, `cached` were read from a cache and `cache_written` put into
    one. `delay` is in seconds, on top of the pace, and `timing` replaces the pace. After `hangs_after` tokens nothing
    more is sent, and an answer in one piece never comes. Streams carry `chunk` tokens an event.

    What is reported: `usage_factor` multiplies the output tokens in the usage, None sends no usage. `whole`
    is sent in one piece even when a stream was asked for. `reasoning_field` replaces the vendor's in OpenAI's chat.
    """

    text: str = ""
    pieces: Sequence[str] | None = None
    size: int | None = None
    thinking: Sequence[str] = ()
    calls: Sequence[Call] = ()
    finish: Finish = Finish.STOP
    stop_sequence: str | None = None
    cached: int = 0
    cache_written: int = 0
    delay: float = 0.0
    fault: Fault | None = None
    error_event: Problem | None = None
    timing: Timing | None = None
    hangs_after: int | None = None
    chunk: int = 1
    usage_factor: int | None = 1
    whole: bool = False
    reasoning_field: str | None = None

    def text_pieces(self) -> Sequence[str]:
        if self.pieces is None:
            self.pieces = tokens.split(self.text)
        return self.pieces

    def output_tokens(self) -> int:
        """All tokens of one choice: reasoning, text and arguments."""
        size = self.size
        if size is None:
            size = self.size = len(self.text_pieces())
        if self.thinking or self.calls:
            size += len(self.thinking) + sum(tokens.count(call.arguments) for call in self.calls)
        return size

    def reported_tokens(self) -> int:
        """The output tokens as the usage reports them."""
        return self.output_tokens() * (self.usage_factor or 1)

    def cut_text(self, length: int) -> None:
        """Keep the first `length` characters."""
        self.text, self.pieces, self.size = self.text[:length], None, None
