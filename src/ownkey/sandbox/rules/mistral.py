"""Rules of Mistral's chat, which refuses every field that it does not know."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from ownkey.sandbox.rules.rule import Asked, Json, Rule, Words, at, bad_name, items, obj, overflows

_TYPES = "https://github.com/mistralai/client-python, src/mistralai/client/models"
_BODY = (
    *("model", "messages", "temperature", "top_p", "max_tokens", "stream", "stop", "random_seed", "metadata"),
    *("response_format", "tools", "tool_choice", "presence_penalty", "frequency_penalty", "n", "prediction"),
    *("parallel_tool_calls", "reasoning_effort", "prompt_mode", "guardrails", "prompt_cache_key", "safe_prompt"),
)
_MESSAGES = {
    "system": ("role", "content"),
    "user": ("role", "content"),
    "assistant": ("role", "content", "tool_calls", "prefix"),
    "tool": ("role", "content", "tool_call_id", "name"),
}
_FUNCTION = ("name", "description", "strict", "parameters")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_CALL_ID = re.compile(r"[a-zA-Z0-9]{9}")
_CHOICES = ("auto", "none", "any", "required")


def _extra(inner: Json, known: tuple[str, ...], *place: object) -> Iterator[Json]:
    for name, value in inner.items():
        if name not in known:
            loc = ["body", *place, name]
            yield {"type": "extra_forbidden", "loc": loc, "msg": "Extra inputs are not permitted", "input": value}


def _extras(asked: Asked) -> Iterator[Json]:
    yield from _extra(asked.body, _BODY)
    for index, message in items(asked.body.get("messages")):
        role = str(message.get("role"))
        yield from _extra(message, _MESSAGES.get(role, tuple(message)), "messages", index, role)
    for index, tool in items(asked.body.get("tools")):
        yield from _extra(obj(at(tool, "function")), _FUNCTION, "tools", index, "function")


def _unknown(asked: Asked) -> Words | None:
    detail = list(_extras(asked))
    return {"detail": detail} if detail else None


def _role(asked: Asked) -> Words | None:
    for index, message in items(asked.body.get("messages")):
        if message.get("role") not in _MESSAGES:
            text = "Input tag '{}' found using 'role' does not match any of the expected tags: {}"
            msg = text.format(message.get("role"), "'system', 'user', 'assistant', 'tool'")
            return {"detail": [{"type": "union_tag_invalid", "loc": ["body", "messages", index], "msg": msg}]}
    return None


def _choice(asked: Asked) -> Words | None:
    choice = asked.body.get("tool_choice")
    if choice is None or choice in _CHOICES or at(choice, "type") == "function":
        return None
    msg = "Input should be 'auto', 'none', 'any' or 'required'"
    return {"detail": [{"type": "enum", "loc": ["body", "tool_choice"], "msg": msg, "input": choice}]}


def _call_id(asked: Asked) -> Words | None:
    for _, message in items(asked.body.get("messages")):
        for _, call in items(message.get("tool_calls")):
            if _CALL_ID.fullmatch(str(call.get("id"))) is None:
                return {"id": call.get("id")}
    return None


def _user_after_tool(asked: Asked) -> Words | None:
    roles = [message.get("role") for _, message in items(asked.body.get("messages"))]
    return {} if ("tool", "user") in pairwise(roles) else None


def _last_role(asked: Asked) -> Words | None:
    *_, (_, last) = items(asked.body.get("messages"))
    return {} if last.get("role") == "assistant" and last.get("prefix") is not True else None


def _name(asked: Asked) -> Words | None:
    names = ((f"tools[{index}]", at(tool, "function.name")) for index, tool in items(asked.body.get("tools")))
    return bad_name(names, _NAME, 64)


def _rule(name: str, message: str, broken: Callable[[Asked], Words | None], **more: Any) -> Rule:
    row: dict[str, Any] = {"providers": ("mistral",), "source": _TYPES, "date": "2026-11-30"} | more
    return Rule(name=f"mistral-{name}", message=message, broken=broken, **row)


_ORDER: dict[str, Any] = {"type": "invalid_request_message_order", "code": "3230"}

RULES: tuple[Rule, ...] = (
    _rule(
        "unknown-field",
        "Extra inputs are not permitted",
        _unknown,
        status=422,
        source=f"{_TYPES}; avante-corp/avante.nvim#2347; charmbracelet/crush#1590",
    ),
    _rule("role", "Input tag not expected", _role, status=422, about=("developer", "function")),
    _rule("tool-choice", "Input should be a tool choice", _choice, status=422, about=("tool_choice",)),
    _rule(
        "call-id",
        "Tool call id was {id} but must be a-z, A-Z, 0-9, with a length of 9.",
        _call_id,
        about=("tool_calls",),
        type="invalid_function_call",
        code="3280",
        source="nearai/ironclaw#1241; mistralai/mistral-vibe#1075",
    ),
    _rule(
        "user-after-tool",
        "Unexpected role 'user' after role 'tool'",
        _user_after_tool,
        about=("tool",),
        source="BerriAI/litellm#17761; aliou/pi-neuralwatt#12",
        **_ORDER,
    ),
    _rule(
        "prefix",
        "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant",
        _last_role,
        about=("assistant",),
        source="0xPlaygrounds/rig#1130",
        **_ORDER,
    ),
    _rule(
        "tool-name",
        "Function name was {name} but must be a-z, A-Z, 0-9, or contain underscores and dashes, with a maximum length "
        "of 64.",
        _name,
        about=("tools",),
        type="invalid_function_call",
        code="3280",
        source="https://github.com/mistralai/mistral-common, src/mistral_common/protocol/instruct/validator.py",
    ),
    _rule(
        "context",
        "Prompt contains {tokens} tokens and 0 draft tokens, too large for model with {context} maximum context length",
        overflows(131_072),
        models=("mistral-medium-2508", "mistral-medium-3.1", "mistral-small-2506", "mistral-large-2411"),
        code="3051",
        source="https://docs.mistral.ai/getting-started/models",
    ),
)
