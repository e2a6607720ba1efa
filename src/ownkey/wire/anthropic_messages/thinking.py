"""How to ask Claude for reasoning, and Gemini's signatures inside Anthropic's blocks.

Anthropic changed the fields with the models: up to version 4.5 they take `thinking: enabled` with a budget and
reject `effort`; from 4.6 on they think adaptively and reject the budget. The model's own name states its version;
a name without one is taken for a new model.

Gemini's signatures stand where Claude's would, behind the name of their format, so that a client that returns its
blocks returns them too; Claude itself never sees them.
"""

import re
from typing import Any

from ownkey.wire.neutral import ANTHROPIC_REASONING, GEMINI_REASONING, Thinking

LEAST_BUDGET = 1024
"""Anthropic's lower bound for `budget_tokens`, which must also stay below `max_tokens`."""

_VERSION = re.compile(r"claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2})(?!\d))?(?!\d)")
_LAST_WITH_BUDGET = (4, 5)

_SHARES = {"minimal": 0.1, "low": 0.2, "medium": 0.5, "high": 0.8, "xhigh": 0.95, "max": 0.95}
"""An effort as a share of `max_tokens`, as OpenRouter defines it."""


def takes_budget(model: str) -> bool:
    match = _VERSION.search(model)
    return match is not None and (int(match[1]), int(match[2] or 0)) <= _LAST_WITH_BUDGET


def write(
    thinking: Thinking, model: str, max_tokens: int, body: dict[str, Any], dropped: list[str], may_think: bool
) -> None:
    """Add `thinking` and `output_config.effort` to `body`.

    `may_think` is False in the middle of a tool's use that began without thinking: older models refuse
    to take it up there.
    """
    if thinking.effort == "none" or thinking.mode == "disabled":
        body["thinking"] = {"type": "disabled"}
        return
    if thinking.effort is None and thinking.budget is None and thinking.mode is None:
        return
    if takes_budget(model):
        budget = thinking.budget
        if budget is None:
            budget = max(LEAST_BUDGET, int(max_tokens * _SHARES[thinking.effort or "medium"]))
        if budget < LEAST_BUDGET or budget >= max_tokens or not may_think:
            dropped.append("reasoning_effort" if thinking.effort else "thinking")
        else:
            body["thinking"] = _shown(thinking, {"type": "enabled", "budget_tokens": budget})
        return
    body["thinking"] = _shown(thinking, {"type": "adaptive" if thinking.mode != "between_tools" else "between_tools"})
    effort = thinking.effort or (_effort(thinking.budget, max_tokens) if thinking.budget is not None else None)
    if effort is not None:
        body.setdefault("output_config", {})["effort"] = "low" if effort == "minimal" else effort


def _shown(thinking: Thinking, config: dict[str, Any]) -> dict[str, Any]:
    return config if thinking.display is None else config | {"display": thinking.display}


def _effort(budget: int, max_tokens: int) -> str:
    share = budget / max(max_tokens, 1)
    return min(("low", "medium", "high"), key=lambda effort: abs(_SHARES[effort] - share))


_MARK = f"{GEMINI_REASONING}:"


def marked(signature: str) -> str:
    return _MARK + signature


def unmarked(signature: str) -> tuple[str, str]:
    """The signature, or the data of redacted thinking, and the format it belongs to."""
    if signature.startswith(_MARK):
        return signature.removeprefix(_MARK), GEMINI_REASONING
    return signature, ANTHROPIC_REASONING
