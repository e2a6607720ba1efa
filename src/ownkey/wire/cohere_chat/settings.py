"""How Cohere is told to draw tokens and to reason."""

from typing import Any

from ownkey.wire.fields import unsupported
from ownkey.wire.neutral import Conversation, Thinking

_LEAST_P, _MOST_P = 0.01, 0.99
_MOST_K = 500
_MOST_STOPS = 5

_SHARES = {"minimal": 0.1, "low": 0.2, "medium": 0.5, "high": 0.8, "xhigh": 0.95, "max": 0.95}
"""An effort as a share of `max_tokens`, as OpenRouter defines it."""


def sampling(conversation: Conversation, body: dict[str, Any], dropped: list[str]) -> None:
    """Add what Cohere knows of sampling. Raises UnsupportedField for what it does not know."""
    asked = conversation.sampling
    unknown: dict[str, Any] = {
        "logit_bias": asked.logit_bias,
        "logprobs": asked.logprobs,
        "top_logprobs": asked.top_logprobs,
        "n": asked.choices if asked.choices > 1 else None,
    }
    for name, value in unknown.items():
        if value:
            raise unsupported(name, "cannot be expressed for Cohere's chat.")
    if asked.temperature is not None:
        body["temperature"] = asked.temperature
    if asked.top_p is not None:
        body["p"] = min(max(asked.top_p, _LEAST_P), _MOST_P)
        if body["p"] != asked.top_p:
            dropped.append("top_p")
    if asked.top_k is not None:
        if not 0 <= asked.top_k <= _MOST_K:
            raise unsupported("top_k", f"must be from 0 to {_MOST_K} for the chosen provider.")
        body["k"] = asked.top_k
    _penalty("frequency_penalty", asked.frequency_penalty, body)
    _penalty("presence_penalty", asked.presence_penalty, body)
    if asked.seed is not None:
        body["seed"] = asked.seed
    if len(conversation.stop) > _MOST_STOPS:
        raise unsupported("stop", f"must hold at most {_MOST_STOPS} sequences for the chosen provider.")
    if conversation.stop:
        body["stop_sequences"] = conversation.stop


def _penalty(name: str, value: float | None, body: dict[str, Any]) -> None:
    if value is None:
        return
    if not 0 <= value <= 1:
        raise unsupported(name, "must be from 0 to 1 for the chosen provider, whose scale ends there.")
    body[name] = value


def thinking(asked: Thinking, max_tokens: int | None, body: dict[str, Any], dropped: list[str]) -> None:
    """Add `thinking`. Models that reason do so unless told otherwise, so `adaptive` needs no word."""
    if asked.display is not None:
        dropped.append("thinking.display")
    if asked.effort == "none" or asked.mode == "disabled":
        body["thinking"] = {"type": "disabled"}
        return
    budget = asked.budget
    if budget is None and asked.effort is not None:
        share = _SHARES.get(asked.effort)
        if share is not None and max_tokens is not None:
            budget = max(1, int(max_tokens * share))
        elif asked.effort != "high":
            dropped.append("reasoning_effort")
    if budget is not None and budget >= 1:
        body["thinking"] = {"type": "enabled", "token_budget": budget}
    elif asked.effort is not None or asked.mode == "enabled":
        body["thinking"] = {"type": "enabled"}
