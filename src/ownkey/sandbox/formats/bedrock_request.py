"""The conversation in a Converse request: its types, its text, and the rules that Bedrock holds it to."""

from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from ownkey.sandbox import tokens
from ownkey.sandbox.errors import Refused
from ownkey.sandbox.formats.anthropic_request import sign
from ownkey.sandbox.reading import invalid


class Source(Struct):
    bytes: str | None = None
    text: str | None = None


class Media(Struct):
    """An image or a document."""

    format: str | None = None
    name: str | None = None
    source: Source | None = None


class ToolUse(Struct):
    id: str = field(name="toolUseId")
    name: str
    input: dict[str, Any]


class ResultBlock(Struct):
    text: str | None = None
    json: Any = None
    image: Media | None = None
    document: Media | None = None


class ToolResult(Struct):
    id: str = field(name="toolUseId")
    content: list[ResultBlock]
    status: Literal["success", "error"] | None = None


class ReasoningText(Struct):
    text: str
    signature: str | None = None


class Reasoning(Struct):
    text: ReasoningText | None = field(default=None, name="reasoningText")
    redacted: str | None = field(default=None, name="redactedContent")


class CachePoint(Struct):
    type: Literal["default"]
    ttl: Literal["5m", "1h"] | None = None


class Block(Struct, forbid_unknown_fields=True):
    """A content block: exactly one field is set."""

    text: str | None = None
    image: Media | None = None
    document: Media | None = None
    tool_use: ToolUse | None = field(default=None, name="toolUse")
    tool_result: ToolResult | None = field(default=None, name="toolResult")
    reasoning: Reasoning | None = field(default=None, name="reasoningContent")
    cache_point: CachePoint | None = field(default=None, name="cachePoint")


class Message(Struct):
    role: Literal["user", "assistant"]
    content: list[Block]


class ToolSpec(Struct):
    name: str
    input_schema: dict[str, Any] = field(name="inputSchema")
    description: str | None = None


class Tool(Struct):
    spec: ToolSpec | None = field(default=None, name="toolSpec")
    cache_point: CachePoint | None = field(default=None, name="cachePoint")


class ToolConfig(Struct):
    tools: list[Tool]
    choice: dict[str, Any] | None = field(default=None, name="toolChoice")


class Inference(Struct):
    max_tokens: int | None = field(default=None, name="maxTokens")
    temperature: float | None = None
    top_p: float | None = field(default=None, name="topP")
    stop: list[str] | None = field(default=None, name="stopSequences")


class Body(Struct):
    """The fields of a request that are read; others are passed over."""

    messages: list[Message] = []
    system: list[Block] = []
    inference: Inference = field(default_factory=Inference, name="inferenceConfig")
    tools: ToolConfig | None = field(default=None, name="toolConfig")
    output: dict[str, Any] | None = field(default=None, name="outputConfig")


class Conversation(Struct, frozen=True):
    """The last user text, the text of the tool results in the last message (None: there are none), all tokens."""

    prompt: str
    tool_result: str | None
    tokens: int


def measure(body: Body) -> Conversation:
    """Raises Refused for what Bedrock refuses: roles that do not alternate, calls and results that do not match."""
    if not body.messages or body.messages[0].role != "user":
        raise invalid(
            "messages",
            "A conversation must start with a user message. Try again with a conversation that "
            "starts with a user message.",
        )
    size = sum(tokens.count(block.text or "") for block in body.system)
    if body.tools is not None:
        size += tokens.count(msgspec.json.encode(body.tools).decode())
    prompt, result = "", None
    open_calls: list[str] = []
    for index, message in enumerate(body.messages):
        if index and message.role == body.messages[index - 1].role:
            raise _alternate()
        _check_blocks(index, message, body.tools is not None)
        results = [block.tool_result for block in message.content if block.tool_result is not None]
        if sorted(open_calls) != sorted(each.id for each in results):
            raise _mismatch(index)
        open_calls = [block.tool_use.id for block in message.content if block.tool_use is not None]
        text = "".join(block.text or "" for block in message.content)
        size += tokens.count(text) + sum(map(_size, message.content))
        result = "\n".join(map(_text_of, results)) if results else None
        if message.role == "user" and (text or not results):
            prompt = text
    if open_calls:
        raise _mismatch(len(body.messages))
    return Conversation(prompt, result, size)


def check_signatures(body: Body) -> None:
    """Raises Refused when reasoning does not bear its signature."""
    for index, message in enumerate(body.messages):
        for number, block in enumerate(message.content):
            thought = block.reasoning and block.reasoning.text
            if thought and thought.signature != sign(thought.text):
                raise invalid("messages", f"messages.{index}.content.{number}: Invalid `signature` in `thinking` block")


def _check_blocks(index: int, message: Message, has_tools: bool) -> None:
    if not message.content:
        raise invalid(
            "messages",
            f"The content field in the Message object at messages.{index} is empty. Add a "
            "ContentBlock object to the content field and try again.",
        )
    for number, block in enumerate(message.content):
        if sum(getattr(block, name) is not None for name in Block.__struct_fields__) != 1:
            raise invalid(
                "messages",
                f"The ContentBlock object at messages.{index}.content.{number} must set one and "
                "only one of the following members.",
            )
        if block.text is not None and not block.text.strip():
            raise invalid(
                "messages",
                f"The text field in the ContentBlock object at messages.{index}.content."
                f"{number} is blank. Add text to the text field, and try again.",
            )
        if (block.tool_use or block.tool_result) and not has_tools:
            raise invalid(
                "toolConfig", "The toolConfig field must be defined when using toolUse and toolResult content blocks."
            )
    names = [block.document.name for block in message.content if block.document is not None]
    if names and not any(block.text for block in message.content):
        raise invalid("messages", "When you use documents, a text content block must be included in the message.")


def _alternate() -> Refused:
    return invalid(
        "messages",
        "A conversation must alternate between user and assistant roles. Make sure the "
        "conversation alternates between user and assistant roles and try again.",
    )


def _mismatch(index: int) -> Refused:
    return invalid(
        "messages",
        f"Expected toolResult blocks at messages.{index}.content for the toolUse blocks of the "
        "previous turn, and no others.",
    )


def _text_of(result: ToolResult) -> str:
    pieces = (
        block.text if block.text is not None else msgspec.json.encode(block.json).decode()
        for block in result.content
        if block.text is not None or block.json is not None
    )
    return "".join(pieces)


def _size(block: Block) -> int:
    """The tokens of a block that is no text."""
    if block.image is not None or block.document is not None:
        return tokens.IMAGE_TOKENS
    if block.tool_use is not None:
        return tokens.count(msgspec.json.encode(block.tool_use.input).decode())
    if block.tool_result is not None:
        return tokens.count(_text_of(block.tool_result))
    if block.reasoning is not None and block.reasoning.text is not None:
        return tokens.count(block.reasoning.text.text)
    return 0
