"""Rules of Groq's chat."""

import re
from collections.abc import Callable
from typing import Any

from ownkey.sandbox.rules.rule import Asked, Rule, Words, at, bad_name, given, items, other_than, unknown

_DOCS = "https://console.groq.com/docs/openai (currently unsupported features)"
_REFERENCE = "https://console.groq.com/docs/api-reference#chat-create"
_BODY = (
    *("model", "messages", "temperature", "top_p", "max_tokens", "max_completion_tokens", "stream", "stream_options"),
    *("stop", "seed", "user", "tools", "tool_choice", "functions", "function_call", "parallel_tool_calls", "n"),
    *("response_format", "reasoning_effort", "reasoning_format", "include_reasoning", "service_tier", "metadata"),
    *("store", "frequency_penalty", "presence_penalty", "logprobs", "top_logprobs", "logit_bias", "documents"),
    *("search_settings", "compound_custom", "disable_tool_validation", "citation_options", "exclude_domains"),
    *("include_domains", "safety_identifier", "prompt_cache_key"),
)
_MESSAGES = {
    "system": ("role", "content"),
    "developer": ("role", "content"),
    "user": ("role", "content"),
    "assistant": ("role", "content", "tool_calls", "function_call", "reasoning"),
    "tool": ("role", "content", "tool_call_id"),
}
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def _in_messages(asked: Asked) -> Words | None:
    for index, message in items(asked.body.get("messages")):
        role = str(message.get("role"))
        for name in message:
            if name not in _MESSAGES.get(role, tuple(message)):
                return {"index": index, "role": role, "name": name}
    return None


def _choice(asked: Asked) -> Words | None:
    choice = asked.body.get("tool_choice")
    named = at(choice, "type") == "function" and isinstance(at(choice, "function.name"), str)
    return None if isinstance(choice, str) or named or choice is None else {}


def _choice_word(asked: Asked) -> Words | None:
    choice = asked.body.get("tool_choice")
    return {} if isinstance(choice, str) and choice not in ("none", "auto", "required") else None


def _name(asked: Asked) -> Words | None:
    names = ((str(index), at(tool, "function.name")) for index, tool in items(asked.body.get("tools")))
    return bad_name(names, _NAME, 64)


def _rule(name: str, message: str, broken: Callable[[Asked], Words | None], **more: Any) -> Rule:
    row: dict[str, Any] = {"providers": ("groq",), "source": _DOCS, "date": "2026-11-30"} | more
    return Rule(name=f"groq-{name}", message=message, broken=broken, **row)


RULES: tuple[Rule, ...] = (
    _rule(
        "unknown-field",
        "property '{name}' is unsupported",
        unknown(_BODY),
        source=f"{_REFERENCE}; immersive-translate/immersive-translate#3016",
    ),
    _rule(
        "unknown-in-message",
        "'messages.{index}' : for 'role:{role}' the following must be satisfied[('messages.{index}' : property "
        "'{name}' is unsupported)]",
        _in_messages,
        source=f"{_REFERENCE}; chatboxai/chatbox#2081; SimonSchubert/Kai#265",
    ),
    _rule(
        "tool-choice",
        "'tool_choice' : value must be a string (auto or none) or an object like `{{'type': 'function', 'function': "
        "{{'name': 'my_function'}}}}`",
        _choice,
        about=("tool_choice",),
        source="EndlessInternational/intelligence#14",
    ),
    _rule(
        "tool-choice-word",
        "Only allowed string values for 'tool_choice' are none, auto, and required",
        _choice_word,
        about=("tool_choice",),
        source="brianpetro/obsidian-smart-connections#942",
    ),
    *(
        _rule(f"no-{name.replace('_', '-')}", f"'{name}' is not supported with this model", given(name), about=(name,))
        for name in ("logit_bias", "top_logprobs")
    ),
    _rule(
        "no-logprobs", "'logprobs' is not supported with this model", other_than("logprobs", False), about=("logprobs",)
    ),
    _rule("n", "'n' : number must be at most 1", other_than("n", 1), about=("n",)),
    _rule(
        "tool-name",
        "'tools.{place}.function.name' : value must match pattern '^[a-zA-Z0-9_-]{{1,64}}$'",
        _name,
        about=("tools",),
        source=_REFERENCE,
    ),
    _rule(
        "no-effort",
        "'reasoning_effort' is not supported with this model",
        given("reasoning_effort"),
        models=("llama-*", "kimi-*", "gemma*"),
        about=("reasoning_effort",),
        source="https://console.groq.com/docs/reasoning",
    ),
    *(
        _rule(
            f"effort-{levels[0]}",
            f"'reasoning_effort' : value must be one of {', '.join(levels)}",
            other_than("reasoning_effort", *levels),
            models=models,
            about=("reasoning_effort",),
            source="https://console.groq.com/docs/reasoning",
        )
        for levels, models in ((("low", "medium", "high"), ("gpt-oss-*",)), (("none", "default"), ("qwen3-*",)))
    ),
)
