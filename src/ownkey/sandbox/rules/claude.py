"""Rules of the Claude models themselves, in Anthropic's format; Bedrock passes what they say on."""

from collections.abc import Callable
from typing import Any

from ownkey.domain.formats import WireFormat
from ownkey.sandbox.rules.rule import Asked, Rule, Words, above, at, items, other_than, overflows

_MODELS = "https://platform.claude.com/docs/en/about-claude/models/overview"
_MIGRATION = "https://platform.claude.com/docs/en/about-claude/models/migration-guide"
_THINKING = "https://platform.claude.com/docs/en/build-with-claude/extended-thinking"
_CONSULT = (
    " Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
    "#important-considerations-when-using-extended-thinking"
)
_ON = ("enabled", "adaptive")

_BUDGETED = ("claude-2*", "claude-3-*", "claude-opus-4-0*", "claude-opus-4-1*", "claude-opus-4-2*", "claude-opus-4-5*")
UP_TO_4_5 = (*_BUDGETED, "claude-sonnet-4-0*", "claude-sonnet-4-2*", "claude-sonnet-4-5*", "claude-haiku-4-5*")
OF_4_6 = ("claude-opus-4-6*", "claude-sonnet-4-6*")
ALWAYS_THINK = ("claude-opus-5-5*", "claude-fable-*", "claude-mythos-*")
NO_FORCED_TOOL = (
    *("claude-opus-5-5*", "claude-sonnet-5-5*", "claude-fable-5-1*", "claude-fable-5-2*"),
    *("claude-mythos-5-1*", "claude-mythos-5-2*"),
)
_LARGEST = {
    4096: ("claude-2*", "claude-3-opus*", "claude-3-sonnet*", "claude-3-haiku*"),
    8192: ("claude-3-5-*",),
    32_000: ("claude-opus-4-0*", "claude-opus-4-1*", "claude-opus-4-2*"),
    64_000: ("claude-3-7-*", "claude-sonnet-4-0*", "claude-sonnet-4-2*", "claude-*-4-5*"),
    128_000: (*OF_4_6, "claude-opus-4-7*", "claude-opus-4-8*", "claude-*-5", "claude-*-5-*"),
}


def thinks(asked: Asked) -> bool:
    return at(asked.body, "thinking.type") in _ON


def _beside_thinking(broken: Callable[[Asked], Words | None]) -> Callable[[Asked], Words | None]:
    return lambda asked: broken(asked) if thinks(asked) else None


def _low_top_p(asked: Asked) -> Words | None:
    value = at(asked.body, "top_p")
    return {} if isinstance(value, int | float) and value < 0.95 else None


def _both(asked: Asked) -> Words | None:
    body = asked.body
    return {} if body.get("temperature") is not None and body.get("top_p") is not None else None


def _sampling(asked: Asked) -> Words | None:
    """The default of the temperature, 1, is all that is left of sampling."""
    body = asked.body
    for name, default in (("temperature", 1), ("top_p", 1), ("top_k", None)):
        if body.get(name) not in (None, default):
            return {"name": name}
    return None


def _forced_beside_budget(asked: Asked) -> Words | None:
    forced = at(asked.body, "tool_choice.type") in ("any", "tool")
    return {} if forced and at(asked.body, "thinking.type") == "enabled" else None


def _low_budget(asked: Asked) -> Words | None:
    budget = at(asked.body, "thinking.budget_tokens")
    enabled = at(asked.body, "thinking.type") == "enabled"
    return {} if enabled and not (isinstance(budget, int) and budget >= 1024) else None


def _budget_above_limit(asked: Asked) -> Words | None:
    budget, limit = at(asked.body, "thinking.budget_tokens"), asked.body.get("max_tokens")
    return {} if isinstance(budget, int) and isinstance(limit, int) and budget >= limit else None


def _is(path: str, *values: str) -> Callable[[Asked], Words | None]:
    return lambda asked: {"value": value} if (value := at(asked.body, path)) in values else None


def _prefill(asked: Asked) -> Words | None:
    roles = [message.get("role") for _, message in items(asked.body.get("messages"))]
    return {} if roles[-1:] == ["assistant"] else None


def _empty_text(asked: Asked) -> Words | None:
    for _, message in items(asked.body.get("messages")):
        for _, block in items(message.get("content")):
            if block.get("type") == "text" and not str(block.get("text") or ""):
                return {}
    return None


def _rule(name: str, message: str, broken: Callable[[Asked], Words | None], **more: Any) -> Rule:
    row: dict[str, Any] = {"providers": ("anthropic",), "formats": (WireFormat.ANTHROPIC_MESSAGES,)}
    row |= {"source": _THINKING, "date": "2026-11-30", "models": ("claude-*",)} | more
    return Rule(name=f"claude-{name}", message=message, broken=broken, **row)


RULES: tuple[Rule, ...] = (
    _rule(
        "temperature-beside-thinking",
        "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode." + _CONSULT,
        _beside_thinking(other_than("temperature", 1)),
        about=("temperature",),
        source=f"{_THINKING}; MartialBE/one-hub#529",
    ),
    _rule(
        "top-k-beside-thinking",
        "`top_k` must be unset when thinking is enabled or in adaptive mode." + _CONSULT,
        _beside_thinking(other_than("top_k")),
        about=("top_k",),
        source=f"{_THINKING}; quarkiverse/quarkus-langchain4j#1812",
    ),
    _rule(
        "top-p-beside-thinking",
        "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled or in adaptive mode."
        + _CONSULT,
        _beside_thinking(_low_top_p),
        about=("top_p",),
        source=f"{_THINKING}; Kiln-AI/Kiln#1479",
    ),
    _rule(
        "forced-tool-beside-thinking",
        "Thinking may not be enabled when tool_choice forces tool use.",
        _forced_beside_budget,
        about=("tool_choice",),
        source=f"{_THINKING}; mastra-ai/mastra#7507",
    ),
    _rule(
        "least-budget",
        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        _low_budget,
        about=("thinking",),
    ),
    _rule(
        "budget-below-limit",
        "`max_tokens` must be greater than `thinking.budget_tokens`." + _CONSULT,
        _budget_above_limit,
        about=("thinking",),
    ),
    _rule(
        "one-of-temperature-and-top-p",
        "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        _both,
        models=("claude-opus-4-1*", "claude-*-4-5*", *OF_4_6),
        about=("top_p",),
        source="cloud-apim/otoroshi-llm-extension#140; skydiscover-ai/skydiscover#15",
    ),
    _rule(
        "no-sampling",
        "`{name}` is deprecated for this model.",
        _sampling,
        but_not=(*UP_TO_4_5, *OF_4_6),
        about=("temperature", "top_p", "top_k"),
        source=f"{_MIGRATION}; altic-dev/FluidVoice#285; Mintplex-Labs/anything-llm#6455",
    ),
    _rule(
        "no-budget",
        '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and '
        '"output_config.effort" to control thinking behavior.',
        _is("thinking.type", "enabled"),
        but_not=(*UP_TO_4_5, *OF_4_6),
        about=("thinking",),
        source=_MIGRATION,
    ),
    _rule(
        "no-adaptive-thinking",
        "adaptive thinking is not supported on this model",
        _is("thinking.type", "adaptive"),
        models=UP_TO_4_5,
        about=("thinking",),
        source="elizaOS/eliza#16175 (probed against the API)",
    ),
    _rule(
        "no-effort",
        "This model does not support the effort parameter.",
        other_than("output_config.effort"),
        models=UP_TO_4_5,
        but_not=("claude-opus-4-5*",),
        about=("effort",),
        source="elizaOS/eliza#16175 (probed against the API)",
    ),
    _rule(
        "always-thinks",
        '"thinking.type.disabled" is not supported for this model.',
        _is("thinking.type", "disabled"),
        models=(*ALWAYS_THINK, "claude-sonnet-5-5*"),
        about=("thinking",),
        source="https://platform.claude.com/docs/en/models/opus-5-5/overview, …/sonnet-5-5/overview",
    ),
    _rule(
        "no-forced-tool",
        'tool_choice: type "tool" and "any" are not supported for this model.',
        _is("tool_choice.type", "any", "tool"),
        models=NO_FORCED_TOOL,
        about=("tool_choice",),
        source="can1357/oh-my-pi#12939",
    ),
    _rule(
        "no-prefill",
        "This model does not support assistant message prefill. The conversation must end with a user message.",
        _prefill,
        but_not=UP_TO_4_5,
        about=("assistant",),
        source=_MIGRATION,
    ),
    _rule(
        "empty-text",
        "messages: text content blocks must be non-empty",
        _empty_text,
        models=("*",),
        about=("text",),
        source="https://platform.claude.com/docs/en/api/messages",
    ),
    *(
        _rule(
            f"largest-output-{most}",
            "max_tokens: {value} > {most}, which is the maximum allowed number of output tokens for {model}",
            above("max_tokens", most),
            models=models,
            about=("max_tokens",),
            source=_MODELS,
        )
        for most, models in _LARGEST.items()
    ),
    _rule(
        "context",
        "prompt is too long: {tokens} tokens > {context} maximum",
        overflows(200_000),
        models=("claude-3-*", "claude-haiku-4-5*", "claude-opus-4-0*", "claude-opus-4-1*", "claude-opus-4-5*"),
        source="https://platform.claude.com/docs/en/build-with-claude/context-windows",
    ),
    _rule(
        "long-context",
        "prompt is too long: {tokens} tokens > {context} maximum",
        overflows(1_000_000),
        models=("claude-sonnet-4-*", *OF_4_6, "claude-opus-4-7*", "claude-opus-4-8*", "claude-*-5", "claude-*-5-*"),
        source="https://platform.claude.com/docs/en/build-with-claude/context-windows",
    ),
)
