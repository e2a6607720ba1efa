"""A Conversation into a messages request for a provider."""

import re
from collections.abc import Sequence
from typing import Any

from ownkey.domain.facts import NO_FACTS, Facts
from ownkey.domain.formats import WireFormat
from ownkey.wire.anthropic_messages import thinking
from ownkey.wire.fields import object_raw, refuse_required, unsupported
from ownkey.wire.format import Draft
from ownkey.wire.neutral import (
    ANTHROPIC_REASONING,
    CacheMark,
    Conversation,
    Document,
    Image,
    Part,
    Reasoning,
    Refusal,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

DEFAULT_MAX_TOKENS = 4096
"""Anthropic requires `max_tokens`; this is sent when the client and its preferences leave it open and nothing is known
of the model."""

_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_LIFETIMES = frozenset({"5m", "1h"})
_NO_ID = re.compile(r"[^a-zA-Z0-9_-]")


def write(conversation: Conversation, model: str, stream: bool, facts: Facts = NO_FACTS) -> Draft:
    dropped: list[str] = []
    native = conversation.origin is WireFormat.ANTHROPIC_MESSAGES
    if not native:
        refuse_required(conversation.required)
        dropped += conversation.hints
    limit = conversation.max_tokens
    if limit is None:
        limit = facts.default_output or facts.largest_output or DEFAULT_MAX_TOKENS
    body: dict[str, Any] = {"model": model, "max_tokens": limit}
    system, messages = _messages(conversation, native, dropped)
    if system:
        body["system"] = system
    body["messages"] = messages
    if stream:
        body["stream"] = True
    _sampling(conversation, body, dropped)
    _tools(conversation, body)
    _output(conversation, body)
    thinking.write(conversation.thinking, model, limit, body, dropped, may_think=_may_think(messages))
    if conversation.user is not None:
        body["metadata"] = {"user_id": conversation.user}
    if native:
        body |= conversation.required | conversation.hints
    return Draft(body, tuple(dict.fromkeys(dropped)), ("max_tokens",) if conversation.max_tokens is None else ())


def _sampling(conversation: Conversation, body: dict[str, Any], dropped: list[str]) -> None:
    sampling = conversation.sampling
    if sampling.temperature is not None:
        if sampling.temperature > 1:
            raise unsupported("temperature", "must be at most 1 for the chosen provider, whose scale ends there.")
        body["temperature"] = sampling.temperature
    unknown: dict[str, Any] = {
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "logit_bias": sampling.logit_bias,
        "logprobs": sampling.logprobs,
        "top_logprobs": sampling.top_logprobs,
        "n": sampling.choices if sampling.choices > 1 else None,
    }
    for name, value in unknown.items():
        if value:
            raise unsupported(name, "cannot be expressed in Anthropic's messages format.")
    if sampling.top_p is not None:
        body["top_p"] = sampling.top_p
    if sampling.top_k is not None:
        body["top_k"] = sampling.top_k
    if sampling.seed is not None:
        dropped.append("seed")
    # A stop sequence of white space alone is refused by Anthropic; the others keep their meaning without it.
    stops = [stop for stop in conversation.stop if stop.strip()]
    if len(stops) < len(conversation.stop):
        dropped.append("stop")
    if stops:
        body["stop_sequences"] = stops


def _messages(
    conversation: Conversation, native: bool, dropped: list[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The system blocks and the messages; neighbours of one role become one message.

    Most models take instructions only at the beginning, so later ones of other formats move there.
    """
    system = [_text(part) for part in conversation.system if part.text]
    messages: list[dict[str, Any]] = []
    for turn in conversation.turns:
        if turn.name is not None:
            dropped.append("messages.name")
        blocks = _blocks(turn.parts, dropped)
        if turn.role == "system" and not native:
            dropped.append("messages.role")
            system += blocks
            continue
        if not blocks:
            continue
        if messages and messages[-1]["role"] == turn.role:
            messages[-1]["content"] += blocks
        else:
            messages.append({"role": turn.role, "content": blocks})
    for message in messages:
        if message["role"] == "user":
            message["content"].sort(key=_after_results)
    return system, messages


def _may_think(messages: list[dict[str, Any]]) -> bool:
    """Whether the call that is being answered, if any, began with thinking."""
    if len(messages) < 2 or messages[-1]["content"][0]["type"] != "tool_result":
        return True
    return messages[-2]["content"][0]["type"] in ("thinking", "redacted_thinking")


def _after_results(block: dict[str, Any]) -> bool:
    """Results must come first in the message that follows a call."""
    return block["type"] != "tool_result"


def _blocks(parts: Sequence[Part], dropped: list[str]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, Text | Refusal):
            # Anthropic refuses an empty text, which OpenAI's clients send beside tool calls.
            if part.text:
                blocks.append(_text(part) if isinstance(part, Text) else {"type": "text", "text": part.text})
        elif isinstance(part, Reasoning):
            blocks += _reasoning(part, dropped)
        elif isinstance(part, ToolCall):
            if part.signature is not None:
                dropped.append("thought_signature")
            call = {"type": "tool_use", "id": _id(part.id), "name": part.name, "input": object_raw(part.arguments)}
            blocks.append(_marked(call, part.cache))
        elif isinstance(part, ToolResult):
            blocks.append(_result(part, dropped))
        else:
            blocks.append(_file(part, dropped))
    return blocks


def _marked(block: dict[str, Any], mark: CacheMark | None) -> dict[str, Any]:
    if mark is not None:
        block["cache_control"] = {"type": "ephemeral"}
        if mark.ttl in _LIFETIMES:
            block["cache_control"]["ttl"] = mark.ttl
    return block


def _text(part: Text) -> dict[str, Any]:
    return _marked({"type": "text", "text": part.text}, part.cache)


def _id(call_id: str) -> str:
    """Ids of other providers may hold characters that Anthropic's do not."""
    return _NO_ID.sub("_", call_id) or "call"


def _reasoning(part: Reasoning, dropped: list[str]) -> list[dict[str, Any]]:
    """Thinking goes back only with Claude's own signature; anything else is refused there."""
    ours = part.format in (None, ANTHROPIC_REASONING)
    if ours and part.redacted is not None:
        return [{"type": "redacted_thinking", "data": part.redacted}]
    if ours and part.signature is not None:
        return [{"type": "thinking", "thinking": part.text, "signature": part.signature}]
    dropped.append("reasoning_content")
    return []


def _result(result: ToolResult, dropped: list[str]) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": _id(result.call_id)}
    content = _blocks(result.parts, dropped)
    if content:
        block["content"] = content
    if result.is_error:
        block["is_error"] = True
    return _marked(block, result.cache)


def _file(part: Image | Document, dropped: list[str]) -> dict[str, Any]:
    if isinstance(part, Image):
        if part.detail not in (None, "auto"):
            dropped.append("image_url.detail")
        if part.data is not None and part.media_type not in _IMAGES:
            raise unsupported("image_url.url", f"holds {part.media_type}; Anthropic reads JPEG, PNG, GIF and WebP.")
        return _marked({"type": "image", "source": _source(part)}, part.cache)
    block: dict[str, Any] = {"type": "document", "source": _source(part)}
    if part.name is not None:
        block["title"] = part.name
    return _marked(block, part.cache)


def _source(part: Image | Document) -> dict[str, Any]:
    if part.url is not None:
        return {"type": "url", "url": part.url}
    if isinstance(part, Document) and part.text is not None:
        return {"type": "text", "media_type": "text/plain", "data": part.text}
    if isinstance(part, Document) and part.media_type != "application/pdf":
        raise unsupported("file.file_data", f"holds {part.media_type}; Anthropic reads PDF and plain text.")
    return {"type": "base64", "media_type": part.media_type, "data": part.data}


def _tools(conversation: Conversation, body: dict[str, Any]) -> None:
    choice = conversation.tool_choice
    allowed = choice.allowed if choice is not None else None
    tools = [_tool(tool) for tool in conversation.tools if allowed is None or tool.name in allowed]
    if not tools:
        return
    body["tools"] = tools
    wanted = _tool_choice(choice or ToolChoice("auto"))
    if conversation.parallel_tools is not None and wanted["type"] != "none":
        wanted["disable_parallel_tool_use"] = not conversation.parallel_tools
    if choice is not None or len(wanted) > 1:
        body["tool_choice"] = wanted


def _tool(tool: Tool) -> dict[str, Any]:
    schema = tool.parameters or {"type": "object", "properties": {}}
    written: dict[str, Any] = {"name": tool.name, "input_schema": schema}
    if tool.description is not None:
        written["description"] = tool.description
    if tool.strict:
        written["strict"] = True
    return _marked(written, tool.cache)


def _tool_choice(choice: ToolChoice) -> dict[str, Any]:
    return {"type": "tool", "name": choice.name} if choice.mode == "tool" else {"type": choice.mode}


def _output(conversation: Conversation, body: dict[str, Any]) -> None:
    wanted = conversation.output
    if wanted is not None and wanted.schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": wanted.schema}}
