"""The conversation in an Anthropic request: its types, its text, and the rules that Anthropic holds it to."""

from base64 import b64encode
from hashlib import sha256
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from ownkey.sandbox import tokens
from ownkey.sandbox.reading import invalid


class Block(Struct):
    """A content block of any type, with the fields that are read."""

    type: str
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: dict[str, Any] | None = None
    tool_use_id: str | None = None
    content: "str | list[Block] | dict[str, Any] | None" = None
    thinking: str | None = None
    signature: str | None = None


Content: TypeAlias = str | list[Block]


class Message(Struct):
    role: Literal["user", "assistant", "system"]
    content: Content


class ToolParam(Struct):
    name: str
    type: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = None


class OutputFormat(Struct):
    type: str
    schema: dict[str, Any] | None = None


class OutputConfig(Struct):
    format: OutputFormat | None = None


class Body(Struct):
    """The fields of a request that are read; others are passed over."""

    model: str | None = None
    messages: list[Message] | None = None
    max_tokens: int | None = None
    system: Content | None = None
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    tools: list[ToolParam] | None = None
    tool_choice: dict[str, Any] | None = None
    output_config: OutputConfig | None = None
    output_format: OutputFormat | None = None


class Conversation(Struct, frozen=True):
    """The last user text, the text of the tool results in the last message (None: there are none), all tokens."""

    prompt: str
    tool_result: str | None
    tokens: int


def measure(body: Body) -> Conversation:
    """Raises Refused when tool results do not answer the calls just before them."""
    size = tokens.count(_text(body.system)) if body.system else 0
    if body.tools:
        size += tokens.count(msgspec.json.encode(body.tools).decode())
    prompt, tool_result = "", None
    open_calls: set[str] = set()
    for index, message in enumerate(body.messages or ()):
        text = _text(message.content)
        size += tokens.count(text)
        blocks = message.content if isinstance(message.content, list) else []
        results = [block for block in blocks if block.type == "tool_result"]
        _check_results(index, open_calls, results)
        open_calls = {block.id for block in blocks if block.type == "tool_use" and block.id}
        size += sum(map(_size, blocks))
        tool_result = "\n".join(_result_text(block) for block in results) if results else None
        if message.role == "user" and (text or not results):
            prompt = text
    if open_calls:
        raise _unanswered(len(body.messages or ()) - 1, open_calls)
    return Conversation(prompt, tool_result, size)


def _check_results(index: int, open_calls: set[str], results: list[Block]) -> None:
    answered = {block.tool_use_id for block in results}
    if open_calls - answered:
        raise _unanswered(index - 1, open_calls - answered)
    for block in results:
        if block.tool_use_id not in open_calls:
            text = (
                f"messages.{index}.content: unexpected `tool_use_id` found in `tool_result` blocks: "
                f"{block.tool_use_id}. Each `tool_result` block must have a corresponding `tool_use` block in the "
                "previous message."
            )
            raise invalid("messages", text)


def _unanswered(index: int, calls: set[str]) -> Exception:
    text = (
        f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: "
        f"{', '.join(sorted(calls))}. Each `tool_use` block must have a corresponding `tool_result` block in the next "
        "message."
    )
    return invalid("messages", text)


def _text(content: Content | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(block.text for block in content if block.type == "text" and block.text)


def _result_text(block: Block) -> str:
    return _text(block.content) if isinstance(block.content, str | list) else ""


def _size(block: Block) -> int:
    """The tokens of a block that is no text."""
    match block.type:
        case "image":
            return tokens.IMAGE_TOKENS
        case "tool_use":
            return tokens.count(msgspec.json.encode(block.input or {}).decode())
        case "tool_result":
            nested = sum(map(_size, block.content)) if isinstance(block.content, list) else 0
            return tokens.count(_result_text(block)) + nested
        case "thinking":
            return tokens.count(block.thinking or "")
        case _:
            return 0


def sign(thinking: str) -> str:
    """The signature of a thinking block: it proves to the `think-N` models that the block came back unchanged."""
    return b64encode(sha256(b"ownkey sandbox\n" + thinking.encode()).digest()).decode()


def check_signatures(messages: list[Message]) -> None:
    """Raises Refused when a thinking block does not bear its signature."""
    for index, message in enumerate(messages):
        for number, block in enumerate(message.content if isinstance(message.content, list) else ()):
            if block.type == "thinking" and block.signature != sign(block.thinking or ""):
                text = f"messages.{index}.content.{number}: Invalid `signature` in `thinking` block"
                raise invalid("messages", text)
