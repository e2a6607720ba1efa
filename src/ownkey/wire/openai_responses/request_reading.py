"""A client's responses request into a Conversation."""

from collections.abc import Sequence
from typing import Any, cast

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.wire.fields import leftovers, media_type_of, read_request, unsupported
from ownkey.wire.neutral import (
    CacheMark,
    Conversation,
    Document,
    Image,
    OutputFormat,
    Part,
    Reasoning,
    Refusal,
    Sampling,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from ownkey.wire.openai_responses import hosted, reasoning, tools
from ownkey.wire.openai_responses import request_shapes as shape

_KNOWN = frozenset(shape.ResponsesRequest.__struct_fields__)
_REQUIRED = frozenset({"conversation", "prompt", "moderation", "previous_response_id"})
"""Fields that change what the answer is; every other unknown field is a hint."""
_LOGPROBS = "message.output_text.logprobs"


def read(body: dict[str, Any]) -> Conversation:
    asked = read_request(body | hosted.replaced(body), shape.ResponsesRequest)
    required, hints = leftovers(body, _KNOWN, _REQUIRED)
    _judge(asked, required, hints)
    items = _items(asked)
    hints |= {f"input.{item.kind}": None for item in items if isinstance(item, shape.HostedItem)}
    system, first = _leading_system(asked, items)
    return Conversation(
        origin=WireFormat.OPENAI_RESPONSES,
        system=system,
        turns=_turns(items, first),
        tools=tuple(each for tool in asked.tools or () for each in tools.functions(tool)),
        hosted=tools.hosted_of(asked.tools or ()),
        tool_choice=tools.choice(asked.tool_choice),
        parallel_tools=asked.parallel_tool_calls,
        sampling=Sampling(temperature=asked.temperature, top_p=asked.top_p),
        max_tokens=asked.max_output_tokens,
        output=_output(asked.text),
        thinking=_thinking(asked.reasoning),
        stream=bool(asked.stream),
        include_usage=True,
        user=asked.safety_identifier or asked.user,
        required=required,
        hints=hints,
    )


def _judge(asked: shape.ResponsesRequest, required: dict[str, Any], hints: dict[str, Any]) -> None:
    """Sort the known fields that the neutral model has no place for."""
    if asked.background:
        required["background"] = True
    if asked.top_logprobs:
        required["top_logprobs"] = asked.top_logprobs
    if _LOGPROBS in (asked.include or ()):
        required["include"] = asked.include
    if asked.truncation == "auto":
        hints["truncation"] = "auto"
    if asked.text is not None and asked.text.verbosity is not None:
        hints["text.verbosity"] = asked.text.verbosity
    if asked.reasoning is not None:
        more = {"reasoning.mode": asked.reasoning.mode, "reasoning.context": asked.reasoning.context}
        hints |= {name: value for name, value in more.items() if value is not None}


def _items(asked: shape.ResponsesRequest) -> Sequence[shape.Item]:
    if isinstance(asked.input, str):
        return (shape.Message("user", asked.input),)
    if not asked.input:
        raise InvalidRequest("input is missing.", param="input")
    return asked.input


def _leading_system(asked: shape.ResponsesRequest, items: Sequence[shape.Item]) -> tuple[tuple[Text, ...], int]:
    """`instructions` and the system messages at the beginning, and where the turns begin."""
    texts = [Text(asked.instructions)] if asked.instructions else []
    for index, item in enumerate(items):
        if not isinstance(item, shape.Message) or item.role not in ("system", "developer"):
            return tuple(texts), index
        texts += _texts(item, f"input[{index}]")
    return tuple(texts), len(items)


def _texts(message: shape.Message, where: str) -> tuple[Text, ...]:
    parts = _parts(message.content, where)
    if not all(isinstance(part, Text) for part in parts):
        raise InvalidRequest(f"{where}.content: a system message holds text alone.", param=f"{where}.content")
    return cast("tuple[Text, ...]", parts)


def _turns(items: Sequence[shape.Item], start: int) -> tuple[Turn, ...]:
    """What the model said in a row is one turn, and so are results in a row."""
    turns: list[Turn] = []
    open_role = ""
    for index in range(start, len(items)):
        item = items[index]
        if isinstance(item, shape.HostedItem):
            continue
        where = f"input[{index}]"
        role, parts = _read_item(item, where)
        if open_role and role == open_role:
            last = turns[-1]
            turns[-1] = Turn(last.role, _without_double(last.parts, parts) + parts)
        else:
            turns.append(Turn("user" if role in ("user", "results") else role, parts))
        open_role = role if role in ("assistant", "results") else ""
    return tuple(turns)


def _without_double(before: tuple[Part, ...], parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """`before` without a signature at its end that the call in `parts` bears itself: answers say it in both places,
    since some clients drop reasoning and others unknown fields."""
    last, call = before[-1] if before else None, parts[0]
    double = isinstance(last, Reasoning) and isinstance(call, ToolCall) and last.redacted == call.signature is not None
    return before[:-1] if double else before


def _read_item(item: shape.OwnItem, where: str) -> tuple[Any, tuple[Part, ...]]:
    """Whose words these are (`results` being a user's answers to calls), and the words."""
    if isinstance(item, shape.FunctionCall | shape.CustomCall):
        return "assistant", (_call(item),)
    if isinstance(item, shape.ReasoningItem):
        text = "\n\n".join(piece.text for piece in item.summary or item.content or ())
        return "assistant", (reasoning.unwrap(text, item.encrypted_content),)
    if isinstance(item, shape.FunctionCallOutput):
        parts = _parts(item.output, where, "output")
        return "results", (ToolResult(item.call_id, cast("tuple[Text | Image | Document, ...]", parts)),)
    if item.role in ("system", "developer"):
        return "system", _texts(item, where)
    return item.role, _parts(item.content, where)


def _call(item: shape.FunctionCall | shape.CustomCall) -> ToolCall:
    google = item.extra_content.google if item.extra_content is not None else None
    return ToolCall(
        item.call_id,
        item.name,
        item.input if isinstance(item, shape.CustomCall) else item.arguments,
        signature=google.thought_signature if google is not None else None,
        freeform=isinstance(item, shape.CustomCall),
        namespace=item.namespace,
    )


def _parts(content: str | Sequence[object], where: str, field: str = "content") -> tuple[Part, ...]:
    if isinstance(content, str):
        return (Text(content),)
    return tuple(_part(part, f"{where}.{field}[{index}]") for index, part in enumerate(content))


def _part(part: object, where: str) -> Part:
    if isinstance(part, shape.InputText):
        return Text(part.text, _mark(part))
    if isinstance(part, shape.OutputText):
        return Text(part.text)
    if isinstance(part, shape.RefusalPart):
        return Refusal(part.refusal)
    if isinstance(part, shape.InputImage):
        return _image(part, where)
    assert isinstance(part, shape.InputFile)  # noqa: S101
    return _file(part, where)


def _mark(part: shape.InputText | shape.InputImage | shape.InputFile) -> CacheMark | None:
    mark = part.prompt_cache_breakpoint
    return CacheMark(mark.ttl) if mark is not None else None


def _image(part: shape.InputImage, where: str) -> Image:
    url = part.image_url
    if url is None:
        raise _uploaded(where, "image_url")
    if url.startswith("data:"):
        media_type, data = _data_url(url, f"{where}.image_url")
        return Image(data=data, media_type=media_type, detail=part.detail, cache=_mark(part))
    if not url.startswith(("https://", "http://")):
        raise InvalidRequest(f"{where}.image_url must be an http, https or data URL.", param=f"{where}.image_url")
    return Image(url=url, detail=part.detail, cache=_mark(part))


def _file(part: shape.InputFile, where: str) -> Document:
    if part.file_data is not None:
        media_type, data = "application/pdf", part.file_data
        if data.startswith("data:"):
            media_type, data = _data_url(data, f"{where}.file_data")
        return Document(media_type, data=data, name=part.filename, cache=_mark(part))
    if part.file_url is not None:
        return Document("application/pdf", url=part.file_url, name=part.filename, cache=_mark(part))
    raise _uploaded(where, "file_data")


def _uploaded(where: str, field: str) -> InvalidRequest:
    return unsupported(where, f"must hold {field}: uploaded files belong to one provider and cannot be translated.")


def _data_url(url: str, where: str) -> tuple[str, str]:
    """The media type and the base64 data of a data URL (RFC 2397)."""
    head, comma, data = url[5:].partition(",")
    media_type, *parameters = head.split(";")
    if not comma or "base64" not in parameters or not media_type:
        raise InvalidRequest(f"{where} must be of the form data:<media type>;base64,<data>.", param=where)
    return media_type_of(media_type), data


def _output(text: shape.TextConfig | None) -> OutputFormat | None:
    wanted = text.format if text is not None else None
    if isinstance(wanted, shape.JsonObjectFormat):
        return OutputFormat()
    if isinstance(wanted, shape.JsonSchemaFormat):
        return OutputFormat(wanted.schema, wanted.name, wanted.description, wanted.strict)
    return None


def _thinking(asked: shape.ReasoningAsked | None) -> Thinking:
    if asked is None:
        return Thinking()
    shown = asked.summary or asked.generate_summary
    return Thinking(effort=asked.effort, display="summarized" if shown else None)
