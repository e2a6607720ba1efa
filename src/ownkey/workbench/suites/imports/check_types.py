"""The check types of promptfoo: which are understood, which are refused, and what to use instead.

Names and meanings: promptfoo's documentation, "Assertions & metrics", and its list of assertion types.
"""

TEXT = frozenset({"equals", "contains", "icontains", "starts-with"})
"""`value` is a text that the answer is compared with."""
LISTS = frozenset({"contains-all", "contains-any", "icontains-all", "icontains-any"})
"""`value` is a list of texts."""
JSON = frozenset({"is-json", "contains-json"})
"""`value` is a JSON schema, or absent."""
LIMITS = frozenset({"latency", "cost"})
"""`threshold` is the most that is allowed: milliseconds, USD."""
GRADED = frozenset({"similar", "llm-rubric"})
"""`value` is a text or a rubric, `threshold` the least score from 0 to 1."""
SUPPORTED = TEXT | LISTS | JSON | LIMITS | GRADED | {"regex", "word-count"}

ALIASES = {"model-graded-closedqa": "llm-rubric", "grade": "llm-rubric", "similar:cosine": "similar"}
"""Other names of the same thing. Closed QA asks a model whether a criterion is met: a rubric with yes or no."""

CODE = frozenset({"javascript", "python", "ruby", "fn", "eval", "webhook"})
"""Types that run uploaded code or call an address from the file."""

_USE = {
    "factuality": "Use llm-rubric with the facts in its text, or similar.",
    "model-graded-factuality": "Use llm-rubric with the facts in its text, or similar.",
    "g-eval": "Use llm-rubric.",
    "answer-relevance": "Use llm-rubric.",
    "conversation-relevance": "Use llm-rubric.",
    "search-rubric": "Use llm-rubric.",
    "agent-rubric": "Use llm-rubric.",
    "pi": "Use llm-rubric.",
    "classifier": "Use llm-rubric.",
    "moderation": "Use llm-rubric.",
    "guardrails": "Use llm-rubric.",
    "is-refusal": "Use llm-rubric, or icontains-any with the usual words of a refusal.",
    "context-faithfulness": "Use llm-rubric with the context in its text.",
    "context-recall": "Use llm-rubric with the context in its text.",
    "context-relevance": "Use llm-rubric with the context in its text.",
    "similar:dot": "Use similar.",
    "similar:euclidean": "Use similar.",
    "levenshtein": "Use similar, or equals.",
    "rouge-n": "Use similar.",
    "rouge-l": "Use similar.",
    "rouge-s": "Use similar.",
    "bleu": "Use similar.",
    "gleu": "Use similar.",
    "meteor": "Use similar.",
    "is-xml": "Use regex.",
    "contains-xml": "Use regex.",
    "is-html": "Use regex.",
    "contains-html": "Use regex.",
    "is-sql": "Use regex or llm-rubric.",
    "contains-sql": "Use regex or llm-rubric.",
    "select-best": "Compare the models in the workbench.",
    "max-score": "Compare the models in the workbench.",
    "human": "Read the answers in the results.",
    "perplexity": "Remove it: log probabilities are not asked for.",
    "perplexity-score": "Remove it: log probabilities are not asked for.",
    "finish-reason": "Remove it: the finish reason is in the results.",
    "is-valid-function-call": "Remove it: prompts are sent without tools.",
    "is-valid-openai-function-call": "Remove it: prompts are sent without tools.",
    "is-valid-openai-tools-call": "Remove it: prompts are sent without tools.",
    "tool-call-f1": "Remove it: prompts are sent without tools.",
    "skill-used": "Remove it: prompts are sent without tools.",
    "trajectory:goal-success": "Remove it: traces are not read.",
    "trajectory:tool-args-match": "Remove it: traces are not read.",
    "trajectory:step-count": "Remove it: traces are not read.",
    "trajectory:tool-sequence": "Remove it: traces are not read.",
    "trajectory:tool-used": "Remove it: traces are not read.",
    "trace-error-spans": "Remove it: traces are not read.",
    "trace-span-count": "Remove it: traces are not read.",
    "trace-span-duration": "Remove it: traces are not read.",
}

NAMES = SUPPORTED | ALIASES.keys() | CODE | _USE.keys()
"""Every name that, before a colon in a one-line expectation, is a type and not the beginning of a text."""


def refusal(base: str) -> str | None:
    """Why a type (without `not-`) is not accepted and what to use instead, or None for one that is."""
    if base in SUPPORTED or base in ALIASES:
        return None
    if base in CODE:
        return (
            f"The check “{base}” would run code or call an address from the file, which is never done here. "
            "Use contains, regex, is-json with a schema, or llm-rubric."
        )
    if base in _USE:
        return f"The check “{base}” is not supported. {_USE[base]}"
    return f"The check “{base[:60]}” is not known. Known are: {', '.join(sorted(SUPPORTED))}."
