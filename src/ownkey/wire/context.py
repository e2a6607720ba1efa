"""How vendors say that a request does not fit into a model's context window."""

import re

CODE = "context_length_exceeded"
"""OpenAI's code for it, and ours in every format that has a place for one."""

_CODES = frozenset(
    {
        CODE,
        "exceed_context_size_error",  # llama.cpp
        "model_context_window_exceeded",  # Anthropic, Bedrock
        "context_window_exceeded",
        "string_above_max_length",  # OpenAI, where a text by itself is too long
    }
)
_STATUSES = frozenset({400, 413, 422, 424, 500, 502})
"""Under which it is said. 429 and Groq's 413 for tokens per minute mean a limit that passes."""
_PASSES = re.compile(r"\b(?:per minute|per day|TPM|TPD|rate limit)\b", re.IGNORECASE)
_WORDS = re.compile(
    "|".join(
        (
            # OpenAI, DeepSeek, vLLM, Fireworks, OpenRouter; xAI says "prompt length"
            r"maximum (?:context|prompt|model|input) length",
            # Mistral
            r"too large for model with \d+ maximum context length",
            # OpenAI's responses
            r"exceeds the (?:model'?s )?context (?:window|length)",
            # Anthropic, also through Bedrock and Vertex; Fireworks; Ollama says "prompt too long"
            r"(?:prompt|input|request) (?:is )?too long",
            r"input length and `?max_tokens`? exceed context limit",
            # Gemini
            r"input token count.{0,40} exceeds the maximum number of tokens",
            # Bedrock's own, and Amazon's and Meta's models there
            r"too many input tokens",
            r"maximum tokens you requested exceeds the model limit",
            # Cohere
            r"too many tokens",
            r"total number of tokens .{0,80}cannot exceed",
            # llama.cpp, LM Studio, KoboldCpp
            r"exceeds? the (?:available |maximum )?context (?:size|length|window)",
            r"exceeds? (?:the )?(?:model'?s )?(?:maximum )?context (?:size|length|window|limit)",
            r"context (?:size|length|window)(?: has been| was| is)? exceeded",
            r"greater than the context length",
            # Ollama
            r"input length exceeds",
            # SGLang
            r"longer than the (?:model'?s|maximum) (?:context|model) length",
            # Text Generation Inference, Together
            r"`?inputs`? (?:tokens \+ `?max_new_tokens`? must be <=|must have less than \d+ tokens)",
            # Qwen, by DashScope
            r"range of input length should be",
            # Moonshot, MiniMax, Zhipu
            r"exceeded model token limit",
            r"context window exceeds limit",
            r"prompt exceeds max(?:imum)? length",
            # Groq
            r"reduce the length of the (?:messages|prompt|input)",
        )
    ),
    re.IGNORECASE | re.DOTALL,
)
_READ = 2000
"""Characters of a message that are looked at."""


def is_overflow(status: int, message: str, *codes: str | None) -> bool:
    """Whether an error says that the request is too long for the model. `status` below 400 is an error in an answer."""
    if any(code in _CODES for code in codes):
        return True
    if status >= 400 and status not in _STATUSES:
        return False
    text = message[:_READ]
    return _WORDS.search(text) is not None and _PASSES.search(text) is None
