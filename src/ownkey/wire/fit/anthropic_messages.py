"""Rules for requests in Anthropic's messages format (platform.claude.com/docs/en/build-with-claude/thinking).

Older models think when they get a budget, newer ones adaptively, steered by an effort; some cannot stop thinking.
"""

from collections.abc import Mapping
from typing import Any, cast

from ownkey.domain.facts import Facts, ThinkingFacts
from ownkey.wire.fit.fitting import Fitting, Places
from ownkey.wire.fit.prefill import CONTINUE, fit_prefill, is_begun
from ownkey.wire.fit.thinking import bounded, budget_of, effort_of, nearest_effort

PLACES: Places = {
    "stop": (("stop_sequences",),),
    "user": (("metadata", "user_id"),),
    "reasoning_effort": (("output_config", "effort"),),
    "response_format": (("output_config", "format"),),
}

_FORCED = frozenset({"any", "tool"})
_USUAL_LIMIT = 4096
_LEAST_BUDGET = 1024
"""Anthropic's own lower bound."""


def thinks(fitting: Fitting) -> bool:
    return fitting.get("thinking.type") in ("enabled", "adaptive", "between_tools")


def fit(fitting: Fitting) -> None:
    """The rules of this format beyond those of single fields."""
    fit_thinking(fitting)
    _fit_forced_tool(fitting)
    keep_room(fitting)
    fit_prefill(fitting, CONTINUE)


def suits(facts: Facts, fields: Mapping[str, Any]) -> bool:
    """Whether nothing of the request's thinking, choice of tools and last message can need fitting."""
    if facts.prefill is False and is_begun(fields.get("messages")):
        return False
    choice = fields.get("tool_choice")
    forced = isinstance(choice, dict) and cast("dict[str, Any]", choice).get("type") in _FORCED
    if forced and facts.tool_choices:
        return False
    output = fields.get("output_config")
    effort = cast("dict[str, Any]", output).get("effort") if isinstance(output, dict) else None
    asked, model = fields.get("thinking"), facts.thinking
    if effort is not None and model is not None and effort not in model.levels:
        return False
    if not isinstance(asked, dict):
        return asked is None
    config = cast("dict[str, Any]", asked)
    kind = config.get("type")
    if kind == "disabled":
        return model is None or (model.off and bool(model.ways))
    if not facts.beside_thinking.keys().isdisjoint(fields):
        return False
    if kind == "enabled":
        budget, limit = config.get("budget_tokens"), fields.get("max_tokens")
        fits = isinstance(budget, int) and isinstance(limit, int) and budget < limit
        return fits and not forced and (model is None or "budget" in model.ways)
    return model is None or kind in model.ways


def _limit(fitting: Fitting) -> int:
    asked = fitting.get("max_tokens")
    return asked if isinstance(asked, int) else fitting.facts.largest_output or _USUAL_LIMIT


def fit_thinking(fitting: Fitting) -> None:
    """Thinking in a way that the model accepts."""
    facts = fitting.facts.thinking
    if facts is None:
        return
    kind = fitting.get("thinking.type")
    if kind is not None and not facts.ways:
        fitting.leave_out("thinking")
    elif kind == "enabled" and "budget" not in facts.ways:
        _think_adaptively(fitting)
    elif kind in ("adaptive", "between_tools") and "adaptive" not in facts.ways:
        _think_by_budget(fitting, facts)
    elif kind == "between_tools" and "between_tools" not in facts.ways:
        _think(fitting, {"type": "adaptive"})
    elif kind == "disabled" and not facts.off:
        if "between_tools" in facts.ways:
            _think(fitting, {"type": "between_tools"})
        else:
            fitting.leave_out("thinking")
            if fitting.get("reasoning_effort") is None:
                fitting.put("reasoning_effort", "low")
    _fit_effort(fitting, facts)


def _think(fitting: Fitting, config: dict[str, Any]) -> None:
    display = fitting.get("thinking.display")
    if display is not None and config["type"] != "between_tools":
        config["display"] = display
    fitting.put("thinking", config)
    fitting.adapted("thinking")


def _think_adaptively(fitting: Fitting) -> None:
    budget = fitting.get("thinking.budget_tokens")
    if isinstance(budget, int) and fitting.get("reasoning_effort") is None:
        fitting.put("reasoning_effort", effort_of(budget, _limit(fitting)))
    _think(fitting, {"type": "adaptive"})


def _think_by_budget(fitting: Fitting, facts: ThinkingFacts) -> None:
    effort = fitting.get("reasoning_effort")
    budget = bounded(budget_of(effort if isinstance(effort, str) else "medium", _limit(fitting)), facts)
    if budget >= _limit(fitting):
        fitting.leave_out("thinking")
    else:
        _think(fitting, {"type": "enabled", "budget_tokens": budget})


def _fit_effort(fitting: Fitting, facts: ThinkingFacts) -> None:
    asked = fitting.get("reasoning_effort")
    if not isinstance(asked, str):
        return
    effort = nearest_effort(asked, facts) if "level" in facts.ways else None
    if effort is None:
        # What an older model thinks is set by its budget, which says as much.
        fitting.remove("reasoning_effort")
        if fitting.get("thinking.type") != "enabled":
            fitting.adapted("reasoning_effort")
    elif effort != asked:
        fitting.put("reasoning_effort", effort)
        fitting.adapted("reasoning_effort")


def _fit_forced_tool(fitting: Fitting) -> None:
    """Manual thinking excludes a forced tool, and gives way to it. Models that cannot be forced at all get the tools
    narrowed to those that were meant, and are left the choice."""
    if fitting.get("tool_choice.type") not in _FORCED:
        return
    if fitting.facts.forced_tool_beside_thinking is False and fitting.get("thinking.type") == "enabled":
        fitting.leave_out("thinking")
    if fitting.facts.tool_choices and "required" not in fitting.facts.tool_choices:
        choice: dict[str, Any] = dict(fitting.get("tool_choice"))
        name = choice.pop("name", None)
        tools: object = fitting.get("tools")
        if name is not None and isinstance(tools, list):
            given = cast("list[dict[str, Any]]", tools)
            fitting.put("tools", [tool for tool in given if tool.get("name") == name] or given)
        fitting.put("tool_choice", choice | {"type": "auto"})
        fitting.adapted("tool_choice")


def keep_room(fitting: Fitting) -> None:
    """A budget for thinking stays below the limit: a limit of ours grows, a client's makes the budget smaller."""
    budget, limit = fitting.get("thinking.budget_tokens"), _limit(fitting)
    if not isinstance(budget, int) or budget < limit:
        return
    largest = fitting.facts.largest_output
    if "max_tokens" in fitting.ours and (largest is None or budget < largest):
        fitting.put("max_tokens", budget + limit if largest is None else min(budget + limit, largest))
        return
    smaller = budget_of("high", limit)
    if smaller < _LEAST_BUDGET:
        fitting.leave_out("thinking")
    else:
        fitting.put("thinking", fitting.get("thinking") | {"budget_tokens": smaller})
        fitting.adapted("thinking")
