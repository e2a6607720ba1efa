"""Rules of OpenAI's responses."""

from collections.abc import Callable, Iterator
from typing import Any

from ownkey.domain.formats import WireFormat
from ownkey.sandbox.rules.openai import (
    CHATTING,
    REASONING,
    long_name,
    odd_name,
    too_many,
    while_thinking,
)
from ownkey.sandbox.rules.rule import Asked, Json, Rule, Words, given, items
from ownkey.sandbox.rules.schemas import loose_format, loose_function, wrong_root


def _functions(asked: Asked) -> Iterator[tuple[str, Json]]:
    for index, tool in items(asked.body.get("tools")):
        if tool.get("type") == "function":
            yield f"tools[{index}]", tool


def _names(asked: Asked) -> Iterator[tuple[str, object]]:
    for place, tool in _functions(asked):
        yield f"{place}.name", tool.get("name")
    for index, item in items(asked.body.get("input")):
        if item.get("type") == "function_call":
            yield f"input[{index}].name", item.get("name")


def _rule(name: str, message: str, broken: Callable[[Asked], Words | None], **more: Any) -> Rule:
    row: dict[str, Any] = {"providers": ("openai", "azure"), "formats": (WireFormat.OPENAI_RESPONSES,)}
    row |= {"source": "https://platform.openai.com/docs/api-reference/responses/create", "date": "2026-11-30"} | more
    return Rule(name=f"responses-{name}", message=message, broken=broken, **row)


RULES: tuple[Rule, ...] = (
    *(
        _rule(
            f"no-{name.replace('_', '-')}",
            f"Unsupported parameter: '{name}' is not supported with this model.",
            while_thinking(given(name)),
            models=REASONING,
            but_not=CHATTING,
            about=(name,),
            code="unsupported_parameter",
            param=name,
            source="https://platform.openai.com/docs/guides/latest-model (parameter compatibility)",
        )
        for name in ("temperature", "top_p")
    ),
    _rule(
        "no-effort",
        "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
        given("reasoning.effort"),
        models=("gpt-3.5*", "gpt-4*", "chatgpt-*"),
        about=("effort",),
        code="unsupported_parameter",
        param="reasoning.effort",
    ),
    _rule(
        "long-tool-name",
        "Invalid '{place}': string too long. Expected a string with maximum length 64, but got a string with length "
        "{length} instead.",
        long_name(_names),
        about=("name",),
        code="string_above_max_length",
        param="{place}",
    ),
    _rule(
        "tool-name",
        "Invalid '{place}': string does not match pattern. Expected a string that matches the pattern "
        "'^[a-zA-Z0-9_-]+$'.",
        odd_name(_names),
        about=("name",),
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
    ),
    _rule(
        "root-schema",
        "Invalid schema for function '{name}': {wrong}",
        wrong_root(_functions),
        about=("parameters",),
        code="invalid_function_parameters",
        param="{place}.parameters",
    ),
    _rule(
        "strict-function",
        "Invalid schema for function '{name}': In context=(), {lack}",
        loose_function(_functions),
        about=("strict",),
        code="invalid_function_parameters",
        param="{place}.parameters",
    ),
    _rule(
        "strict-format",
        "Invalid schema for response_format '{name}': In context=(), {lack}",
        loose_format("text.format"),
        about=("strict",),
        code="invalid_json_schema",
        param="text.format.schema",
    ),
)
