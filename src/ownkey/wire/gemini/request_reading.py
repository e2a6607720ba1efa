"""A client's generateContent request into a Conversation.

Ids are optional at Google, where a result belongs to the call of its name and place. A call without one gets one by
its number in the conversation, so that it keeps it in every later request. The chunks of a streamed answer come back
as one content each, and are joined.
"""

from base64 import b64decode
from binascii import Error
from collections.abc import Sequence
from typing import Any

import msgspec

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.wire.fields import leftovers, media_type_of, object_text, read_request, unsupported
from ownkey.wire.gemini import request_shapes as shape
from ownkey.wire.gemini.client_json import json_schema, spelled
from ownkey.wire.gemini.thinking import standard_base64, thought
from ownkey.wire.neutral import (
    GEMINI_REASONING,
    Conversation,
    Document,
    HostedTool,
    Image,
    OutputFormat,
    Part,
    Reasoning,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)

_KNOWN = frozenset(shape.GenerateContentRequest.__struct_encode_fields__)
_REQUIRED = frozenset({"cachedContent", "continuationToken"})
"""Fields that hold a part of the conversation; every other unknown field is a hint."""
_CONFIG_KNOWN = frozenset(shape.GenerationConfig.__struct_encode_fields__)
_CONFIG_REQUIRED = frozenset(
    {"speechConfig", "imageConfig", "responseLogprobs", "logprobs", "audioTranscriptionConfig"}
)
"""Fields that change what the answer is."""
_LOOSE = frozenset({"OFF", "BLOCK_NONE", "HARM_BLOCK_THRESHOLD_UNSPECIFIED"})
"""Thresholds that ask for no filter, which other providers have none of; the rest asks for protection."""
_LEVELS = {"MINIMAL": "minimal", "LOW": "low", "MEDIUM": "medium", "HIGH": "high", "XHIGH": "xhigh"}


def read(body: dict[str, Any]) -> Conversation:
    body = spelled(body)
    asked = read_request(body, shape.GenerateContentRequest)
    config = asked.generation_config or shape.GenerationConfig()
    required, hints = leftovers(body, _KNOWN, _REQUIRED)
    _config_leftovers(body.get("generationConfig") or {}, config, required, hints)
    if asked.safety_settings:
        strict = any((setting.threshold or "").upper() not in _LOOSE for setting in asked.safety_settings)
        (required if strict else hints)["safetySettings"] = body["safetySettings"]
    turns, part_hints = read_turns(asked.contents)
    hints |= part_hints
    return Conversation(
        origin=WireFormat.GEMINI,
        system=texts_of(asked.system_instruction),
        turns=turns,
        tools=_tools(asked.tools or [], hints),
        hosted=_hosted(asked.tools or []),
        tool_choice=_tool_choice(asked.tool_config or shape.ToolConfig(), hints),
        sampling=_sampling(config),
        stop=tuple(config.stop_sequences or ()),
        max_tokens=config.max_output_tokens,
        output=_output(config),
        thinking=_thinking(config.thinking_config),
        include_usage=True,
        required=required,
        hints=hints,
    )


def _config_leftovers(
    given: dict[str, Any], config: shape.GenerationConfig, required: dict[str, Any], hints: dict[str, Any]
) -> None:
    """Sort what the neutral model does not carry, under the names that it has in the request."""
    needed, rest = leftovers(given, _CONFIG_KNOWN, _CONFIG_REQUIRED)
    needed = {name: value for name, value in needed.items() if value not in (False, 0)}
    if (config.candidate_count or 1) > 1:
        needed["candidateCount"] = config.candidate_count
    if config.response_modalities and {name.upper() for name in config.response_modalities} != {"TEXT"}:
        needed["responseModalities"] = config.response_modalities
    required |= {f"generationConfig.{name}": value for name, value in needed.items()}
    hints |= {f"generationConfig.{name}": value for name, value in rest.items()}


def _sampling(config: shape.GenerationConfig) -> Sampling:
    top_k = config.top_k
    if top_k is not None and top_k != int(top_k):
        raise InvalidRequest("generationConfig.topK must be a whole number.", param="generationConfig.topK")
    return Sampling(
        temperature=config.temperature,
        top_p=config.top_p,
        top_k=None if top_k is None else int(top_k),
        frequency_penalty=config.frequency_penalty,
        presence_penalty=config.presence_penalty,
        seed=config.seed,
    )


def _hosted(given: list[dict[str, Any]]) -> tuple[HostedTool, ...]:
    """Google's own tools, each a field of its name beside the client's functions."""
    return tuple(
        HostedTool(name, f"tools.{name}", value)
        for entry in given
        for name, value in entry.items()
        if name != "functionDeclarations" and value is not None
    )


def _tools(given: list[dict[str, Any]], hints: dict[str, Any]) -> tuple[Tool, ...]:
    """The client's functions."""
    tools: list[Tool] = []
    for index, entry in enumerate(given):
        for number, function in enumerate(read_request(entry, shape.FunctionTool).function_declarations or ()):
            tools.append(_tool(function, f"tools[{index}].functionDeclarations[{number}]"))
            told = {
                "response": function.response,
                "responseJsonSchema": function.response_json_schema,
                "behavior": function.behavior,
            }
            hints |= {f"tools.functionDeclarations.{name}": None for name, value in told.items() if value is not None}
    return tuple(tools)


def _tool(function: shape.FunctionDeclaration, where: str) -> Tool:
    parameters = function.parameters_json_schema
    if parameters is None and function.parameters is not None:
        parameters = json_schema(function.parameters, f"{where}.parameters")
    return Tool(function.name, function.description, parameters)


def _tool_choice(config: shape.ToolConfig, hints: dict[str, Any]) -> ToolChoice | None:
    for name in ("retrieval_config", "include_server_side_tool_invocations"):
        if getattr(config, name) is not None:
            camel = "retrievalConfig" if name == "retrieval_config" else "includeServerSideToolInvocations"
            hints[f"toolConfig.{camel}"] = getattr(config, name)
    calling = config.function_calling_config
    if calling is None:
        return None
    allowed = tuple(calling.allowed_function_names or ()) or None
    where = "toolConfig.functionCallingConfig.mode"
    match (calling.mode or "AUTO").upper():
        case "AUTO" | "MODE_UNSPECIFIED":
            return ToolChoice("auto", allowed=allowed) if calling.mode or allowed else None
        case "VALIDATED":
            # Arguments that hold to the schema for sure; elsewhere that is a property of each tool.
            hints[where] = calling.mode
            return ToolChoice("auto", allowed=allowed)
        case "NONE":
            return ToolChoice("none")
        case "ANY":
            return ToolChoice("tool", allowed[0]) if allowed and len(allowed) == 1 else ToolChoice("any", None, allowed)
        case mode:
            raise InvalidRequest(f"{where} must be AUTO, ANY, NONE or VALIDATED, not {mode[:40]!r}.", param=where)


def _output(config: shape.GenerationConfig) -> OutputFormat | None:
    where = "generationConfig.responseMimeType"
    schema = config.response_json_schema
    if schema is None and config.response_schema is not None:
        schema = json_schema(config.response_schema, "generationConfig.responseSchema")
    kind = (config.response_mime_type or "").lower()
    if kind in ("", "text/plain"):
        if schema is not None:
            raise InvalidRequest(f"{where} must be application/json where a schema is given.", param=where)
        return None
    if kind != "application/json":
        raise unsupported(where, f"is {kind[:80]!r}, which cannot be expressed for the chosen provider.")
    return OutputFormat(schema)


def _thinking(config: shape.ThinkingConfig | None) -> Thinking:
    """A budget of 0 turns reasoning off, -1 leaves its length to the model."""
    if config is None:
        return Thinking()
    if config.thinking_level and config.thinking_level.upper() != "THINKING_LEVEL_UNSPECIFIED":
        effort = _LEVELS.get(config.thinking_level.upper())
        if effort is None:
            where = "generationConfig.thinkingConfig.thinkingLevel"
            raise InvalidRequest(f"{where} is none of {', '.join(_LEVELS)}.", param=where)
        return Thinking(effort)
    if config.thinking_budget == 0:
        return Thinking("none")
    if config.thinking_budget is not None and config.thinking_budget > 0:
        return Thinking(budget=config.thinking_budget)
    return Thinking(mode="adaptive") if config.thinking_budget == -1 or config.include_thoughts else Thinking()


_ROLES: dict[str, shape.Role] = {"user": "user", "model": "assistant", "function": "user"}
_GOOGLES_OWN = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
_HINTS = ("videoMetadata", "mediaResolution", "partMetadata")
_GOOGLES_FILES = ("gs://", "https://generativelanguage.googleapis.com/")


class _Ids:
    """Which calls wait for their results."""

    def __init__(self) -> None:
        self._count = 0
        self._open: list[tuple[str, str]] = []

    def of_call(self, call: shape.FunctionCall) -> str:
        id_ = call.id or f"call_{self._count}"
        self._count += 1
        self._open.append((id_, call.name))
        return id_

    def of_result(self, response: shape.FunctionResponse) -> str:
        """By id where both sides name one, else the first open call of the name."""
        found = next((at for at, (id_, _) in enumerate(self._open) if response.id and id_ == response.id), None)
        if found is None:
            found = next((at for at, (_, name) in enumerate(self._open) if name == response.name), None)
        if found is not None:
            return self._open.pop(found)[0]
        return response.id or f"call_{response.name}"


def texts_of(content: shape.Content | None) -> tuple[Text, ...]:
    """The system instruction. Raises UnsupportedField where it holds more than text."""
    texts: list[Text] = []
    for index, part in enumerate((content and content.parts) or ()):
        if part.text is None:
            raise unsupported(f"systemInstruction.parts[{index}]", "must hold text.")
        texts.append(Text(part.text))
    return tuple(texts)


def read_turns(contents: Sequence[shape.Content]) -> tuple[tuple[Turn, ...], dict[str, Any]]:
    """The turns, and the hints among their parts by name. Raises InvalidRequest, UnsupportedField."""
    ids, hints = _Ids(), dict[str, Any]()
    turns: list[tuple[shape.Role, list[Part]]] = []
    for index, content in enumerate(contents):
        where = f"contents[{index}]"
        role = _ROLES.get(content.role or "user")
        if role is None:
            raise InvalidRequest(f"{where}.role must be user or model.", param=f"{where}.role")
        if not turns or turns[-1][0] != role:
            turns.append((role, []))
        parts = turns[-1][1]
        for number, part in enumerate(content.parts or ()):
            place = f"{where}.parts[{number}]"
            _note_hints(part, hints)
            if _is_googles(part):
                continue
            if role == "user":
                parts.append(_user_part(part, ids, place))
            else:
                _add_answer(parts, part, ids, place)
    return tuple(Turn(role, tuple(parts)) for role, parts in turns), hints


def _is_googles(part: shape.Part) -> bool:
    """Whether the part belongs to a tool that Google runs itself: the answer that followed stands beside it."""
    return any(
        value is not None
        for value in (part.executable_code, part.code_execution_result, part.tool_call, part.tool_response)
    )


def _note_hints(part: shape.Part, hints: dict[str, Any]) -> None:
    for name, value in zip(shape.Part.__struct_encode_fields__, msgspec.structs.astuple(part), strict=True):
        if value is None:
            continue
        if name in _GOOGLES_OWN or name in _HINTS:
            hints[f"contents.parts.{name}"] = None


def _user_part(part: shape.Part, ids: _Ids, where: str) -> Part:
    if part.function_response is not None:
        return _result(part.function_response, ids, f"{where}.functionResponse")
    if part.function_call is not None:
        raise InvalidRequest(f"{where}.functionCall belongs to a content of the role model.", param=where)
    if part.text is not None:
        return Text(part.text)
    return _file(part, where)


def _add_answer(parts: list[Part], part: shape.Part, ids: _Ids, where: str) -> None:
    """Append a part of the model's; texts and thoughts that follow one another are pieces of one."""
    if part.function_call is not None:
        call = part.function_call
        parts.append(ToolCall(ids.of_call(call), call.name, object_text(call.args or {}), None, part.thought_signature))
    elif part.thought:
        new = thought(part.text or "", part.thought_signature)
        last = parts[-1] if parts else None
        if isinstance(last, Reasoning) and last.signature is None and last.redacted is None and last.text:
            parts.pop()
            new = Reasoning(last.text + new.text, new.signature, new.redacted, new.format)
        if new.text or new.signature or new.redacted:
            parts.append(new)
    elif part.text is not None:
        if part.thought_signature is not None:
            parts.append(Reasoning(redacted=part.thought_signature, format=GEMINI_REASONING))
        last = parts[-1] if parts else None
        if isinstance(last, Text):
            parts[-1] = Text(last.text + part.text)
        elif part.text:
            parts.append(Text(part.text))
    elif part.function_response is not None:
        raise InvalidRequest(f"{where}.functionResponse belongs to a content of the role user.", param=where)
    elif part.inline_data is not None or part.file_data is not None:
        raise unsupported(where, "is a file that a model made, which cannot be translated.")
    elif part.thought_signature is None:
        raise _empty(where)


def _result(response: shape.FunctionResponse, ids: _Ids, where: str) -> ToolResult:
    """Google's keys are `output` and `error`, its SDK's `result`; without them the whole object is the output."""
    value: Any = response.response or {}
    is_error = False
    if len(value) == 1:
        key, inner = next(iter(value.items()))
        is_error = key == "error"
        value = inner if key in ("output", "result", "error") else value
    text = value if isinstance(value, str) else object_text(value)
    parts: list[Text | Image | Document] = [] if value == {} and response.parts else [Text(text)]
    for index, part in enumerate(response.parts or ()):
        place = f"{where}.parts[{index}]"
        parts.append(_file(shape.Part(inline_data=part.inline_data, file_data=part.file_data), place))
    return ToolResult(ids.of_result(response), tuple(parts), is_error)


def _file(part: shape.Part, where: str) -> Image | Document:
    if part.inline_data is not None:
        blob = part.inline_data
        kind, data = media_type_of(blob.mime_type), standard_base64(blob.data)
        if kind.startswith("image/"):
            return Image(data=data, media_type=kind)
        if kind.startswith("text/"):
            return Document("text/plain", text=_decoded(data, where), name=blob.display_name)
        if kind == "application/pdf":
            return Document(kind, data=data, name=blob.display_name)
        raise unsupported(f"{where}.inlineData.mimeType", f"is {kind[:80]!r}: images and documents are translated.")
    if part.file_data is not None:
        return _linked(part.file_data, f"{where}.fileData")
    raise _empty(where)


def _linked(file: shape.FileData, where: str) -> Image | Document:
    if file.file_uri.startswith(_GOOGLES_FILES) or not file.file_uri.startswith(("https://", "http://")):
        raise unsupported(f"{where}.fileUri", "names a file that only Google can read; send its bytes as inlineData.")
    kind = (file.mime_type or "").lower()
    if kind.startswith("image/"):
        return Image(url=file.file_uri)
    if kind == "application/pdf":
        return Document(kind, url=file.file_uri, name=file.display_name)
    raise unsupported(f"{where}.mimeType", f"is {kind[:80]!r}: images and PDF files are translated.")


def _decoded(data: str, where: str) -> str:
    try:
        return b64decode(data, validate=True).decode()
    except (Error, ValueError):
        raise InvalidRequest(f"{where}.inlineData.data is not UTF-8 text in base64.", param=where) from None


def _empty(where: str) -> InvalidRequest:
    return InvalidRequest(f"{where} is empty: a part holds text, a file, a call or a result.", param=where)
