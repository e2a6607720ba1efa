"""A client's chat completion request into a Conversation."""

from collections.abc import Sequence
from typing import Any

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.wire.fields import leftovers, media_type_of, read_request, unsupported
from ownkey.wire.neutral import (
    CacheMark,
    Conversation,
    Document,
    Freeform,
    Image,
    OutputFormat,
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
from ownkey.wire.openai_chat import request_shapes as shape

_KNOWN = frozenset(shape.ChatRequest.__struct_fields__)
_REQUIRED = frozenset({"audio", "web_search_options", "functions", "function_call", "moderation"})
"""Fields that change what the answer is; every other unknown field is a hint."""


def read(body: dict[str, Any]) -> Conversation:
    asked = read_request(body, shape.ChatRequest)
    required, hints = leftovers(body, _KNOWN, _REQUIRED)
    if asked.modalities and set(asked.modalities) != {"text"}:
        required["modalities"] = asked.modalities
    first_turn = _leading_system(asked.messages)
    limit = asked.max_completion_tokens if asked.max_completion_tokens is not None else asked.max_tokens
    return Conversation(
        origin=WireFormat.OPENAI_CHAT,
        system=tuple(
            part
            for message in asked.messages[:first_turn]
            if isinstance(message, shape.SystemMessage)
            for part in _texts(message.content)
        ),
        turns=_turns(asked.messages, first_turn),
        tools=tuple(map(_tool, asked.tools or ())),
        tool_choice=_tool_choice(asked),
        parallel_tools=asked.parallel_tool_calls,
        sampling=_sampling(asked),
        stop=(asked.stop,) if isinstance(asked.stop, str) else tuple(asked.stop or ()),
        max_tokens=limit,
        output=_output(asked),
        thinking=_thinking(asked),
        stream=bool(asked.stream),
        include_usage=bool(asked.stream_options and asked.stream_options.include_usage),
        user=asked.safety_identifier or asked.user,
        required=required,
        hints=hints,
    )


def _leading_system(messages: Sequence[shape.Message]) -> int:
    for index, message in enumerate(messages):
        if not isinstance(message, shape.SystemMessage):
            return index
    return len(messages)


def _turns(messages: Sequence[shape.Message], start: int) -> tuple[Turn, ...]:
    """Results that follow one another answer the same assistant turn and become one turn."""
    turns: list[Turn] = []
    results: list[Part] = []
    for index in range(start, len(messages)):
        message = messages[index]
        where = f"messages[{index}]"
        if isinstance(message, shape.ToolMessage):
            results.append(ToolResult(message.tool_call_id, _result_parts(message, where)))
            continue
        if results:
            turns.append(Turn("user", tuple(results)))
            results = []
        if isinstance(message, shape.UserMessage):
            turns.append(Turn("user", _user_parts(message, where), message.name))
        elif isinstance(message, shape.AssistantMessage):
            turns.append(Turn("assistant", _assistant_parts(message, where), message.name))
        else:
            turns.append(Turn("system", _texts(message.content), message.name))
    if results:
        turns.append(Turn("user", tuple(results)))
    return tuple(turns)


def _texts(content: str | list[shape.TextPart]) -> tuple[Text, ...]:
    if isinstance(content, str):
        return (Text(content),)
    return tuple(Text(part.text, _mark(part)) for part in content)


def _user_parts(message: shape.UserMessage, where: str) -> tuple[Part, ...]:
    if isinstance(message.content, str):
        return (Text(message.content),)
    return tuple(_part(part, f"{where}.content[{index}]") for index, part in enumerate(message.content))


def _result_parts(message: shape.ToolMessage, where: str) -> tuple[Text | Image | Document, ...]:
    if isinstance(message.content, str):
        return (Text(message.content),)
    return tuple(_part(part, f"{where}.content[{index}]") for index, part in enumerate(message.content))


def _part(part: shape.TextPart | shape.ImagePart | shape.FilePart, where: str) -> Text | Image | Document:
    if isinstance(part, shape.TextPart):
        return Text(part.text, _mark(part))
    if isinstance(part, shape.ImagePart):
        return _image(part, f"{where}.image_url.url")
    return _document(part, f"{where}.file")


def _mark(part: shape.TextPart | shape.ImagePart | shape.FilePart) -> CacheMark | None:
    mark = part.cache_control or part.prompt_cache_breakpoint
    return CacheMark(mark.ttl) if mark is not None else None


def _image(part: shape.ImagePart, where: str) -> Image:
    url = part.image_url.url
    if url.startswith("data:"):
        media_type, data = _data_url(url, where)
        return Image(data=data, media_type=media_type, detail=part.image_url.detail, cache=_mark(part))
    if not url.startswith(("https://", "http://")):
        raise InvalidRequest(f"{where} must be an http, https or data URL.", param=where)
    return Image(url=url, detail=part.image_url.detail, cache=_mark(part))


def _document(part: shape.FilePart, where: str) -> Document:
    if part.file.file_data is None:
        raise unsupported(where, "must hold file_data: uploaded files belong to one provider and cannot be translated.")
    data = part.file.file_data
    media_type = "application/pdf"
    if data.startswith("data:"):
        media_type, data = _data_url(data, f"{where}.file_data")
    return Document(media_type, data=data, name=part.file.filename, cache=_mark(part))


def _data_url(url: str, where: str) -> tuple[str, str]:
    """The media type and the base64 data of a data URL (RFC 2397)."""
    head, comma, data = url[5:].partition(",")
    media_type, *parameters = head.split(";")
    if not comma or "base64" not in parameters or not media_type:
        raise InvalidRequest(f"{where} must be of the form data:<media type>;base64,<data>.", param=where)
    return media_type_of(media_type), data


def _assistant_parts(message: shape.AssistantMessage, where: str) -> tuple[Part, ...]:
    if message.audio is not None:
        raise unsupported(f"{where}.audio", "refers to audio of one provider and cannot be translated.")
    if message.function_call is not None:
        raise unsupported(f"{where}.function_call", "is the outdated form of tool_calls; send tool_calls.")
    parts: list[Part] = list(_reasoning(message))
    if isinstance(message.content, str):
        parts.append(Text(message.content))
    else:
        for part in message.content or ():
            parts.append(Text(part.text, _mark(part)) if isinstance(part, shape.TextPart) else Refusal(part.refusal))
    if message.refusal:
        parts.append(Refusal(message.refusal))
    for call in message.tool_calls or ():
        parts.append(_call(call))
    return tuple(parts)


def _call(call: shape.FunctionCall | shape.CustomCall) -> ToolCall:
    google = call.extra_content.google if call.extra_content is not None else None
    signature = google.thought_signature if google is not None else None
    if isinstance(call, shape.CustomCall):
        return ToolCall(call.id, call.custom.name, call.custom.input, None, signature, freeform=True)
    return ToolCall(call.id, call.function.name, call.function.arguments, None, signature)


def _reasoning(message: shape.AssistantMessage) -> list[Reasoning]:
    found = merge_details(message.reasoning_details or ())
    if not found:
        text = message.reasoning_content or message.reasoning
        found = [Reasoning(text)] if text else []
    return found


def merge_details(details: Sequence[shape.ReasoningDetail]) -> list[Reasoning]:
    """`reasoning_details` as reasoning parts; entries of one index are pieces of one block."""
    blocks: dict[int, Reasoning] = {}
    for position, detail in enumerate(details):
        key = detail.index if detail.index is not None else -1 - position
        block = blocks.get(key, Reasoning())
        blocks[key] = Reasoning(
            block.text + (detail.text or detail.summary or ""),
            detail.signature or block.signature,
            detail.data or block.redacted,
            detail.format or block.format,
        )
    return [block for block in blocks.values() if block.text or block.signature or block.redacted]


def _tool(tool: shape.FunctionTool | shape.CustomTool) -> Tool:
    mark = CacheMark(tool.cache_control.ttl) if tool.cache_control is not None else None
    if isinstance(tool, shape.CustomTool):
        custom = tool.custom
        grammar = (custom.format.grammar if custom.format is not None else None) or shape.Grammar()
        return Tool(custom.name, custom.description, None, None, mark, Freeform(grammar.syntax, grammar.definition))
    function = tool.function
    return Tool(function.name, function.description, function.parameters, function.strict, mark)


def _tool_choice(asked: shape.ChatRequest) -> ToolChoice | None:
    choice = asked.tool_choice
    if choice is None:
        return None
    if isinstance(choice, shape.NamedFunction | shape.NamedCustom):
        return ToolChoice("tool", _name(choice))
    if isinstance(choice, shape.AllowedTools):
        allowed = choice.allowed_tools
        names = tuple(map(_name, allowed.tools))
        return ToolChoice("any" if allowed.mode == "required" else "auto", allowed=names)
    return ToolChoice("any" if choice == "required" else choice)


def _name(named: shape.NamedFunction | shape.NamedCustom) -> str:
    return named.custom.name if isinstance(named, shape.NamedCustom) else named.function.name


def _sampling(asked: shape.ChatRequest) -> Sampling:
    return Sampling(
        temperature=asked.temperature,
        top_p=asked.top_p,
        top_k=asked.top_k,
        frequency_penalty=asked.frequency_penalty,
        presence_penalty=asked.presence_penalty,
        logit_bias=asked.logit_bias,
        logprobs=bool(asked.logprobs),
        top_logprobs=asked.top_logprobs,
        choices=asked.n or 1,
        seed=asked.seed,
    )


def _output(asked: shape.ChatRequest) -> OutputFormat | None:
    wanted = asked.response_format
    if isinstance(wanted, shape.JsonObjectFormat):
        return OutputFormat()
    if isinstance(wanted, shape.JsonSchemaFormat):
        schema = wanted.json_schema
        return OutputFormat(schema.schema or {}, schema.name, schema.description, schema.strict)
    return None


def _thinking(asked: shape.ChatRequest) -> Thinking:
    effort, budget, mode = asked.reasoning_effort, None, None
    if asked.reasoning is not None:
        effort = effort or asked.reasoning.effort or ("none" if asked.reasoning.enabled is False else None)
        budget = asked.reasoning.max_tokens
        mode = "enabled" if asked.reasoning.enabled and effort is None and budget is None else None
    if asked.thinking is not None:
        budget = asked.thinking.budget_tokens or budget
        mode = asked.thinking.type
    return Thinking(effort, budget, mode)
