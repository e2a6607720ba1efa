"""A Conversation into a request for Ollama (`ollama.Client.chat`)."""

from collections.abc import Sequence
from typing import Any, cast

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.wire.fields import object_raw, refuse_required, unsupported
from ownkey.wire.format import Draft
from ownkey.wire.neutral import (
    Conversation,
    Document,
    Image,
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

_LEVELS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}


def write(conversation: Conversation, model: str, stream: bool) -> Draft:
    """A stream is what Ollama answers with unless told otherwise, so `stream` is always said."""
    refuse_required(conversation.required)
    hints = dict(conversation.hints)
    keep_alive, options = hints.pop("keep_alive", None), _own_options(hints.pop("options", None))
    dropped = list(hints)
    body: dict[str, Any] = {"model": model, "messages": _messages(conversation, dropped), "stream": stream}
    _tools(conversation, body, dropped)
    if conversation.output is not None:
        body["format"] = "json" if conversation.output.schema is None else conversation.output.schema
    _think(conversation.thinking, body, dropped)
    options |= _options(conversation)
    if options:
        body["options"] = options
    if keep_alive is not None:
        body["keep_alive"] = keep_alive
    if conversation.user is not None:
        dropped.append("metadata.user_id" if conversation.origin is WireFormat.ANTHROPIC_MESSAGES else "user")
    return Draft(body, tuple(dict.fromkeys(dropped)))


def _own_options(given: object) -> dict[str, Any]:
    """Ollama's own options, such as `num_ctx`, that a client adds to its request."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise InvalidRequest("`options` must be an object.", param="options")
    return dict(cast("dict[str, Any]", given))


def _options(conversation: Conversation) -> dict[str, Any]:
    asked = conversation.sampling
    unknown: dict[str, Any] = {
        "logit_bias": asked.logit_bias,
        "logprobs": asked.logprobs,
        "top_logprobs": asked.top_logprobs,
        "n": asked.choices if asked.choices > 1 else None,
    }
    for name, value in unknown.items():
        if value:
            raise unsupported(name, "cannot be expressed for Ollama's chat.")
    if conversation.max_tokens is not None and conversation.max_tokens < 1:
        raise unsupported("max_tokens", "must be at least 1 for the chosen provider.")
    values: dict[str, Any] = {
        "temperature": asked.temperature,
        "top_p": asked.top_p,
        "top_k": asked.top_k,
        "seed": asked.seed,
        "frequency_penalty": asked.frequency_penalty,
        "presence_penalty": asked.presence_penalty,
        "num_predict": conversation.max_tokens,
        "stop": conversation.stop or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _messages(conversation: Conversation, dropped: list[str]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    if conversation.system:
        messages.append(_message("system", conversation.system, dropped))
    names: dict[str, str] = {}
    for turn in conversation.turns:
        if turn.name is not None:
            dropped.append("messages.name")
        if turn.role == "user":
            messages += _user_turn(turn, names, dropped)
        elif turn.role == "assistant":
            names |= {part.id: part.name for part in turn.parts if isinstance(part, ToolCall)}
            messages.append(_assistant(turn, dropped))
        else:
            messages.append(_message("system", turn.parts, dropped))
    return messages


def _user_turn(turn: Turn, names: dict[str, str], dropped: list[str]) -> list[dict[str, Any]]:
    """Results come first, each under the name of its tool; the rest is one message."""
    messages: list[dict[str, Any]] = []
    moved: list[Part] = []
    rest: list[Part] = []
    for part in turn.parts:
        if isinstance(part, ToolResult):
            if part.call_id not in names:
                text = f"A tool's result answers the call {part.call_id!r}, which no message before it makes."
                raise InvalidRequest(text, param="messages")
            texts, files = split_result(part, dropped)
            moved += files
            messages.append({"role": "tool", "tool_name": names[part.call_id], "content": "\n".join(texts)})
        else:
            rest.append(part)
    rest = moved + rest
    if rest or not messages:
        messages.append(_message("user", rest, dropped))
    return messages


def _assistant(turn: Turn, dropped: list[str]) -> dict[str, Any]:
    thoughts: list[str] = []
    calls: list[dict[str, Any]] = []
    said: list[Part] = []
    for part in turn.parts:
        if isinstance(part, Reasoning):
            if part.signature is not None or part.redacted is not None:
                # Proof of another vendor's thinking means nothing here.
                dropped.append("reasoning_content")
            else:
                thoughts.append(part.text)
        elif isinstance(part, ToolCall):
            calls.append({"function": {"name": part.name, "arguments": object_raw(part.arguments)}})
        else:
            said.append(Text(part.text) if isinstance(part, Refusal) else part)
    if with_call_signature(turn.parts):
        dropped.append("thought_signature")
    message = _message("assistant", said, dropped)
    if thoughts:
        message["thinking"] = "".join(thoughts)
    if calls:
        message["tool_calls"] = calls
    return message


def _message(role: str, parts: Sequence[Part], dropped: list[str]) -> dict[str, Any]:
    """A message holds one text, and its images beside it."""
    if with_cache_mark(parts):
        dropped.append("cache_control")
    texts: list[str] = []
    images: list[str] = []
    for part in parts:
        text = plain_text(part)
        if text is not None:
            texts.append(text)
            if isinstance(part, Document) and part.name is not None:
                dropped.append("document.title")
        elif isinstance(part, Image):
            images.append(_image(part, dropped))
        else:
            raise unsupported("messages", "hold a file, which Ollama's chat cannot read; send its text.")
    message: dict[str, Any] = {"role": role, "content": "\n".join(texts)}
    return message | {"images": images} if images else message


def _image(image: Image, dropped: list[str]) -> str:
    if image.data is None:
        raise unsupported("image_url.url", "must hold the image's bytes: Ollama fetches none.")
    if image.detail not in (None, "auto"):
        dropped.append("image_url.detail")
    return image.data


def _tools(conversation: Conversation, body: dict[str, Any], dropped: list[str]) -> None:
    """Ollama's models are free to call or not; tools that are not offered are not called."""
    choice = conversation.tool_choice or ToolChoice("auto")
    if not conversation.tools or choice.mode == "none":
        return
    if choice.mode != "auto":
        raise unsupported("tool_choice", "cannot force a tool's use at the chosen provider.")
    tools = [tool for tool in conversation.tools if choice.allowed is None or tool.name in choice.allowed]
    if any(tool.cache is not None for tool in tools):
        dropped.append("cache_control")
    if any(tool.strict for tool in tools):
        dropped.append("tools.strict")
    if tools:
        body["tools"] = [_tool(tool) for tool in tools]


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    function["parameters"] = tool.parameters or {"type": "object", "properties": {}}
    return {"type": "function", "function": function}


def _think(asked: Thinking, body: dict[str, Any], dropped: list[str]) -> None:
    """`think` is a level or a switch; `adaptive` leaves it to the model, as silence does."""
    if asked.display is not None:
        dropped.append("thinking.display")
    if asked.effort == "none" or asked.mode == "disabled":
        body["think"] = False
    elif asked.effort is not None:
        body["think"] = _LEVELS.get(asked.effort, True)
    elif asked.budget is not None or asked.mode == "enabled":
        body["think"] = True
    if asked.budget is not None and "think" in body and body["think"] is not False:
        dropped.append("thinking.budget_tokens")
