"""The table of check types, and the gate that every check passes before it is stored or run.

Names and meanings are promptfoo's (its documentation, "Assertions & metrics", and its list of assertion types).
"""

from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from math import isfinite
from typing import Any

from msgspec import Struct

from ownkey.workbench.graders import measures, text_checks
from ownkey.workbench.graders.finding import Answer, BadCheck, Finding, Ungradable, text_value, texts_value
from ownkey.workbench.graders.judge import read_rubric
from ownkey.workbench.graders.measures import read_similar
from ownkey.workbench.graders.schema import compile_schema, contains_json, is_json, read_schema
from ownkey.workbench.graders.schema_workers import SchemaWorkers
from ownkey.workbench.records import Check


class Form(Enum):
    """What a check of a type is written with."""

    TEXT = auto()
    """`value` is a text."""
    LIST = auto()
    """`value` is a list of texts, or one text with commas between them."""
    WORDS = auto()
    """`value` is a number of words, or `min` and `max`."""
    SCHEMA = auto()
    """`value` is a JSON schema, or absent."""
    LIMIT = auto()
    """`threshold` is the most that is allowed: milliseconds, USD."""
    GRADED = auto()
    """`value` is a text or a rubric, `threshold` the least score from 0 to 1; a model decides."""


class Kind(Struct, frozen=True):
    """A check type. `read` makes what `find` needs of a check and raises BadCheck; `find` is None where a model grades.

    Where `form` is SCHEMA, `read` gives the schema's text and `find` takes a `schema.Against`. `costly` says that
    reading or finding may take more than a few milliseconds even for a short answer.
    """

    sentence: str
    form: Form
    read: Callable[[Check], Any]
    find: Callable[[Any, Answer], Finding] | None
    costly: bool = False


KINDS: dict[str, Kind] = {
    "equals": Kind(
        "The answer is exactly the value; an object or a list is compared as JSON.",
        Form.TEXT,
        text_checks.read_expected,
        text_checks.equals,
    ),
    "contains": Kind("The value occurs in the answer.", Form.TEXT, text_value, text_checks.contains),
    "icontains": Kind(
        "The value occurs in the answer, upper and lower case alike.", Form.TEXT, text_value, text_checks.icontains
    ),
    "contains-all": Kind(
        "Every text of the list occurs in the answer.", Form.LIST, texts_value, text_checks.contains_all
    ),
    "contains-any": Kind(
        "At least one text of the list occurs in the answer.", Form.LIST, texts_value, text_checks.contains_any
    ),
    "icontains-all": Kind(
        "As contains-all, upper and lower case alike.", Form.LIST, texts_value, text_checks.icontains_all
    ),
    "icontains-any": Kind(
        "As contains-any, upper and lower case alike.", Form.LIST, texts_value, text_checks.icontains_any
    ),
    "starts-with": Kind("The answer begins with the value.", Form.TEXT, text_value, text_checks.starts_with),
    "regex": Kind(
        "The pattern (RE2) matches somewhere in the answer.",
        Form.TEXT,
        text_checks.read_pattern,
        text_checks.regex,
        costly=True,
    ),
    "is-json": Kind(
        "The whole answer is JSON, and satisfies the schema if there is one.",
        Form.SCHEMA,
        read_schema,
        is_json,
        costly=True,
    ),
    "contains-json": Kind(
        "The answer contains JSON, and some of it satisfies the schema if there is one.",
        Form.SCHEMA,
        read_schema,
        contains_json,
        costly=True,
    ),
    "word-count": Kind(
        "The answer has so many words, or between min and max.",
        Form.WORDS,
        text_checks.read_words,
        text_checks.word_count,
    ),
    "latency": Kind(
        "The answer took at most so many milliseconds.", Form.LIMIT, measures.read_limit_ms, measures.latency
    ),
    "cost": Kind("The answer cost at most so many USD.", Form.LIMIT, measures.read_limit_usd, measures.cost),
    "llm-rubric": Kind("A judge model finds that the answer meets the rubric.", Form.GRADED, read_rubric, None),
    "similar": Kind("The answer is near in meaning to the value, by embeddings.", Form.GRADED, read_similar, None),
}

CHECK_TYPES: dict[str, str] = {name: kind.sentence for name, kind in KINDS.items()}
"""Every check type with what passes. Each also exists with `not-` before it."""

ALIASES = {"model-graded-closedqa": "llm-rubric", "grade": "llm-rubric", "similar:cosine": "similar"}
"""promptfoo's other names of the same thing. Closed QA asks whether a criterion is met: a rubric with yes or no."""

_RUN_CODE = frozenset({"javascript", "python", "ruby", "fn", "eval", "webhook"})
"""Types that run code of the suite or call an address in it."""

_INSTEAD = {
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
"""promptfoo's types that are not supported, with what to use."""

NAMES = KINDS.keys() | ALIASES.keys() | _RUN_CODE | _INSTEAD.keys()
"""Every name that, before a colon in a one-line expectation, is a type and not the beginning of a text."""


def split_type(name: str) -> tuple[str, bool]:
    """The type without `not-`, and whether it had that."""
    return name.removeprefix("not-"), name.startswith("not-")


def refusal(name: str) -> str | None:
    """Why a type (without `not-`) is rejected and what to use instead; None for a known type or alias."""
    if name in KINDS or name in ALIASES:
        return None
    if name in _RUN_CODE:
        return (
            f"The check “{name}” would run code or call an address from the file, which is never done here. "
            "Use contains, regex, is-json with a schema, or llm-rubric."
        )
    if name in _INSTEAD:
        return f"The check “{name}” is not supported. {_INSTEAD[name]}"
    return f"The check “{name[:60]}” is not known. Known are: {', '.join(sorted(KINDS))}."


def validate_check(check: Check, workers: SchemaWorkers | None = None) -> str | None:
    """Why a check cannot be used, or None. Without `workers` a schema is not compiled, only its form is checked."""
    try:
        kind, spec = read_check(check)
        if workers is not None and kind.form is Form.SCHEMA and spec is not None:
            workers.call(partial(compile_schema, check.type, spec))
    except Ungradable as error:
        return str(error)
    return None


def read_check(check: Check) -> tuple[Kind, Any]:
    """The type of a check, and its value made ready. Raises BadCheck."""
    kind = kind_of(check)
    if not isfinite(check.weight) or check.weight < 0:
        raise BadCheck(f"{check.type} has the weight {check.weight:g}; it must be 0 or more.")
    return kind, kind.read(check)


def kind_of(check: Check) -> Kind:
    """The row of a check's type. Raises BadCheck for one that is unknown or would run code."""
    name, _ = split_type(check.type)
    if (problem := refusal(name)) is not None:
        raise BadCheck(problem)
    if name in ALIASES:
        raise BadCheck(f"The check “{name}” is written {ALIASES[name]} here.")
    return KINDS[name]
