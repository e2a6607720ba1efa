"""What a vendor with given facts rejects in a request, told independently of the rules that fit one."""

from collections.abc import Iterator
from typing import Any

from ownkey.domain.facts import Facts
from ownkey.domain.formats import WireFormat

CHAT, RESPONSES = WireFormat.OPENAI_CHAT, WireFormat.OPENAI_RESPONSES
CLAUDE, GEMINI, BEDROCK = WireFormat.ANTHROPIC_MESSAGES, WireFormat.GEMINI, WireFormat.BEDROCK_CONVERSE
_CAMEL = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "max_tokens": "maxOutputTokens",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}


def field(format_: WireFormat, body: dict[str, Any], name: str) -> Any:
    """The value of a field of the facts in a request of the format."""
    if format_ is GEMINI:
        return body.get("generationConfig", {}).get(_CAMEL.get(name, name))
    if format_ is BEDROCK:
        if name == "top_k":
            return body.get("additionalModelRequestFields", {}).get("top_k")
        own = {"max_tokens": "maxTokens", "top_p": "topP"}.get(name, name)
        return body.get("inferenceConfig", {}).get(own)
    if format_ is RESPONSES and name == "max_tokens":
        return body.get("max_output_tokens")
    return body.get(name)


def thinking(format_: WireFormat, body: dict[str, Any]) -> dict[str, Any]:
    """How the request asks to think: `type`, `budget`, `effort`."""
    if format_ is GEMINI:
        config = body.get("generationConfig", {}).get("thinkingConfig") or {}
        level = (config.get("thinkingLevel") or "").lower() or None
        return {"budget": config.get("thinkingBudget"), "effort": level, "asked": bool(config)}
    if format_ in (CLAUDE, BEDROCK):
        outer = body if format_ is CLAUDE else body.get("additionalModelRequestFields", {})
        config = outer.get("thinking") or {}
        effort = (body.get("output_config" if format_ is CLAUDE else "outputConfig") or {}).get("effort")
        return {"type": config.get("type"), "budget": config.get("budget_tokens"), "effort": effort}
    if format_ is RESPONSES:
        return {"effort": (body.get("reasoning") or {}).get("effort")}
    return {"effort": body.get("reasoning_effort")}


def rejections(format_: WireFormat, facts: Facts, body: dict[str, Any], version: str = "") -> Iterator[str]:
    """Why the vendor would answer 400 or 422; nothing for a request that is fit."""
    for name in facts.refuses:
        if not name.startswith("messages.") and field(format_, body, name) is not None:
            yield f"{name} is rejected"
    for name in facts.renames:
        if field(format_, body, name) is not None:
            yield f"{name} has another name"
    for first, names in facts.refused_versions.items():
        if version >= first:
            yield from (f"{name} is rejected by {version}" for name in names if field(format_, body, name) is not None)
    if facts.knows:
        yield from (f"{name} is unknown" for name in body.keys() - set(facts.knows))
    for name, value in facts.fixed.items():
        if field(format_, body, name) not in (None, value):
            yield f"{name} must be {value}"
    for group in facts.one_of:
        if sum(field(format_, body, name) is not None for name in group) > 1:
            yield f"{group} exclude each other"
    if facts.stream_usage == "always" and body.get("stream_options") is not None:
        yield "stream_options is not known"
    limit = field(format_, body, "max_tokens")
    if facts.largest_output is not None and limit is not None and limit > facts.largest_output:
        yield "max_tokens is too large"
    yield from _of_thinking(format_, facts, body, limit)
    yield from _of_messages(format_, facts, body)
    yield from _of_turns(format_, facts, body)


def _of_thinking(format_: WireFormat, facts: Facts, body: dict[str, Any], limit: Any) -> Iterator[str]:
    asked = thinking(format_, body)
    kind, budget, effort = asked.get("type"), asked.get("budget"), asked.get("effort")
    by_effort = format_ in (CHAT, RESPONSES) and effort not in (None, "none")
    on = by_effort or kind in ("enabled", "adaptive", "between_tools")
    if on:
        for name, (least, most) in facts.beside_thinking.items():
            value = field(format_, body, name)
            if value is not None and not least <= value <= most:
                yield f"{name} stands beside thinking"
    if facts.forced_tool_beside_thinking is False and kind == "enabled" and forced(format_, body):
        yield "a forced tool stands beside thinking"
    if facts.tool_choices and "required" not in facts.tool_choices and forced(format_, body):
        yield "no tool can be forced"
    model = facts.thinking
    if model is None:
        return
    if kind is not None and not model.ways:
        yield "the model does not think"
    if kind == "enabled" and "budget" not in model.ways:
        yield "a budget is not known"
    if kind == "adaptive" and "adaptive" not in model.ways:
        yield "adaptive thinking is not known"
    if kind == "disabled" and not model.off:
        yield "thinking cannot be disabled"
    if effort is not None and ("level" not in model.ways or (model.levels and effort not in model.levels)):
        yield f"the effort {effort} is not known"
    if format_ is GEMINI and asked["asked"] and not model.ways:
        yield "the model does not think"
    if budget is not None:
        yield from _of_budget(format_, facts, budget, limit)


def _of_budget(format_: WireFormat, facts: Facts, budget: int, limit: Any) -> Iterator[str]:
    model = facts.thinking
    assert model is not None
    if "budget" not in model.ways:
        yield "a budget is not known"
    elif budget == 0 and not model.off:
        yield "thinking cannot be turned off"
    elif budget > 0 and not (model.least or 0) <= budget <= (model.most or 10**9):
        yield f"the budget {budget} is out of bounds"
    if format_ in (CLAUDE, BEDROCK) and limit is not None and budget >= limit:
        yield "the budget leaves no room for an answer"


def _of_messages(format_: WireFormat, facts: Facts, body: dict[str, Any]) -> Iterator[str]:
    if format_ is not CHAT:
        return
    refused = {name.removeprefix("messages.") for name in facts.refuses if name.startswith("messages.")}
    if facts.reasoning_replay == "refused":
        refused |= {"reasoning_content", "reasoning_details"}
    for message in body["messages"]:
        known = facts.knows_in_messages.get(message["role"])
        if facts.knows_in_messages and known is None:
            yield f"the role {message['role']} is not known"
        yield from (f"messages.{name} is rejected" for name in message.keys() & refused)
        if known is not None:
            yield from (f"messages.{name} is unknown" for name in message.keys() - set(known))
        if facts.reasoning_replay == "returned" and message.get("tool_calls") and "reasoning_content" not in message:
            yield "reasoning_content must come back with tool calls"


def _of_turns(format_: WireFormat, facts: Facts, body: dict[str, Any]) -> Iterator[str]:
    turns = body.get("messages") or []
    roles = [turn["role"] for turn in turns]
    if facts.prefill is False and format_ in (CLAUDE, BEDROCK) and roles[-1:] == ["assistant"]:
        yield "the conversation must end with a user message"
    if format_ not in (CHAT, RESPONSES):
        return
    wanted = body.get("response_format") if format_ is CHAT else (body.get("text") or {}).get("format")
    asked = turns if format_ is CHAT else body["input"]
    if facts.json_word and wanted == {"type": "json_object"} and "json" not in str(asked).lower():
        yield "no message holds the word json"
    if facts.prefill_mark and roles[-1:] == ["assistant"] and turns[-1].get(facts.prefill_mark) is not True:
        yield f"the last message must be marked {facts.prefill_mark}"
    if facts.user_after_tool is False and "tool user" in " ".join(roles):
        yield "a user's message follows a result"
    if facts.call_id_length:
        calls = [call["id"] for turn in turns for call in turn.get("tool_calls") or ()]
        results = [turn["tool_call_id"] for turn in turns if turn["role"] == "tool"]
        if any(len(each) != facts.call_id_length or not each.isalnum() for each in calls + results):
            yield "the id of a call has another form"
        if not set(results) <= set(calls):
            yield "a result is of no call"


def forced(format_: WireFormat, body: dict[str, Any]) -> bool:
    """Whether the request forces a tool."""
    if format_ is BEDROCK:
        return bool({"any", "tool"} & body.get("toolConfig", {}).get("toolChoice", {}).keys())
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        return choice.get("type") in ("any", "tool", "function")
    return choice == "required"
