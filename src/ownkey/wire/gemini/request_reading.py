"""A client's generateContent request into a Conversation."""

from typing import Any

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.wire.fields import leftovers, read_request, unsupported
from ownkey.wire.gemini import request_shapes as shape
from ownkey.wire.gemini.schema import json_schema
from ownkey.wire.gemini.spelling import spelled
from ownkey.wire.gemini.turns import read_turns, texts_of
from ownkey.wire.neutral import (
    Conversation,
    OutputFormat,
    Sampling,
    Thinking,
    Tool,
    ToolChoice,
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
        tools=_tools(asked.tools or [], required, hints),
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


def _tools(given: list[dict[str, Any]], required: dict[str, Any], hints: dict[str, Any]) -> tuple[Tool, ...]:
    """The client's functions; Google's own tools are required."""
    tools: list[Tool] = []
    for index, entry in enumerate(given):
        for name, value in entry.items():
            if name != "functionDeclarations" and value is not None:
                required[f"tools.{name}"] = value
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
