"""The neutral model: the union of what the wire formats can say in a request and an answer.

A format reads its own JSON into these values and writes them back. What a target cannot say is
never lost in silence: its writer raises UnsupportedField, or names the field among the dropped hints.
"""

from enum import StrEnum
from typing import Any, Literal

from msgspec import Struct

from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage

ANTHROPIC_REASONING = "anthropic-claude-v1"
"""The name OpenRouter's `reasoning_details` give to thinking that Claude has signed."""
GEMINI_REASONING = "google-gemini-v1"
"""Likewise for what Gemini has signed. `redacted` in this format is the signature of the part that follows."""

OPENAI_REASONING = "openai-responses-v1"
"""Its name for reasoning that OpenAI's responses have encrypted."""


class CacheMark(Struct, frozen=True):
    """The prompt up to here may be cached; `ttl` is the asked lifetime in the source's words (`5m`, `1h`)."""

    ttl: str | None = None


class Text(Struct, frozen=True):
    text: str
    cache: CacheMark | None = None


class Image(Struct, frozen=True):
    """Exactly one of `url` (http or https) and `data` (base64) is set; `media_type` belongs to `data`."""

    url: str | None = None
    data: str | None = None
    media_type: str = ""
    detail: str | None = None
    cache: CacheMark | None = None


class Document(Struct, frozen=True):
    """A file to read: exactly one of `data` (base64), `url` and `text` is set."""

    media_type: str
    data: str | None = None
    url: str | None = None
    text: str | None = None
    name: str | None = None
    cache: CacheMark | None = None


class Reasoning(Struct, frozen=True):
    """What the model thought. `signature` proves who thought it; `redacted` replaces text that is withheld.

    Both are opaque and go back unchanged, and only to the vendor that `format` names (None: unknown).
    """

    text: str = ""
    signature: str | None = None
    redacted: str | None = None
    format: str | None = None


class Refusal(Struct, frozen=True):
    """The model's own words of refusal."""

    text: str


class ToolCall(Struct, frozen=True):
    """`arguments` is JSON text as the model wrote it, which may be empty or invalid.

    `signature` is Gemini's proof of the thinking that led to the call; it goes back unchanged, and only there.
    `freeform` and `namespace` are those of the called tool; the arguments of a free-form tool are any text.
    """

    id: str
    name: str
    arguments: str
    cache: CacheMark | None = None
    signature: str | None = None
    freeform: bool = False
    namespace: str | None = None


class ToolResult(Struct, frozen=True):
    call_id: str
    parts: tuple[Text | Image | Document, ...]
    is_error: bool = False
    cache: CacheMark | None = None


Part = Text | Image | Document | Reasoning | Refusal | ToolCall | ToolResult


class Turn(Struct, frozen=True):
    """One message. Tool results belong to the user's turns; a `system` turn is one after the beginning."""

    role: Literal["user", "assistant", "system"]
    parts: tuple[Part, ...]
    name: str | None = None


class Freeform(Struct, frozen=True):
    """A tool takes one text instead of JSON. The text follows the grammar where there is one."""

    syntax: str | None = None
    definition: str | None = None


class Tool(Struct, frozen=True):
    """`parameters` is a JSON Schema; None means the tool takes none. Names are unique within a `namespace`."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    cache: CacheMark | None = None
    freeform: Freeform | None = None
    namespace: str | None = None


class HostedTool(Struct, frozen=True):
    """A tool that the vendor of the client's format runs or defines itself.

    `field` is its place in the client's request (`tools.web_search`), `declared` what stands there.
    """

    kind: str
    field: str
    declared: Any = None


class ToolChoice(Struct, frozen=True):
    """`any` forces some tool, `tool` forces `name`; `allowed` narrows the tools that may be called.

    `hosted` is the hosted tool that the mode `tool` forces instead.
    """

    mode: Literal["auto", "none", "any", "tool"]
    name: str | None = None
    allowed: tuple[str, ...] | None = None
    hosted: HostedTool | None = None


class Sampling(Struct, frozen=True):
    """How tokens are drawn. `temperature` is on OpenAI's scale of 0 to 2; None leaves the choice to the model."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: dict[str, Any] | None = None
    logprobs: bool = False
    top_logprobs: int | None = None
    choices: int = 1
    seed: int | None = None


class OutputFormat(Struct, frozen=True):
    """The answer must be JSON, and follow `schema` when there is one."""

    schema: dict[str, Any] | None = None
    name: str | None = None
    description: str | None = None
    strict: bool | None = None


class Thinking(Struct, frozen=True):
    """How much to reason: `effort` in words, `budget` in tokens. `mode` is Anthropic's type of thinking."""

    effort: str | None = None
    budget: int | None = None
    mode: str | None = None
    display: str | None = None


class Conversation(Struct, frozen=True, kw_only=True):
    """A chat request without its model, which the plan chooses.

    `required` and `hints` hold the source's top-level fields that the model above does not carry.
    A writer of another format refuses the first kind and drops the second; its own writes both back.
    """

    origin: WireFormat
    system: tuple[Text, ...] = ()
    turns: tuple[Turn, ...] = ()
    tools: tuple[Tool, ...] = ()
    hosted: tuple[HostedTool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    sampling: Sampling = Sampling()
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    output: OutputFormat | None = None
    thinking: Thinking = Thinking()
    stream: bool = False
    include_usage: bool = False
    user: str | None = None
    required: dict[str, Any] = {}
    hints: dict[str, Any] = {}


class StopReason(StrEnum):
    """Why the model stopped."""

    END = "end"
    MAX_TOKENS = "max_tokens"
    STOP_SEQUENCE = "stop_sequence"
    TOOL_USE = "tool_use"
    REFUSAL = "refusal"
    """The provider's filter or the model itself withheld the answer."""
    PAUSE = "pause"
    """A long turn was paused; send the answer back to let it go on."""
    CONTEXT_WINDOW = "context_window"


class Stop(Struct, frozen=True):
    """`sequence` is the stop sequence that was met; `explanation` a refusal's reason for people."""

    reason: StopReason = StopReason.END
    sequence: str | None = None
    explanation: str | None = None


class Answer(Struct, frozen=True, kw_only=True):
    """A whole answer. `usage` is None when the provider reported none."""

    id: str
    model: str
    parts: tuple[Part, ...]
    stop: Stop
    usage: Usage | None


class EmbeddingAsk(Struct, frozen=True, kw_only=True):
    """A request without its model. `hints` are the source's fields that other formats have no place for."""

    origin: WireFormat
    texts: tuple[str, ...]
    dimensions: int | None = None
    hints: tuple[str, ...] = ()


class EmbeddingAnswer(Struct, frozen=True):
    """`vectors` are in the order of the texts. `usage` is None when the provider reported none."""

    vectors: tuple[list[float], ...]
    usage: Usage | None = None


class AnswerLabel(Struct, frozen=True):
    """What a translated answer says of itself: `model` as the client named it, `created` in Unix seconds.

    `asked` is the client's request, for formats whose answers repeat it. `input_estimate` is about how many tokens it
    has, for formats that tell so before the provider has counted them.
    """

    model: str
    created: int
    id: str
    asked: dict[str, Any] = {}
    input_estimate: int = 0
