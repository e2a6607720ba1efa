"""Rules for requests in OpenAI's chat format, and those it shares with OpenAI's responses."""

from collections.abc import Mapping
from typing import Any, cast

from ownkey.domain.facts import Facts
from ownkey.wire.fit.fitting import Fitting, Places
from ownkey.wire.fit.history import demands, fitted_turns
from ownkey.wire.fit.json_word import asks_object, fit_json_word
from ownkey.wire.fit.thinking import nearest_effort
from ownkey.wire.paths import found_at

PLACES: Places = {}
_NAME = ("function", "name")
_FORCED = ("required", "named")
_REPLAYED = ("reasoning_content", "reasoning_details")
"""What Ownkey's own answers hold of reasoning, and clients return."""


def thinks(fitting: Fitting) -> bool:
    return fitting.get("reasoning_effort") not in (None, "none")


def suits(facts: Facts, fields: Mapping[str, Any]) -> bool:
    """Whether nothing of the request's thinking, choice of tools and JSON mode can need fitting."""
    choice = _choice(fields.get("tool_choice"))
    if choice is not None and facts.tool_choices and choice not in facts.tool_choices:
        return False
    if choice in _FORCED and facts.forced_tool_beside_thinking is False:
        return False
    if asks_object(facts, fields.get("response_format")):
        return False
    effort = fields.get("reasoning_effort")
    if effort is None:
        return True
    return not facts.beside_thinking and (facts.thinking is None or effort in facts.thinking.levels)


def fit(fitting: Fitting) -> None:
    """The rules of this format beyond those of single fields."""
    fit_effort(fitting)
    _fit_choice(fitting)
    _fit_messages(fitting)
    _fit_turns(fitting)
    fit_json_word(fitting, "messages")


def fit_effort(fitting: Fitting) -> None:
    """The effort, as near to what was asked for as the model accepts."""
    facts = fitting.facts.thinking
    asked = fitting.get("reasoning_effort")
    if facts is None or not isinstance(asked, str):
        return
    effort = nearest_effort(asked, facts) if "level" in facts.ways else None
    if effort is None:
        fitting.leave_out("reasoning_effort")
    elif effort != asked:
        fitting.put("reasoning_effort", effort)
        fitting.adapted("reasoning_effort")


def _choice(choice: object) -> str | None:
    """The kind of a choice of tools, as facts name it."""
    if isinstance(choice, dict):
        return "allowed" if cast("dict[str, Any]", choice).get("type") == "allowed_tools" else "named"
    return {"any": "required"}.get(choice, choice) if isinstance(choice, str) else None


def _fit_choice(fitting: Fitting) -> None:
    """A forced tool comes before thinking, where they exclude each other. It is the only one left where a model cannot
    be forced to one, or not at all."""
    choice: Any = fitting.get("tool_choice")
    kind, known = _choice(choice), fitting.facts.tool_choices
    if kind not in _FORCED:
        return
    if fitting.facts.forced_tool_beside_thinking is False and fitting.get("thinking.type") != "disabled":
        # Such a model thinks unless it is told not to.
        fitting.put("thinking", {"type": "disabled"})
        fitting.remove("reasoning_effort")
        fitting.adapted("thinking")
    if not known or kind in known:
        return
    if kind == "named":
        names, tools = tuple(found_at(choice, _NAME)), fitting.get("tools")
        chosen = [tool for tool in found_at(tools, ("*",)) if names and tuple(found_at(tool, _NAME)) == names]
        if chosen:
            fitting.put("tools", chosen)
    fitting.put("tool_choice", "required" if "required" in known else "auto")
    fitting.adapted("tool_choice")


def _fit_turns(fitting: Fitting) -> None:
    given: object = fitting.get("messages")
    if isinstance(given, list) and demands(fitting.facts):
        turns, adapted = fitted_turns(cast("list[Any]", given), fitting.facts)
        if turns is not given:
            fitting.put("messages", turns)
        for name in adapted:
            fitting.adapted(name)


def _fit_messages(fitting: Fitting) -> None:
    facts = fitting.facts
    refused = {name.removeprefix("messages.") for name in facts.refuses if name.startswith("messages.")}
    if facts.reasoning_replay == "refused":
        refused.update(_REPLAYED)
    given: object = fitting.get("messages")
    if not isinstance(given, list) or not (refused or facts.knows_in_messages or facts.developer_role is False):
        return
    messages = [_message(fitting, message, refused) for message in cast("list[object]", given)]
    if any(new is not old for new, old in zip(messages, cast("list[object]", given), strict=True)):
        fitting.put("messages", messages)


def _message(fitting: Fitting, message: object, refused: set[str]) -> object:
    """The message as it is, or a copy with what the model accepts of it."""
    if not isinstance(message, dict):
        return message
    fields = cast("dict[str, Any]", message)
    if fields.get("role") == "developer" and fitting.facts.developer_role is False:
        fields = fields | {"role": "system"}
        fitting.adapted("messages.role")
    unknown = [name for name in fields if name in refused or not _knows(fitting.facts.knows_in_messages, fields, name)]
    for name in unknown:
        if fields[name] is not None:
            fitting.adapted(name if name in _REPLAYED else f"messages.{name}")
    return {name: value for name, value in fields.items() if name not in unknown} if unknown else fields


def _knows(known: Mapping[str, tuple[str, ...]], message: dict[str, Any], name: str) -> bool:
    names = known.get(str(message.get("role")))
    return names is None or name in names
