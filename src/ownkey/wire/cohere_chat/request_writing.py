"""A Conversation into a request for Cohere (`cohere.ClientV2.chat`)."""

from collections.abc import Sequence
from typing import Any

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.wire.cohere_chat.answers import THINKING
from ownkey.wire.fields import refuse_required, unsupported
from ownkey.wire.format import Draft
from ownkey.wire.neutral import (
    Conversation,
    Document,
    Image,
    OutputFormat,
    Part,
    Reasoning,
    Refusal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from ownkey.wire.tool_results import plain_text, split_result, with_cache_mark, with_call_signature

_OWN = frozenset({"citation_options", "documents", "priority", "safety_mode", "strict_tools"})
"""Cohere's own fields: a client that adds them to its request means them."""


def write(conversation: Conversation, model: str, stream: bool) -> Draft:
    refuse_required(conversation.required)
    own = {name: value for name, value in conversation.hints.items() if name in _OWN}
    dropped = [name for name in conversation.hints if name not in own]
    body: dict[str, Any] = {"model": model, "messages": _messages(conversation, dropped)}
    if stream:
        body["stream"] = True
    if conversation.max_tokens is not None:
        if conversation.max_tokens < 1:
            raise unsupported("max_tokens", "must be at least 1 for the chosen provider.")
        body["max_tokens"] = conversation.max_tokens
    sampling(conversation, body, dropped)
    _tools(conversation, body, dropped)
    if conversation.output is not None:
        body["response_format"] = _output(conversation.output)
    thinking(conversation.thinking, conversation.max_tokens, body, dropped)
    if conversation.user is not None:
        dropped.append("metadata.user_id" if conversation.origin is WireFormat.ANTHROPIC_MESSAGES else "user")
    return Draft(body | own, tuple(dict.fromkeys(dropped)))


def _messages(conversation: Conversation, dropped: list[str]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    if conversation.system:
        messages.append({"role": "system", "content": _content(conversation.system, dropped)})
    for turn in conversation.turns:
        if turn.name is not None:
            dropped.append("messages.name")
        if turn.role == "assistant":
            messages.append(_assistant(turn, dropped))
        elif turn.role == "user":
            messages += _user_turn(turn, dropped)
        else:
            messages.append({"role": "system", "content": _content(turn.parts, dropped)})
    if messages and messages[-1]["role"] == "assistant" and conversation.origin is WireFormat.ANTHROPIC_MESSAGES:
        # Anthropic's models go on from there; Cohere's begin a message of their own.
        dropped.append("messages.prefill")
    return messages


def _user_turn(turn: Turn, dropped: list[str]) -> list[dict[str, Any]]:
    """Results come first, as they must follow the assistant's calls; the rest is one message."""
    messages: list[dict[str, Any]] = []
    moved: list[Part] = []
    rest: list[Part] = []
    for part in turn.parts:
        if isinstance(part, ToolResult):
            texts, files = split_result(part, dropped)
            moved += files
            content = _content([Text(text) for text in texts], dropped)
            messages.append({"role": "tool", "tool_call_id": part.call_id, "content": content})
        else:
            rest.append(part)
    rest = moved + rest
    if rest or not messages:
        messages.append({"role": "user", "content": _content(rest, dropped)})
    return messages


def _assistant(turn: Turn, dropped: list[str]) -> dict[str, Any]:
    if with_cache_mark(turn.parts):
        dropped.append("cache_control")
    if with_call_signature(turn.parts):
        dropped.append("thought_signature")
    calls = [_call(part) for part in turn.parts if isinstance(part, ToolCall)]
    plan = ""
    content: list[dict[str, Any]] = []
    for part in turn.parts:
        if isinstance(part, Reasoning):
            if _is_anothers(part):
                dropped.append("reasoning_content")
            elif calls and part.format != THINKING:
                # Models that do not think take a plan, too.
                plan += part.text
            else:
                content.append({"type": "thinking", "thinking": part.text})
        elif isinstance(part, Refusal):
            content.append({"type": "text", "text": part.text})
        elif not isinstance(part, ToolCall):
            content.append(_part(part, dropped))
    message: dict[str, Any] = {"role": "assistant"}
    if calls:
        message["tool_calls"] = calls
    if plan:
        message["tool_plan"] = plan
    if content or not calls:
        plain = len(content) == 1 and content[0]["type"] == "text"
        message["content"] = content[0]["text"] if plain else content or ""
    return message


def _is_anothers(part: Reasoning) -> bool:
    """Whether it bears the proof of another vendor's model, which means nothing here."""
    return part.signature is not None or part.redacted is not None


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}


def _content(parts: Sequence[Part], dropped: list[str]) -> str | list[dict[str, Any]]:
    if with_cache_mark(parts):
        # Cohere caches prompts by itself.
        dropped.append("cache_control")
    if all(isinstance(part, Text) for part in parts) and len(parts) < 2:
        return "".join(part.text for part in parts if isinstance(part, Text))
    return [_part(part, dropped) for part in parts]


def _part(part: Part, dropped: list[str]) -> dict[str, Any]:
    text = plain_text(part)
    if text is not None:
        if isinstance(part, Document) and part.name is not None:
            dropped.append("document.title")
        return {"type": "text", "text": text}
    if isinstance(part, Image):
        url = part.url if part.url is not None else f"data:{part.media_type};base64,{part.data}"
        image = {"url": url} if part.detail is None else {"url": url, "detail": part.detail}
        return {"type": "image_url", "image_url": image}
    raise unsupported("messages", "hold a file, which Cohere's chat cannot read; send its text.")


def _tools(conversation: Conversation, body: dict[str, Any], dropped: list[str]) -> None:
    """A named tool is forced by offering that one alone."""
    choice = conversation.tool_choice or ToolChoice("auto")
    allowed = (choice.name,) if choice.mode == "tool" else choice.allowed
    tools = [tool for tool in conversation.tools if allowed is None or tool.name in allowed]
    if choice.mode == "tool" and not tools:
        raise InvalidRequest(f"tool_choice names {choice.name!r}, which is not among the tools.", param="tool_choice")
    if not tools:
        return
    if any(tool.cache is not None for tool in tools):
        dropped.append("cache_control")
    body["tools"] = [_tool(tool) for tool in tools]
    if all(tool.strict for tool in tools):
        body["strict_tools"] = True
    elif any(tool.strict for tool in tools):
        dropped.append("tools.strict")
    if choice.mode in ("any", "tool"):
        body["tool_choice"] = "REQUIRED"
    elif choice.mode == "none":
        body["tool_choice"] = "NONE"


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    function["parameters"] = tool.parameters or {"type": "object", "properties": {}}
    return {"type": "function", "function": function}


def _output(wanted: OutputFormat) -> dict[str, Any]:
    if wanted.schema is None:
        return {"type": "json_object"}
    return {"type": "json_object", "json_schema": wanted.schema}


_LEAST_P, _MOST_P = 0.01, 0.99
_MOST_K = 500
_MOST_STOPS = 5

_SHARES = {"minimal": 0.1, "low": 0.2, "medium": 0.5, "high": 0.8, "xhigh": 0.95, "max": 0.95}
"""An effort as a share of `max_tokens`, as OpenRouter defines it."""


def sampling(conversation: Conversation, body: dict[str, Any], dropped: list[str]) -> None:
    """Add what Cohere knows of sampling. Raises UnsupportedField for what it does not know."""
    asked = conversation.sampling
    unknown: dict[str, Any] = {
        "logit_bias": asked.logit_bias,
        "logprobs": asked.logprobs,
        "top_logprobs": asked.top_logprobs,
        "n": asked.choices if asked.choices > 1 else None,
    }
    for name, value in unknown.items():
        if value:
            raise unsupported(name, "cannot be expressed for Cohere's chat.")
    if asked.temperature is not None:
        body["temperature"] = asked.temperature
    if asked.top_p is not None:
        body["p"] = min(max(asked.top_p, _LEAST_P), _MOST_P)
        if body["p"] != asked.top_p:
            dropped.append("top_p")
    if asked.top_k is not None:
        body["k"] = min(asked.top_k, _MOST_K)
        if body["k"] != asked.top_k:
            dropped.append("top_k")
    _penalty("frequency_penalty", asked.frequency_penalty, body)
    _penalty("presence_penalty", asked.presence_penalty, body)
    if asked.seed is not None:
        body["seed"] = asked.seed
    if len(conversation.stop) > _MOST_STOPS:
        raise unsupported("stop", f"must hold at most {_MOST_STOPS} sequences for the chosen provider.")
    if conversation.stop:
        body["stop_sequences"] = conversation.stop


def _penalty(name: str, value: float | None, body: dict[str, Any]) -> None:
    if value is None:
        return
    if not 0 <= value <= 1:
        raise unsupported(name, "must be from 0 to 1 for the chosen provider, whose scale ends there.")
    body[name] = value


def thinking(asked: Thinking, max_tokens: int | None, body: dict[str, Any], dropped: list[str]) -> None:
    """Add `thinking`. Models that reason do so unless told otherwise, so `adaptive` needs no word."""
    if asked.display is not None:
        dropped.append("thinking.display")
    if asked.effort == "none" or asked.mode == "disabled":
        body["thinking"] = {"type": "disabled"}
        return
    budget = asked.budget
    if budget is None and asked.effort is not None:
        share = _SHARES.get(asked.effort)
        if share is not None and max_tokens is not None:
            budget = max(1, int(max_tokens * share))
        elif asked.effort != "high":
            dropped.append("reasoning_effort")
    if budget is not None and budget >= 1:
        body["thinking"] = {"type": "enabled", "token_budget": budget}
    elif asked.effort is not None or asked.mode == "enabled":
        body["thinking"] = {"type": "enabled"}
