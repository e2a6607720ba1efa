"""Rules of xAI's chat."""

from collections.abc import Callable
from typing import Any

from ownkey.sandbox.rules.rule import Asked, Rule, Words, other_than

_DOCS = "https://docs.x.ai/docs/guides/reasoning"
_REASONING = ("grok-3-mini*", "grok-4*", "grok-code-*")


def _argument(name: str, field: str, broken: Callable[[Asked], Words | None], **more: Any) -> Rule:
    row: dict[str, Any] = {"providers": ("xai",), "source": _DOCS, "date": "2026-11-30", "about": (field,)} | more
    return Rule(name=f"xai-no-{field}", message=f"Argument not supported on this model: {name}", broken=broken, **row)


RULES: tuple[Rule, ...] = (
    *(
        _argument(
            name,
            field,
            other_than(field, 0),
            models=_REASONING,
            but_not=("*non-reasoning*",),
            source=f"{_DOCS}; lobehub/lobehub#8389",
        )
        for name, field in (("presencePenalty", "presence_penalty"), ("frequencyPenalty", "frequency_penalty"))
    ),
    _argument("stop", "stop", other_than("stop"), models=_REASONING, but_not=("*non-reasoning*",)),
    _argument(
        "reasoningEffort",
        "reasoning_effort",
        other_than("reasoning_effort"),
        models=("grok-3", "grok-3-fast*", "grok-4", "grok-4-*", "grok-code-*"),
        source=f"{_DOCS}; charmbracelet/crush#386",
    ),
)
