"""Rules of Cohere's chat, version 2, which refuses every field that it does not know."""

import re
from collections.abc import Callable
from typing import Any

from ownkey.domain.formats import WireFormat
from ownkey.sandbox.rules.rule import Asked, Rule, Words, above, at, bad_name, items, obj, overflows, unknown

_REFERENCE = "https://docs.cohere.com/reference/chat"
_BODY = (
    *("model", "messages", "stream", "tools", "strict_tools", "documents", "citation_options", "response_format"),
    *("safety_mode", "max_tokens", "stop_sequences", "temperature", "seed", "frequency_penalty", "presence_penalty"),
    *("k", "p", "logprobs", "tool_choice", "thinking", "priority"),
)
_FUNCTION = ("name", "description", "parameters")
_CALL = ("id", "type", "function")
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]*")


def _in_tools(asked: Asked) -> Words | None:
    for _, tool in items(asked.body.get("tools")):
        for name in obj(at(tool, "function")):
            if name not in _FUNCTION:
                return {"name": name}
    for _, message in items(asked.body.get("messages")):
        for _, call in items(message.get("tool_calls")):
            if name := next((name for name in call if name not in _CALL), None):
                return {"name": name}
    return None


def _name(asked: Asked) -> Words | None:
    names = ((str(index), at(tool, "function.name")) for index, tool in items(asked.body.get("tools")))
    return bad_name(names, _NAME, 256)


def _rule(name: str, message: str, broken: Callable[[Asked], Words | None], **more: Any) -> Rule:
    row: dict[str, Any] = {"providers": ("cohere",), "formats": (WireFormat.COHERE_CHAT,)}
    row |= {"source": _REFERENCE, "date": "2026-11-30"} | more
    return Rule(name=f"cohere-{name}", message=message, broken=broken, **row)


_UNKNOWN = f"unknown field: parameter '{{name}}' is not a valid field. For proper usage, please refer to {_REFERENCE}"

RULES: tuple[Rule, ...] = (
    _rule("unknown-field", _UNKNOWN, unknown(_BODY), status=422, source=f"{_REFERENCE}; agno-agi/agno#3503"),
    _rule(
        "unknown-in-tool",
        _UNKNOWN,
        _in_tools,
        status=422,
        about=("function",),
        source="OpenRouterTeam/openrouter-examples#71; BerriAI/litellm#24031",
    ),
    _rule(
        "tool-name",
        "invalid request: tool names can only contain certain characters (A-Za-z0-9_-) and can't begin with a digit "
        "(provided name was '{name}').",
        _name,
        about=("tools",),
    ),
    _rule(
        "largest-output",
        "too many tokens: max tokens must be less than or equal to {most}, the maximum output for this model - "
        "received {value}.",
        above("max_tokens", 8000),
        models=("command-a-03-2025",),
        about=("max_tokens",),
        source="https://docs.cohere.com/docs/command-a",
    ),
    _rule(
        "context",
        "too many tokens: total number of tokens in the prompt cannot exceed {context} - received {tokens}. Try using "
        "a shorter prompt, or enabling prompt truncating.",
        overflows(256_000),
        models=("command-a*",),
        source="https://docs.cohere.com/docs/command-a",
    ),
)
