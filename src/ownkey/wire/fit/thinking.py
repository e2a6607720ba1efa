"""How much thinking a request asks for, in the terms that a model accepts. Shared by the formats' own rules."""

from typing import get_args

from ownkey.domain.facts import Effort, ThinkingFacts

_ORDER: tuple[Effort, ...] = get_args(Effort)
_SHARES = {"minimal": 0.1, "low": 0.2, "medium": 0.5, "high": 0.8, "xhigh": 0.95, "max": 0.95}
"""An effort as a share of all output, as OpenRouter defines it."""


def nearest_effort(asked: str, facts: ThinkingFacts) -> str | None:
    """The accepted effort next to `asked`, the smaller one of two; None where there is none. Thinking that is asked
    for is not turned off."""
    levels = facts.levels or _ORDER
    accepted = [level for level in levels if level != "none"]
    if asked == "none":
        return "none" if facts.off and "none" in levels else min(accepted, key=_ORDER.index, default=None)
    if asked not in _ORDER:
        return None
    wanted = _ORDER.index(asked)
    return min(accepted, key=lambda level: (abs(_ORDER.index(level) - wanted), _ORDER.index(level)), default=None)


def budget_of(effort: str, limit: int) -> int:
    """Tokens of thinking for an effort, out of `limit` tokens of output."""
    return int(limit * _SHARES.get(effort, 0.5))


def effort_of(budget: int, limit: int) -> str:
    """The effort whose share of `limit` is next to `budget`."""
    share = budget / max(limit, 1)
    return min(("low", "medium", "high"), key=lambda effort: abs(_SHARES[effort] - share))


def bounded(budget: int, facts: ThinkingFacts) -> int:
    """The budget within the model's bounds. 0 turns thinking off where that is possible; -1 leaves it to the model."""
    if budget < 0 or (budget == 0 and facts.off):
        return budget
    least, most = facts.least or 0, facts.most
    return max(least, budget if most is None else min(budget, most))
