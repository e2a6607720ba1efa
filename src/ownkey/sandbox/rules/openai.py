"""Rules of OpenAI's chat completions, and of Azure's."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from ownkey.sandbox.rules.rule import (
    Asked,
    Json,
    Rule,
    Words,
    above,
    at,
    bad_name,
    given,
    items,
    matches,
    model_names,
    other_than,
    overflows,
    unknown,
)
from ownkey.sandbox.rules.schemas import loose_format, loose_function, wrong_root

REASONING = ("gpt-5*", "gpt-6*", "o1*", "o3*", "o4*", "codex-*")
CHATTING = ("gpt-5-chat*", "gpt-5.*-chat*", "gpt-5-search*")
MAY_NOT_THINK = ("gpt-5.1*", "gpt-5.2*", "gpt-5.3*", "gpt-5.4*")
"""Reasoning models that do not think unless an effort is named, and take sampling fields as long as they do not."""
ONLY_RESPONSES = (
    *("gpt-5-pro*", "gpt-5.2-pro*", "gpt-5.4-pro*", "gpt-5-codex*", "gpt-5.1-codex*", "gpt-5.2-codex*"),
    *("gpt-5.3-codex*", "o1-pro*", "o3-pro*", "codex-mini*", "o3-deep-research*", "o4-mini-deep-research*"),
)
_KNOWN = (
    *("messages", "model", "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs"),
    *("max_completion_tokens", "max_tokens", "metadata", "modalities", "moderation", "n", "parallel_tool_calls"),
    *("prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
    *("reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream"),
    *("stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity"),
    "web_search_options",
)
NAME = re.compile(r"[a-zA-Z0-9_-]+")
LONGEST_NAME = 64
_EFFORTS = {
    ("minimal", "low", "medium", "high"): ("gpt-5", "gpt-5-20*", "gpt-5-mini*", "gpt-5-nano*"),
    ("low", "medium", "high"): ("o1", "o1-20*", "o3", "o3-20*", "o3-mini*", "o4-mini", "o4-mini-20*"),
    ("none", "low", "medium", "high"): ("gpt-5.1", "gpt-5.1-20*"),
    ("none", "low", "medium", "high", "xhigh"): ("gpt-5.2", "gpt-5.2-20*", "gpt-5.4", "gpt-5.4-20*", "gpt-5.4-mini*"),
}
_LARGEST = {
    4096: ("gpt-3.5-turbo*", "gpt-4-turbo*", "gpt-4-1106*", "gpt-4-0125*"),
    16_384: ("gpt-4o*", "gpt-5-chat*"),
    32_768: ("gpt-4.1*",),
    100_000: ("o1", "o3", "o3-mini*", "o4-mini*"),
    128_000: ("gpt-5", "gpt-5-20*", "gpt-5-mini*", "gpt-5-nano*", "gpt-5.*", "gpt-6*"),
}
_CONTEXT = {8192: ("gpt-4", "gpt-4-0613"), 16_385: ("gpt-3.5-turbo*",), 128_000: ("gpt-4o*",)}
_REFERENCE = "https://platform.openai.com/docs/api-reference/chat/create"
_PARAMETERS = "https://platform.openai.com/docs/guides/latest-model (parameter compatibility)"


def samples_freely(asked: Asked) -> bool:
    """Whether a reasoning model takes sampling fields, since it is not to think."""
    effort = asked.body.get("reasoning_effort") or at(asked.body, "reasoning.effort")
    return effort in (None, "none") and matches(model_names(asked.model), MAY_NOT_THINK)


def while_thinking(broken: Callable[[Asked], Words | None]) -> Callable[[Asked], Words | None]:
    return lambda asked: None if samples_freely(asked) else broken(asked)


def _names(asked: Asked) -> Iterator[tuple[str, object]]:
    for index, tool in items(asked.body.get("tools")):
        yield f"tools[{index}].function.name", at(tool, "function.name")
    for index, message in items(asked.body.get("messages")):
        for number, call in items(message.get("tool_calls")):
            yield f"messages[{index}].tool_calls[{number}].function.name", at(call, "function.name")


def long_name(names: Callable[[Asked], Iterator[tuple[str, object]]]) -> Callable[[Asked], Words | None]:
    return lambda asked: bad_name(names(asked), re.compile(r"[\s\S]*"), LONGEST_NAME)


def odd_name(names: Callable[[Asked], Iterator[tuple[str, object]]]) -> Callable[[Asked], Words | None]:
    return lambda asked: bad_name(names(asked), NAME, 10**6)


def too_many(most: int) -> Callable[[Asked], Words | None]:
    return lambda asked: {"length": count} if (count := len(asked.body.get("tools") or ())) > most else None


def without_tools(name: str) -> Callable[[Asked], Words | None]:
    return lambda asked: {} if asked.body.get(name) is not None and not asked.body.get("tools") else None


def _functions(asked: Asked) -> Iterator[tuple[str, Json]]:
    for index, tool in items(asked.body.get("tools")):
        if isinstance(tool.get("function"), dict):
            yield f"tools[{index}].function", tool["function"]


def _format_name(asked: Asked) -> Words | None:
    wanted = at(asked.body, "response_format.json_schema")
    if wanted is None:
        return None
    name = at(wanted, "name")
    return None if isinstance(name, str) and len(name) <= 64 and NAME.fullmatch(name) else {"name": name}


def _no_word_json(asked: Asked) -> Words | None:
    if at(asked.body, "response_format.type") != "json_object":
        return None
    return None if "json" in str(asked.body.get("messages")).lower() else {}


def _effort(levels: tuple[str, ...]) -> Callable[[Asked], Words | None]:
    quoted = [f"'{level}'" for level in levels]
    shown = f"{', '.join(quoted[:-1])}, and {quoted[-1]}"
    inner = other_than("reasoning_effort", *levels)
    return lambda asked: {**words, "levels": shown} if (words := inner(asked)) is not None else None


def _replayed(asked: Asked) -> Words | None:
    for index, message in items(asked.body.get("messages")):
        for name in ("reasoning_content", "reasoning_details"):
            if name in message:
                return {"place": f"messages[{index}].{name}"}
    return None


def _rule(name: str, message: str, broken: Callable[[Asked], Words | None], **more: Any) -> Rule:
    row: dict[str, Any] = {"providers": ("openai", "azure"), "source": _REFERENCE, "date": "2026-11-30"}
    return Rule(name=f"openai-{name}", message=message, broken=broken, **row | more)


def _unsupported(name: str, **more: Any) -> Rule:
    """A field that thinking models do not have."""
    return _rule(
        f"no-{name.replace('_', '-')}",
        f"Unsupported parameter: '{name}' is not supported with this model.",
        while_thinking(given(name)),
        **{"models": REASONING, "but_not": CHATTING, "about": (name,), "source": _PARAMETERS}
        | {"code": "unsupported_parameter", "param": name}
        | more,
    )


RULES: tuple[Rule, ...] = (
    _rule(
        "unknown-field",
        "Unknown parameter: '{name}'.",
        unknown(_KNOWN),
        code="unknown_parameter",
        param="{name}",
        source="openai 3.52 (PyPI), types/chat/completion_create_params.py",
    ),
    _rule(
        "replayed-reasoning",
        "Unknown parameter: '{place}'.",
        _replayed,
        about=("reasoning_content", "reasoning_details"),
        code="unknown_parameter",
        param="{place}",
        source="openai 3.52 (PyPI), types/chat/chat_completion_assistant_message_param.py",
    ),
    _rule(
        "max-tokens",
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        given("max_tokens"),
        models=REASONING,
        but_not=CHATTING,
        about=("max_tokens",),
        code="unsupported_parameter",
        param="max_tokens",
        source="FoundationAgents/OpenManus#555; koosoli/ESPHomeDesigner#379",
    ),
    _rule(
        "temperature",
        "Unsupported value: 'temperature' does not support {value} with this model. Only the default (1) value is "
        "supported.",
        while_thinking(other_than("temperature", 1)),
        models=REASONING,
        but_not=CHATTING,
        about=("temperature",),
        code="unsupported_value",
        param="temperature",
        source="gabrii/Cursor-Azure-GPT-5#33; repowise-dev/repowise#987",
    ),
    *(_unsupported(name) for name in ("top_p", "presence_penalty", "frequency_penalty", "logprobs", "logit_bias")),
    _unsupported("stop", models=("gpt-5*", "gpt-6*", "o3*", "o4*"), but_not=(*CHATTING, "o3-mini*")),
    _unsupported("parallel_tool_calls", models=("o1*", "o3*", "o4*")),
    *(
        _rule(
            f"effort-{'-'.join(levels)}",
            "Unsupported value: 'reasoning_effort' does not support '{value}' with this model. Supported values are: "
            "{levels}.",
            _effort(levels),
            models=models,
            about=("reasoning_effort",),
            code="unsupported_value",
            param="reasoning_effort",
            source="https://community.openai.com/t/1371738 (efforts by model, verified against the API)",
        )
        for levels, models in _EFFORTS.items()
    ),
    _rule(
        "no-effort",
        "Unrecognized request argument supplied: reasoning_effort",
        given("reasoning_effort"),
        models=("gpt-3.5*", "gpt-4*", "chatgpt-*"),
        about=("reasoning_effort",),
    ),
    _rule(
        "long-tool-name",
        "Invalid '{place}': string too long. Expected a string with maximum length 64, but got a string with length "
        "{length} instead.",
        long_name(_names),
        about=("tools", "tool_calls"),
        code="string_above_max_length",
        param="{place}",
        source="packit/ai-workflows#619; mrexodia/ida-pro-mcp#129",
    ),
    _rule(
        "tool-name",
        "Invalid '{place}': string does not match pattern. Expected a string that matches the pattern "
        "'^[a-zA-Z0-9_-]+$'.",
        odd_name(_names),
        about=("tools", "tool_calls"),
        code="invalid_value",
        param="{place}",
    ),
    _rule(
        "most-tools",
        "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length "
        "{length} instead.",
        too_many(128),
        about=("tools",),
        code="array_above_max_length",
        param="tools",
        source="0x4m4/hexstrike-ai#29",
    ),
    _rule(
        "no-tools",
        "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        lambda asked: {} if asked.body.get("tools") == [] else None,
        about=("tools",),
        code="empty_array",
        param="tools",
    ),
    *(
        _rule(
            f"{name.replace('_', '-')}-without-tools",
            f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified.",
            without_tools(name),
            about=(name,),
            param=name,
            source="writer/writer-framework#1013",
        )
        for name in ("tool_choice", "parallel_tool_calls")
    ),
    _rule(
        "root-schema",
        "Invalid schema for function '{name}': {wrong}",
        wrong_root(_functions),
        about=("parameters",),
        code="invalid_function_parameters",
        param="{place}.parameters",
        source="https://platform.openai.com/docs/guides/function-calling",
    ),
    _rule(
        "strict-function",
        "Invalid schema for function '{name}': In context=(), {lack}",
        loose_function(_functions),
        about=("strict",),
        code="invalid_function_parameters",
        param="{place}.parameters",
        source="https://platform.openai.com/docs/guides/structured-outputs (supported schemas)",
    ),
    _rule(
        "strict-format",
        "Invalid schema for response_format '{name}': In context=(), {lack}",
        loose_format("response_format.json_schema"),
        about=("strict",),
        param="response_format",
        source="https://platform.openai.com/docs/guides/structured-outputs (supported schemas)",
    ),
    _rule(
        "format-name",
        "Invalid 'response_format.json_schema.name': string does not match pattern. Expected a string that matches "
        "the pattern '^[a-zA-Z0-9_-]+$'.",
        _format_name,
        about=("json_schema",),
        code="invalid_value",
        param="response_format.json_schema.name",
    ),
    _rule(
        "word-json",
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        _no_word_json,
        about=("json_object",),
        param="messages",
        source="https://platform.openai.com/docs/guides/structured-outputs (JSON mode)",
    ),
    _rule(
        "only-responses",
        "This model is only supported in v1/responses and not in v1/chat/completions.",
        lambda asked: {},
        models=ONLY_RESPONSES,
        status=404,
        param="model",
        source="https://platform.openai.com/docs/models (endpoints of each model)",
    ),
    *(
        _rule(
            f"largest-output-{most}-{name}",
            f"{name} is too large: {{value}}. This model supports at most {{most}} completion tokens, whereas you "
            "provided {value}.",
            above(name, most),
            models=models,
            about=(name,),
            code="invalid_value",
            param=name,
            source="https://platform.openai.com/docs/models",
        )
        for most, models in _LARGEST.items()
        for name in ("max_tokens", "max_completion_tokens")
    ),
    *(
        _rule(
            f"context-{context}",
            "This model's maximum context length is {context} tokens. However, your messages resulted in {tokens} "
            "tokens. Please reduce the length of the messages.",
            overflows(context),
            models=models,
            code="context_length_exceeded",
            param="messages",
            source="https://platform.openai.com/docs/models",
        )
        for context, models in _CONTEXT.items()
    ),
)
