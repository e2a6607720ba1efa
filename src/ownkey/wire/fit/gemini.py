"""Rules for requests in Gemini's format (ai.google.dev/gemini-api/docs/thinking).

Up to version 2.5 a model takes a budget within bounds, from 3 on a level. JSON may spell fields in two ways.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

from ownkey.domain.facts import Facts, ThinkingFacts
from ownkey.wire.fit.fitting import Fitting, Path, Places
from ownkey.wire.fit.thinking import bounded, budget_of, effort_of, nearest_effort

_CAPITAL = re.compile(r"(?<!^)([A-Z])")


def _spelled(*path: str) -> tuple[Path, ...]:
    snake = tuple(_CAPITAL.sub(r"_\1", name).lower() for name in path)
    mixed = (path[0], *snake[1:])
    return tuple(dict.fromkeys((path, snake, mixed, (snake[0], *path[1:]))))


PLACES: Places = {
    name: _spelled("generationConfig", own)
    for name, own in {
        "temperature": "temperature",
        "top_p": "topP",
        "top_k": "topK",
        "max_tokens": "maxOutputTokens",
        "stop": "stopSequences",
        "seed": "seed",
        "presence_penalty": "presencePenalty",
        "frequency_penalty": "frequencyPenalty",
        "thinking": "thinkingConfig",
        "response_format": "responseMimeType",
    }.items()
}
_USUAL_LIMIT = 65_536
_ASKED = frozenset({"thinkingConfig", "thinking_config"})


def suits(facts: Facts, fields: Mapping[str, Any]) -> bool:
    """Whether nothing of the request's thinking can need fitting."""
    config = fields.get("generationConfig", fields.get("generation_config"))
    asked = isinstance(config, dict) and not _ASKED.isdisjoint(cast("dict[str, Any]", config))
    return facts.thinking is None or not asked


def fit(fitting: Fitting) -> None:
    """The rules of this format beyond those of single fields."""
    facts, asked = fitting.facts.thinking, fitting.get("thinking")
    if facts is not None and isinstance(asked, dict):
        _fit_thinking(fitting, facts, cast("dict[str, Any]", asked))


def _fit_thinking(fitting: Fitting, facts: ThinkingFacts, asked: dict[str, Any]) -> None:
    if not facts.ways:
        fitting.leave_out("thinking")
        return
    config = dict(asked)
    budget = config.pop("thinkingBudget", config.pop("thinking_budget", None))
    level = config.pop("thinkingLevel", config.pop("thinking_level", None))
    if "level" in facts.ways:
        wanted = _level(facts, level, budget)
        if wanted is not None:
            config["thinkingLevel"] = wanted
        changed = wanted != level or budget is not None
    else:
        wanted = _budget(facts, level, budget)
        if wanted is not None:
            config["thinkingBudget"] = wanted
        changed = wanted != budget or level is not None
    if changed:
        fitting.put("thinking", config)
        fitting.adapted("thinking")


def _level(facts: ThinkingFacts, level: object, budget: object) -> str | None:
    if isinstance(level, str):
        effort = nearest_effort(level.lower(), facts)
        return level if effort == level.lower() else effort.upper() if effort is not None else None
    if not isinstance(budget, int) or budget < 0:
        return None
    effort = nearest_effort(effort_of(budget, _USUAL_LIMIT) if budget else "none", facts)
    return effort.upper() if effort is not None else None


def _budget(facts: ThinkingFacts, level: object, budget: object) -> int | None:
    if isinstance(budget, int):
        return bounded(budget, facts)
    if isinstance(level, str):
        return bounded(budget_of(level.lower(), facts.most or _USUAL_LIMIT), facts)
    return None
