"""A Conversation into a ConverseRequest of the service model. The model's id stands in the address."""

from typing import Any

from ownkey.wire.anthropic_messages import thinking
from ownkey.wire.bedrock_converse.request_blocks import Block, BlockWriter
from ownkey.wire.fields import encode, refuse_required, unsupported
from ownkey.wire.format import Draft
from ownkey.wire.neutral import Conversation, Tool, ToolChoice

_LIMIT_FOR_BUDGET = 4096
"""The `maxTokens` that a thinking budget is a share of when nobody set one."""
_OPAQUE = "arn:"
"""An ARN need not tell the model it leads to."""


def write(conversation: Conversation, model: str) -> Draft:
    dropped: list[str] = []
    refuse_required(conversation.required)
    dropped += conversation.hints
    if conversation.user is not None:
        dropped.append("user")
    writer = BlockWriter(dropped, caches=_takes_cache_points(model))
    system, messages = _messages(conversation, writer, dropped)
    body: dict[str, Any] = {"messages": messages}
    if system:
        body["system"] = system
    inference = _inference(conversation, dropped)
    tools = _tools(conversation, writer, messages)
    if tools is not None:
        body["toolConfig"] = tools
    output = _output(conversation)
    extra = _extra(conversation, model, messages, inference, output, dropped)
    for name, value in (
        ("inferenceConfig", inference),
        ("outputConfig", output),
        ("additionalModelRequestFields", extra),
    ):
        if value:
            body[name] = value
    return Draft(body, tuple(dict.fromkeys(dropped)))


def _is_claude(model: str) -> bool:
    return "anthropic.claude" in model


def _takes_cache_points(model: str) -> bool:
    return _is_claude(model) or "amazon.nova" in model or model.startswith(_OPAQUE)


def _messages(conversation: Conversation, writer: BlockWriter, dropped: list[str]) -> tuple[list[Block], list[Block]]:
    """The system blocks and the messages. Roles must alternate, so neighbours of one role become one message;
    most models take instructions only at the beginning, so later ones move there."""
    system = [block for part in conversation.system for block in writer.text(part)]
    messages: list[Block] = []
    for turn in conversation.turns:
        if turn.name is not None:
            dropped.append("messages.name")
        blocks = writer.blocks(turn.parts)
        if turn.role == "system":
            dropped.append("messages.role")
            system += [block for block in blocks if "text" in block or "cachePoint" in block]
        elif blocks and messages and messages[-1]["role"] == turn.role:
            messages[-1]["content"] += blocks
        elif blocks:
            messages.append({"role": turn.role, "content": blocks})
    for message in messages:
        if message["role"] == "user":
            message["content"] = _results_first(message["content"])
            _check_documents(message["content"])
    return system, messages


def _results_first(blocks: list[Block]) -> list[Block]:
    """Results must come first in the message that follows a call; a cache point stays behind its block."""
    results: list[Block] = []
    others: list[Block] = []
    into = others
    for block in blocks:
        if "cachePoint" not in block:
            into = results if "toolResult" in block else others
        into.append(block)
    return results + others


def _check_documents(blocks: list[Block]) -> None:
    if any("document" in block for block in blocks) and not any("text" in block for block in blocks):
        raise unsupported("messages.content", "holds a document and no text; Amazon Bedrock wants both together.")


def _inference(conversation: Conversation, dropped: list[str]) -> dict[str, Any]:
    sampling = conversation.sampling
    if sampling.temperature is not None and sampling.temperature > 1:
        raise unsupported("temperature", "must be at most 1 for the chosen provider, whose scale ends there.")
    if conversation.max_tokens == 0:
        raise unsupported("max_tokens", "must be at least 1 for the chosen provider.")
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
            raise unsupported(name, "cannot be expressed in Bedrock's Converse format.")
    if sampling.seed is not None:
        dropped.append("seed")
    # Claude refuses a stop sequence of white space alone; the others keep their meaning without it.
    stops = [stop for stop in conversation.stop if stop.strip()]
    if len(stops) < len(conversation.stop):
        dropped.append("stop")
    config = {
        "maxTokens": conversation.max_tokens,
        "temperature": sampling.temperature,
        "topP": sampling.top_p,
        "stopSequences": stops or None,
    }
    return {name: value for name, value in config.items() if value is not None}


def _tools(conversation: Conversation, writer: BlockWriter, messages: list[Block]) -> dict[str, Any] | None:
    """Bedrock has no word for "call none": the tools are left out, which it refuses once tools have been used."""
    choice = conversation.tool_choice or ToolChoice("auto")
    used = any("toolUse" in block or "toolResult" in block for message in messages for block in message["content"])
    tools: list[Block] = []
    for tool in conversation.tools:
        if choice.allowed is None or tool.name in choice.allowed:
            tools += [{"toolSpec": _tool(tool)}, *writer.mark(tool.cache)]
    if choice.mode == "none":
        if used:
            raise unsupported("tool_choice", "none cannot be expressed for Amazon Bedrock once tools have been used.")
        return None
    if not tools:
        if used:
            raise unsupported("tools", "must come with a conversation that has used them, for Amazon Bedrock.")
        return None
    config: dict[str, Any] = {"tools": tools}
    if conversation.tool_choice is not None:
        config["toolChoice"] = {"tool": {"name": choice.name}} if choice.mode == "tool" else {choice.mode: {}}
    return config


def _tool(tool: Tool) -> dict[str, Any]:
    schema = tool.parameters or {"type": "object", "properties": {}}
    written: dict[str, Any] = {"name": tool.name, "inputSchema": {"json": schema}}
    if tool.description:
        written["description"] = tool.description
    if tool.strict:
        written["strict"] = True
    return written


def _output(conversation: Conversation) -> dict[str, Any]:
    wanted = conversation.output
    if wanted is None or wanted.schema is None:
        return {}
    schema = {"schema": encode(wanted.schema).decode()}
    if wanted.name:
        schema["name"] = wanted.name
    if wanted.description:
        schema["description"] = wanted.description
    return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}


def _extra(
    conversation: Conversation,
    model: str,
    messages: list[Block],
    inference: dict[str, Any],
    output: dict[str, Any],
    dropped: list[str],
) -> dict[str, Any]:
    """What Converse has no field for and Claude's own parameters have; they reach the model as they are."""
    extra: dict[str, Any] = {}
    top_k, wanted = conversation.sampling.top_k, conversation.thinking
    if not _is_claude(model):
        if top_k is not None:
            dropped.append("top_k")
        if wanted.effort is not None:
            dropped.append("reasoning_effort")
        elif wanted.budget is not None or wanted.mode is not None:
            dropped.append("thinking")
        return extra
    if top_k is not None:
        extra["top_k"] = top_k
    limit = conversation.max_tokens or _LIMIT_FOR_BUDGET
    thinking.write(wanted, model, limit, extra, dropped, may_think=_may_think(messages))
    effort = extra.pop("output_config", {}).get("effort")
    if effort is not None:
        output["effort"] = effort
    if "budget_tokens" in extra.get("thinking", {}):
        inference["maxTokens"] = limit
    return extra


def _may_think(messages: list[Block]) -> bool:
    """Whether the call that is being answered, if any, began with reasoning."""
    if len(messages) < 2 or "toolResult" not in messages[-1]["content"][0]:
        return True
    return "reasoningContent" in messages[-2]["content"][0]
