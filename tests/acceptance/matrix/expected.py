"""What each pair of formats cannot do. Every pair and feature that is not named here passes.

docs/matrix.md is this table in full: `scripts/matrix-table` writes it, and a test fails when it is stale.
"""

NOT_ASKED: dict[str, tuple[str, ...]] = {
    "openai_chat": (),
    "openai_responses": ("stop sequences", "top_k", "several answers"),
    "anthropic_messages": ("JSON, any", "several answers"),
    "gemini": ("tools: one at a time",),
}
"""Client format → what its requests cannot ask for."""

NOT_ANSWERED: dict[str, tuple[str, ...]] = {
    "openai_chat": (),
    "openai_responses": (),
    "anthropic_messages": (),
    "gemini": (),
    "cohere_chat": ("refusal",),
    "ollama_chat": ("refusal", "cached tokens"),
    "bedrock_converse": (),
}
"""Provider format → what its answers cannot say."""

NOT_SHOWN: dict[tuple[str, str], tuple[str, ...]] = {
    ("openai_chat", "openai_responses"): ("reasoning",),
    ("anthropic_messages", "openai_responses"): ("reasoning",),
    ("gemini", "openai_responses"): ("reasoning",),
}
"""(client format, provider format) → what a translated answer lacks: responses keep reasoning to themselves unless a
summary is asked for, which OpenAI grants to verified organisations alone, so no translated request asks."""

_MODE = "toolConfig.functionCallingConfig"
_STOP = "generationConfig.stopSequences"
_COUNT = "generationConfig.candidateCount"

REFUSED: dict[tuple[str, str], dict[str, str]] = {
    ("openai_chat", "anthropic_messages"): {"several answers": "n"},
    ("openai_chat", "gemini"): {"several answers": "n"},
    ("openai_chat", "openai_responses"): {"stop sequences": "stop", "several answers": "n"},
    ("openai_chat", "cohere_chat"): {"several answers": "n"},
    ("openai_chat", "ollama_chat"): {
        "tools: any": "tool_choice",
        "tools: forced": "tool_choice",
        "several answers": "n",
    },
    ("openai_chat", "bedrock_converse"): {"several answers": "n"},
    ("openai_responses", "ollama_chat"): {"tools: any": "tool_choice", "tools: forced": "tool_choice"},
    ("anthropic_messages", "openai_responses"): {"stop sequences": "stop_sequences"},
    ("anthropic_messages", "ollama_chat"): {"tools: any": "tool_choice", "tools: forced": "tool_choice"},
    ("gemini", "openai_chat"): {"several answers": _COUNT},
    ("gemini", "openai_responses"): {"stop sequences": _STOP, "several answers": _COUNT},
    ("gemini", "anthropic_messages"): {"several answers": _COUNT},
    ("gemini", "cohere_chat"): {"several answers": _COUNT},
    ("gemini", "ollama_chat"): {"tools: any": _MODE, "tools: forced": _MODE, "several answers": _COUNT},
    ("gemini", "bedrock_converse"): {"several answers": _COUNT},
}
"""(client format, provider format) → feature → the field that the 400 names: the target has no such thing."""


def expected(client: str, provider: str, feature: str) -> str | None:
    """`-` where the question cannot be put, the refused field's name, or None: it passes."""
    if feature in (*NOT_ASKED[client], *NOT_ANSWERED[provider], *NOT_SHOWN.get((client, provider), ())):
        return "-"
    return REFUSED.get((client, provider), {}).get(feature)
