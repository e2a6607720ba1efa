"""A Conversation into a chat completion request for a provider."""

from collections.abc import Sequence
from typing import Any

from ownkey.domain.facts import NO_FACTS, Facts
from ownkey.domain.formats import WireFormat
from ownkey.wire.fields import refuse_required, unsupported
from ownkey.wire.format import Draft
from ownkey.wire.neutral import (
    Conversation,
    Document,
    Image,
    Part,
    Reasoning,
    Refusal,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from ownkey.wire.openai_chat.answers import reasoning_details

_LONGEST_USER = 64
"""OpenAI's limit for `user`; Claude Code's user ids are longer."""


def write(conversation: Conversation, model: str, stream: bool, facts: Facts = NO_FACTS) -> Draft:
    dropped: list[str] = []
    ours: list[str] = []
    native = conversation.origin is WireFormat.OPENAI_CHAT
    if not native:
        refuse_required(conversation.required)
        dropped += conversation.hints
    body: dict[str, Any] = {"model": model, "messages": _messages(conversation, facts, dropped)}
    if stream:
        body["stream"] = True
        if facts.stream_usage in (None, "asked"):
            body["stream_options"] = {"include_usage": True}
            ours.append("stream_options")
    if conversation.max_tokens is not None:
        if conversation.max_tokens < 1:
            raise unsupported("max_tokens", "must be at least 1 for the chosen provider.")
        body["max_tokens"] = conversation.max_tokens
    if conversation.stop:
        body["stop"] = conversation.stop
    _sampling(conversation.sampling, native, body, dropped)
    _tools(conversation, body, dropped)
    _output(conversation, body)
    _thinking(conversation.thinking, conversation.max_tokens, body, dropped)
    _user(conversation, body, dropped)
    if native:
        body |= conversation.required | conversation.hints
    return Draft(body, tuple(dict.fromkeys(dropped)), tuple(ours))


def _sampling(sampling: Sampling, native: bool, body: dict[str, Any], dropped: list[str]) -> None:
    if sampling.top_k is not None and not native:
        dropped.append("top_k")
    values: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k if native else None,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "logit_bias": sampling.logit_bias,
        "logprobs": sampling.logprobs or None,
        "top_logprobs": sampling.top_logprobs,
        "n": sampling.choices if sampling.choices > 1 else None,
        "seed": sampling.seed,
    }
    body |= {name: value for name, value in values.items() if value is not None}


def _messages(conversation: Conversation, facts: Facts, dropped: list[str]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    if conversation.system:
        messages.append({"role": "system", "content": _content(conversation.system, dropped)})
    for turn in conversation.turns:
        if turn.role == "assistant":
            messages.append(_assistant(turn, facts, dropped))
        elif turn.role == "user":
            messages += _user_turn(turn, dropped)
        else:
            messages.append({"role": "system", "content": _content(turn.parts, dropped)} | _named(turn))
    ends_with_answer = bool(messages) and messages[-1]["role"] == "assistant"
    if ends_with_answer and conversation.origin is not WireFormat.OPENAI_CHAT:
        # Anthropic's models go on from there; OpenAI's begin a message of their own.
        dropped.append("messages.prefill")
    return messages


def _named(turn: Turn) -> dict[str, str]:
    return {"name": turn.name} if turn.name is not None else {}


def _user_turn(turn: Turn, dropped: list[str]) -> list[dict[str, Any]]:
    """Results come first, as each must follow the assistant's call; the rest is one message."""
    messages: list[dict[str, Any]] = []
    rest: list[Part] = []
    moved: list[Part] = []
    for part in turn.parts:
        if isinstance(part, ToolResult):
            messages.append(_result(part, moved, dropped))
        else:
            rest.append(part)
    rest = moved + rest
    if rest or not messages:
        messages.append({"role": "user", "content": _content(rest, dropped)} | _named(turn))
    return messages


def _result(result: ToolResult, moved: list[Part], dropped: list[str]) -> dict[str, Any]:
    """A tool message holds text alone: images and files go to the user message behind the results."""
    texts: list[Text] = []
    files: list[Part] = []
    for part in result.parts:
        if isinstance(part, Text):
            texts.append(part)
        elif isinstance(part, Document) and part.text is not None:
            texts.append(Text(part.text))
        else:
            files.append(part)
    if files:
        moved.append(Text(f"Files returned by the tool call {result.call_id}:"))
        moved += files
        if not texts:
            texts.append(Text("The result is in the files of the next user message."))
    if result.is_error:
        dropped.append("is_error")
        if not any(text.text for text in texts):
            texts = [Text("The tool reported an error.")]
    if result.cache is not None:
        dropped.append("cache_control")
    return {"role": "tool", "tool_call_id": result.call_id, "content": _content(texts, dropped)}


def _assistant(turn: Turn, facts: Facts, dropped: list[str]) -> dict[str, Any]:
    texts: list[Part] = []
    calls: list[dict[str, Any]] = []
    refusals: list[str] = []
    thoughts: list[Reasoning] = []
    for part in turn.parts:
        if isinstance(part, ToolCall):
            function = {"name": part.name, "arguments": part.arguments or "{}"}
            calls.append({"id": part.id, "type": "function", "function": function})
            if part.signature is not None:
                dropped.append("thought_signature")
        elif isinstance(part, Refusal):
            refusals.append(part.text)
        elif isinstance(part, Reasoning):
            thoughts.append(part)
        else:
            texts.append(part)
    message: dict[str, Any] = {"role": "assistant", "content": _content(texts, dropped) if texts else None}
    if refusals:
        message["refusal"] = "\n".join(refusals)
    if calls:
        message["tool_calls"] = calls
    elif not texts and not refusals:
        message["content"] = ""
    return message | _replayed(thoughts, bool(calls), facts, dropped) | _named(turn)


def _replayed(thoughts: list[Reasoning], calls: bool, facts: Facts, dropped: list[str]) -> dict[str, Any]:
    """Earlier reasoning, for models that want it back. Others differ in whether they accept it: many reject the
    request for it, so it is left out."""
    if facts.reasoning_replay == "details" and thoughts:
        return {"reasoning_details": reasoning_details(thoughts)}
    if facts.reasoning_replay == "returned" and (thoughts or calls):
        # DeepSeek demands the field beside tool calls even where nothing was thought.
        return {"reasoning_content": "".join(part.text for part in thoughts)}
    if thoughts:
        dropped.append("reasoning_content")
    return {}


def _content(parts: Sequence[Part], dropped: list[str]) -> str | list[dict[str, Any]]:
    """A single text stays a plain string, which every compatible provider accepts."""
    if any(getattr(part, "cache", None) is not None for part in parts):
        # The marks OpenAI knows are for its newest models alone; everywhere else caching is automatic.
        dropped.append("cache_control")
    if all(isinstance(part, Text) for part in parts) and len(parts) < 2:
        return "".join(part.text for part in parts if isinstance(part, Text))
    return [_part(part) for part in parts]


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, Image):
        url = part.url if part.url is not None else f"data:{part.media_type};base64,{part.data}"
        image = {"url": url} if part.detail is None else {"url": url, "detail": part.detail}
        return {"type": "image_url", "image_url": image}
    if isinstance(part, Document):
        return _document(part)
    raise unsupported("messages", "hold a part in a place that OpenAI's chat format has none for.")


def _document(document: Document) -> dict[str, Any]:
    if document.text is not None:
        return {"type": "text", "text": document.text}
    if document.data is None:
        raise unsupported(
            "messages", "hold a document by URL, which OpenAI's chat format cannot express; send its bytes."
        )
    data = f"data:{document.media_type};base64,{document.data}"
    return {"type": "file", "file": {"filename": document.name or "document.pdf", "file_data": data}}


def _tools(conversation: Conversation, body: dict[str, Any], dropped: list[str]) -> None:
    if not conversation.tools:
        return
    if any(tool.cache is not None for tool in conversation.tools):
        dropped.append("cache_control")
    body["tools"] = [_tool(tool) for tool in conversation.tools]
    if conversation.tool_choice is not None:
        body["tool_choice"] = _tool_choice(conversation.tool_choice)
    if conversation.parallel_tools is not None:
        body["parallel_tool_calls"] = conversation.parallel_tools


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.parameters is not None:
        function["parameters"] = tool.parameters
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _tool_choice(choice: ToolChoice) -> str | dict[str, Any]:
    if choice.mode == "tool":
        return {"type": "function", "function": {"name": choice.name}}
    mode = "required" if choice.mode == "any" else choice.mode
    if choice.allowed is None:
        return mode
    tools = [{"type": "function", "function": {"name": name}} for name in choice.allowed]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


def _output(conversation: Conversation, body: dict[str, Any]) -> None:
    wanted = conversation.output
    if wanted is None:
        return
    if wanted.schema is None:
        body["response_format"] = {"type": "json_object"}
        return
    schema: dict[str, Any] = {"name": wanted.name or "answer", "schema": wanted.schema}
    if wanted.description is not None:
        schema["description"] = wanted.description
    if wanted.strict is not None:
        schema["strict"] = wanted.strict
    body["response_format"] = {"type": "json_schema", "json_schema": schema}


def _thinking(thinking: Thinking, max_tokens: int | None, body: dict[str, Any], dropped: list[str]) -> None:
    effort = thinking.effort
    if effort is None and thinking.budget is not None and thinking.mode != "disabled":
        effort = _effort(thinking.budget, max_tokens)
    if effort is not None:
        body["reasoning_effort"] = effort
    elif thinking.mode is not None:
        dropped.append("thinking")


def _effort(budget: int, max_tokens: int | None) -> str:
    """The effort whose share of the answer comes nearest to `budget` (shares as OpenRouter defines them)."""
    share = budget / max_tokens if max_tokens else 0.5
    if share <= 0.35:
        return "low"
    return "medium" if share <= 0.65 else "high"


def _user(conversation: Conversation, body: dict[str, Any], dropped: list[str]) -> None:
    if conversation.user is None:
        return
    if len(conversation.user) > _LONGEST_USER:
        dropped.append("metadata.user_id" if conversation.origin is WireFormat.ANTHROPIC_MESSAGES else "user")
    else:
        body["user"] = conversation.user
