"""Rules of DeepSeek's chat."""

import re
from collections.abc import Callable
from typing import Any

from ownkey.sandbox.rules.rule import Asked, Rule, Words, at, bad_name, items, matches, model_names

_GUIDE = "https://api-docs.deepseek.com/guides/thinking_mode"
_API = "https://api-docs.deepseek.com/api/create-chat-completion"
_ROLES = ("system", "user", "assistant", "tool")
_NAME = re.compile(r"[a-zA-Z0-9_-]+")


def _thinks(asked: Asked) -> bool:
    """The reasoner always does, V4 unless told otherwise, the chat model when told."""
    kind, names = at(asked.body, "thinking.type"), model_names(asked.model)
    if matches(names, ("deepseek-reasoner*",)):
        return True
    return kind != "disabled" if matches(names, ("deepseek-v4*",)) else kind == "enabled"


def _missing_reasoning(asked: Asked) -> Words | None:
    for index, message in items(asked.body.get("messages")):
        if message.get("tool_calls") and message.get("reasoning_content") is None and _thinks(asked):
            return {"index": index}
    return None


def _role(asked: Asked) -> Words | None:
    for index, message in items(asked.body.get("messages")):
        if message.get("role") not in _ROLES:
            return {"index": index, "role": message.get("role")}
    return None


def _forced_while_thinking(asked: Asked) -> Words | None:
    choice = asked.body.get("tool_choice")
    return {} if choice not in (None, "auto", "none") and _thinks(asked) else None


def _schema(asked: Asked) -> Words | None:
    return {} if at(asked.body, "response_format.type") not in (None, "text", "json_object") else None


def _no_word_json(asked: Asked) -> Words | None:
    if at(asked.body, "response_format.type") != "json_object":
        return None
    return None if "json" in str(asked.body.get("messages")).lower() else {}


def _name(longest: int, pattern: "re.Pattern[str]") -> Callable[[Asked], Words | None]:
    def broken(asked: Asked) -> Words | None:
        names = ((str(index), at(tool, "function.name")) for index, tool in items(asked.body.get("tools")))
        return bad_name(names, pattern, longest)

    return broken


def _rule(name: str, message: str, broken: Callable[[Asked], Words | None], **more: Any) -> Rule:
    row: dict[str, Any] = {"providers": ("deepseek",), "source": _API, "date": "2026-11-30"}
    row |= {"code": "invalid_request_error"} | more
    return Rule(name=f"deepseek-{name}", message=message, broken=broken, **row)


RULES: tuple[Rule, ...] = (
    _rule(
        "missing-reasoning",
        "Missing `reasoning_content` field in the assistant message at message index {index}. For more information, "
        f"please refer to {_GUIDE}#tool-calls",
        _missing_reasoning,
        about=("tool_calls",),
        source=f"{_GUIDE}; decolua/9router#355; NousResearch/hermes-agent#15353",
    ),
    _rule(
        "role",
        "Failed to deserialize the JSON body into the target type: messages[{index}].role: unknown variant `{role}`, "
        "expected one of `system`, `user`, `assistant`, `tool`",
        _role,
        status=422,
        about=("developer", "function"),
    ),
    _rule(
        "forced-while-thinking",
        "deepseek-reasoner does not support this tool_choice",
        _forced_while_thinking,
        about=("tool_choice",),
        source=_GUIDE,
    ),
    _rule("no-schema", "This response_format type is unavailable now", _schema, about=("response_format",)),
    _rule(
        "word-json",
        "Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'.",
        _no_word_json,
        about=("json_object",),
        source="https://api-docs.deepseek.com/guides/json_mode",
    ),
    _rule(
        "long-tool-name",
        "Invalid 'tools[{place}].function.name': string too long. Expected a string with maximum length 64, but got a "
        "string with length {length} instead.",
        _name(64, re.compile(r"[\s\S]*")),
        about=("tools",),
        source=f"{_API}; mrexodia/ida-pro-mcp#129",
    ),
    _rule(
        "tool-name",
        "Invalid 'tools[{place}].function.name': string does not match pattern. Expected a string that matches the "
        "pattern '^[a-zA-Z0-9_-]+$'.",
        _name(10**6, _NAME),
        about=("tools",),
    ),
)
