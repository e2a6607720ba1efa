"""A Conversation into a responses request for a provider."""

from collections.abc import Collection, Sequence
from typing import Any

from ownkey.domain.catalogue import Quirk
from ownkey.domain.formats import WireFormat
from ownkey.wire.fields import refuse_required, unsupported
from ownkey.wire.format import Draft
from ownkey.wire.neutral import (
    OPENAI_REASONING,
    Conversation,
    Document,
    Image,
    OutputFormat,
    Part,
    Reasoning,
    Refusal,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from ownkey.wire.openai_responses import reasoning

_LONGEST_USER = 64
"""OpenAI's limit for `safety_identifier`; Claude Code's user ids are longer."""
_NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}


def write(conversation: Conversation, model: str, stream: bool, quirks: Collection[str] = ()) -> Draft:
    dropped: list[str] = []
    native = conversation.origin is WireFormat.OPENAI_RESPONSES
    # What was translated cannot be continued by the provider's id of it.
    body: dict[str, Any] = {"model": model, "store": False}
    if native:
        body |= conversation.required
        for name, value in conversation.hints.items():
            _put(body, name, value)
    else:
        refuse_required(conversation.required)
        dropped += conversation.hints
        if Quirk.AGENT_API not in quirks and Quirk.STATELESS_RESPONSES not in quirks:
            # Nothing is kept, so reasoning has to travel with the conversation.
            body["include"] = ["reasoning.encrypted_content"]
    if conversation.system:
        _uncached(conversation.system, dropped)
        body["instructions"] = "\n\n".join(part.text for part in conversation.system)
    body["input"] = _input(conversation.turns, native, dropped)
    if stream:
        body["stream"] = True
    if conversation.max_tokens is not None:
        if conversation.max_tokens < 1:
            raise unsupported("max_tokens", "must be at least 1 for the chosen provider.")
        body["max_output_tokens"] = conversation.max_tokens
    if conversation.stop:
        raise unsupported("stop", "cannot be expressed in OpenAI's responses format.")
    _sampling(conversation.sampling, body, dropped)
    _tools(conversation, body, dropped)
    _output(conversation.output, quirks, body)
    _thinking(conversation, body, dropped)
    _user(conversation, quirks, body, dropped)
    return Draft(body, tuple(dict.fromkeys(dropped)), () if native else ("store", "include"))


def _put(body: dict[str, Any], name: str, value: Any) -> None:
    """Set a hint, whose name may be that of a field inside another (`text.verbosity`)."""
    outer, dot, inner = name.partition(".")
    if dot and outer in ("text", "reasoning"):
        body.setdefault(outer, {})[inner] = value
    else:
        body[name] = value


def _sampling(sampling: Sampling, body: dict[str, Any], dropped: list[str]) -> None:
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
            raise unsupported(name, "cannot be expressed in OpenAI's responses format.")
    for name in ("top_k", "seed"):
        if getattr(sampling, name) is not None:
            dropped.append(name)
    if sampling.temperature is not None:
        body["temperature"] = sampling.temperature
    if sampling.top_p is not None:
        body["top_p"] = sampling.top_p


def _input(turns: Sequence[Turn], native: bool, dropped: list[str]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    for turn in turns:
        if turn.name is not None:
            dropped.append("messages.name")
        _uncached(turn.parts, dropped)
        if turn.role == "assistant":
            items += _assistant(turn.parts, native, dropped)
        elif turn.role == "user":
            items += _user_turn(turn.parts, dropped)
        else:
            items.append(_message("system", turn.parts))
    if items and items[-1].get("role") == "assistant" and not native:
        # Anthropic's models go on from there; OpenAI's begin a message of their own.
        dropped.append("messages.prefill")
    return items


def _uncached(parts: Sequence[Part], dropped: list[str]) -> None:
    if any(getattr(part, "cache", None) is not None for part in parts):
        # The marks OpenAI knows are for its newest models alone; everywhere else caching is automatic.
        dropped.append("cache_control")


def _message(role: str, parts: Sequence[Part]) -> dict[str, Any]:
    """A single text stays a plain string, which every compatible provider accepts."""
    first = parts[0] if len(parts) == 1 else None
    content = first.text if isinstance(first, Text) else [_part(part) for part in parts]
    return {"type": "message", "role": role, "content": content}


def _user_turn(parts: Sequence[Part], dropped: list[str]) -> list[dict[str, Any]]:
    """Results come first, as each follows the call it answers; the rest is one message."""
    results = [_result(part, dropped) for part in parts if isinstance(part, ToolResult)]
    rest = [part for part in parts if not isinstance(part, ToolResult)]
    return [*results, _message("user", rest)] if rest or not results else results


def _result(result: ToolResult, dropped: list[str]) -> dict[str, Any]:
    _uncached(result.parts, dropped)
    parts: Sequence[Part] = result.parts
    if result.is_error:
        dropped.append("is_error")
        parts = parts or (Text("The tool reported an error."),)
    texts = [part.text for part in parts if isinstance(part, Text)]
    output = "".join(texts) if len(texts) == len(parts) else [_part(part) for part in parts]
    return {"type": "function_call_output", "call_id": result.call_id, "output": output}


def _assistant(parts: Sequence[Part], native: bool, dropped: list[str]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, ToolCall):
            arguments = part.arguments or "{}"
            items.append({"type": "function_call", "call_id": part.id, "name": part.name, "arguments": arguments})
        elif isinstance(part, Reasoning):
            if native or (part.format == OPENAI_REASONING and part.redacted is not None):
                items.append(_reasoning(part))
            else:
                dropped.append("reasoning_content")
        elif isinstance(part, Refusal | Text):
            items.append({"type": "message", "role": "assistant", "content": part.text})
        else:
            raise unsupported(
                "messages", "hold a file of the assistant's, which the responses format has no place for."
            )
    return items


def _reasoning(part: Reasoning) -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": part.text}] if part.text else []
    item: dict[str, Any] = {"type": "reasoning", "summary": summary}
    encrypted = reasoning.wrap(part.signature, part.redacted, part.format)
    return item if encrypted is None else item | {"encrypted_content": encrypted}


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Text | Refusal):
        return {"type": "input_text", "text": part.text}
    if isinstance(part, Image):
        url = part.url if part.url is not None else f"data:{part.media_type};base64,{part.data}"
        return {"type": "input_image", "image_url": url, "detail": part.detail or "auto"}
    if isinstance(part, Document):
        return _document(part)
    raise unsupported("messages", "hold a part in a place that OpenAI's responses format has none for.")


def _document(document: Document) -> dict[str, Any]:
    if document.text is not None:
        return {"type": "input_text", "text": document.text}
    if document.url is not None:
        return {"type": "input_file", "file_url": document.url}
    data = f"data:{document.media_type};base64,{document.data}"
    return {"type": "input_file", "filename": document.name or "document.pdf", "file_data": data}


def _tools(conversation: Conversation, body: dict[str, Any], dropped: list[str]) -> None:
    if not conversation.tools:
        return
    if any(tool.cache is not None for tool in conversation.tools):
        dropped.append("cache_control")
    native = conversation.origin is WireFormat.OPENAI_RESPONSES
    body["tools"] = [_tool(tool, native) for tool in conversation.tools]
    if conversation.tool_choice is not None:
        body["tool_choice"] = _tool_choice(conversation.tool_choice)
    if conversation.parallel_tools is not None:
        body["parallel_tool_calls"] = conversation.parallel_tools


def _tool(tool: Tool, native: bool) -> dict[str, Any]:
    """A schema is taken strictly unless it says otherwise; in the other formats it is the reverse."""
    written: dict[str, Any] = {"type": "function", "name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    written["parameters"] = tool.parameters if tool.parameters is not None else _NO_PARAMETERS
    written["strict"] = tool.strict if native else bool(tool.strict)
    return written


def _tool_choice(choice: ToolChoice) -> str | dict[str, Any]:
    if choice.mode == "tool":
        return {"type": "function", "name": choice.name}
    mode = "required" if choice.mode == "any" else choice.mode
    if choice.allowed is None:
        return mode
    return {
        "type": "allowed_tools",
        "mode": mode,
        "tools": [{"type": "function", "name": name} for name in choice.allowed],
    }


def _output(wanted: OutputFormat | None, quirks: Collection[str], body: dict[str, Any]) -> None:
    if wanted is None:
        return
    if wanted.schema is None:
        body.setdefault("text", {})["format"] = {"type": "json_object"}
        return
    schema: dict[str, Any] = {"name": wanted.name or "answer", "schema": wanted.schema}
    if wanted.description is not None:
        schema["description"] = wanted.description
    if wanted.strict is not None:
        schema["strict"] = wanted.strict
    if Quirk.AGENT_API in quirks:
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    else:
        body.setdefault("text", {})["format"] = {"type": "json_schema"} | schema


def _thinking(conversation: Conversation, body: dict[str, Any], dropped: list[str]) -> None:
    thinking = conversation.thinking
    effort = thinking.effort
    if effort is None and thinking.budget is not None and thinking.mode != "disabled":
        effort = _effort(thinking.budget, conversation.max_tokens)
    if effort is not None:
        body.setdefault("reasoning", {})["effort"] = effort
    elif thinking.mode is not None:
        dropped.append("thinking")
    if thinking.display == "summarized":
        body.setdefault("reasoning", {})["summary"] = "auto"


def _effort(budget: int, max_tokens: int | None) -> str:
    """The effort whose share of the answer comes nearest to `budget` (shares as OpenRouter defines them)."""
    share = budget / max_tokens if max_tokens else 0.5
    if share <= 0.35:
        return "low"
    return "medium" if share <= 0.65 else "high"


def _user(conversation: Conversation, quirks: Collection[str], body: dict[str, Any], dropped: list[str]) -> None:
    if conversation.user is None:
        return
    if Quirk.AGENT_API in quirks or len(conversation.user) > _LONGEST_USER:
        dropped.append("metadata.user_id" if conversation.origin is WireFormat.ANTHROPIC_MESSAGES else "user")
    else:
        body["safety_identifier"] = conversation.user
