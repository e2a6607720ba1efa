"""From a check as it is written to a check that can be graded: types, values, thresholds.

One-line expectations (`contains: x`, `similar(0.8): x`, `latency(500)`, `not-icontains-any: a, b`) follow the grammar
of the `__expected` columns in promptfoo's documentation, "Test case configuration": an optional `not-`, a type, an
optional number in brackets, and after a colon the value; an answer must equal any other text.
"""

import math
import re
from collections.abc import Sequence
from typing import cast

from msgspec import Struct

from ownkey.workbench.graders.kinds import ALIASES, KINDS, NAMES, Form, refusal, split_type, validate_check
from ownkey.workbench.records import Check
from ownkey.workbench.suites.imports.gathering import Gathering
from ownkey.workbench.suites.imports.json_nodes import json_document
from ownkey.workbench.suites.imports.model import Comparison, ImportLimits
from ownkey.workbench.suites.imports.nodes import Node, Plain, as_items, embedded, is_file
from ownkey.workbench.suites.imports.templates import Values, template

_LINE = re.compile(
    r"(not-)?(similar:(?:cosine|dot|euclidean)|trajectory:[a-z-]+|[a-z][a-z0-9-]*)"
    r"(?:\((\d{1,15}(?:\.\d{1,15})?)\))?(?::([\s\S]*))?"
)
_LOOKS_LIKE_A_TYPE = re.compile(r"(?:not-)?[a-z]+(?:-[a-z]+)+(?:\([^)]*\))?\s*:")
_SIMILAR = 0.8
"""promptfoo's threshold for a one-line `similar` without a number."""


class Expectation(Struct, frozen=True):
    """A check as written. `type` is not validated; `doubtful` says that a text looks like a type nobody knows."""

    type: str
    value: Node | None
    threshold: Node | None
    doubtful: bool = False


def expectation(node: Node) -> Expectation:
    """Read one cell.

    Raises:
        SuiteRejected: a file is referred to.
    """
    text = node.text("An expectation").strip()
    if text.startswith("file://"):
        raise node.refuse(
            "An expectation in another file is not read, and code is never run. Write the check here: contains, regex, "
            "is-json with a schema, or llm-rubric."
        )
    found = _LINE.fullmatch(text)
    if found is None or found.group(2) not in NAMES:
        return Expectation("equals", _at(node, text), None, bool(_LOOKS_LIKE_A_TYPE.match(text)))
    negation, base, number, value = found.groups()
    threshold = _at(node, float(number)) if number else None
    if threshold is None and ALIASES.get(base, base) == "similar":
        threshold = _at(node, _SIMILAR)
    given = None if value is None or not value.strip() else _at(node, value.strip())
    return Expectation((negation or "") + base, given, threshold)


def comma_list(node: Node) -> list[str]:
    """Texts between commas; one in double quotes may hold commas, and `\\"` or `""` for a quote.

    Raises:
        SuiteRejected: a quote is not closed, or text follows it.
    """
    text, at, found = node.text("The list"), 0, list[str]()
    quoted_text = re.compile(r'"((?:[^"\\]|\\.|"")*)"\s*')
    while at < len(text):
        if text[at].isspace() or text[at] == ",":
            at += 1
        elif text[at] == '"':
            match = quoted_text.match(text, at)
            if match is None or text[match.end() : match.end() + 1] not in {"", ","}:
                raise node.refuse("In the list between commas a quote is not closed, or text follows it.")
            found.append(re.sub(r'\\(["\\])|""', lambda escape: escape.group(1) or '"', match.group(1)))
            at = match.end()
        else:
            end = text.find(",", at)
            end = len(text) if end < 0 else end
            found.append(text[at:end].strip())
            at = end
    return found


def _at(node: Node, value: "str | float") -> Node:
    return Node(value, node.line, node.column)


_TEMPLATED = ("{{", "{%", "{#")
_MOST_MILLISECONDS = 86_400_000.0
_MOST_USD = 1_000_000.0


class Assertion(Struct, frozen=True):
    """A check whose type and numbers are valid. `node` is where it stands; `fixed` is set when no variable is in it."""

    node: Node
    base: str
    negated: bool
    value: Node | None
    threshold: float | None
    weight: float
    fixed: Check | None = None


def assertion(
    node: Node, name: str, value: Node | None, threshold: Node | None, weight: Node | None, gathering: Gathering
) -> Assertion:
    """Validate everything about a check that does not wait for variables.

    Raises:
        SuiteRejected: the type runs code or is not known, or the value or a number does not fit it.
    """
    written, negated = split_type(name)
    if problem := refusal(written):
        raise node.refuse(problem)
    base = ALIASES.get(written, written)
    if value is not None and any(is_file(part) for part in as_items(value)):
        raise value.refuse(f"The value of “{name}” refers to a file, and only this one is read; write the value here.")
    found = Assertion(
        node,
        base,
        negated,
        None if value is None or value.is_absent else value,
        _threshold(base, node, threshold),
        _weight(weight),
    )
    if found.value is not None and any(_has_variables(part) for part in as_items(found.value)):
        return found
    return Assertion(node, base, negated, value, found.threshold, found.weight, _check(found, found.value, gathering))


def check(found: Assertion, values: Values, where: str, gathering: Gathering) -> Check:
    """The check with the variables of one test in it.

    Raises:
        SuiteRejected: a variable has no value, or what comes out does not fit the type.
    """
    if found.fixed is not None or found.value is None:
        return found.fixed or _check(found, found.value, gathering)
    return _check(found, _filled(found.value, values, where, gathering.limits), gathering)


def any_of(comparison: Comparison, texts: Sequence[str], node: Node, gathering: Gathering) -> Check:
    """A check that one of some plain texts satisfies.

    Raises:
        SuiteRejected: the graders do not take it; several long texts make a pattern too long, for one.
    """
    return accepted(_any_of(comparison, texts), node, gathering)


def _any_of(comparison: Comparison, texts: Sequence[str]) -> Check:
    if len(texts) == 1:
        return Check(comparison.value, texts[0])
    if comparison in {Comparison.CONTAINS, Comparison.ICONTAINS}:
        return Check(f"{comparison.value}-any", list(texts))
    end = r"\z" if comparison is Comparison.EQUALS else ""
    return Check("regex", rf"\A(?:{'|'.join(_literal(text) for text in texts)}){end}")


def _literal(text: str) -> str:
    """A text as a pattern of RE2 (which knows fewer escapes of letters than `re.escape` avoids: only ASCII signs)."""
    return re.sub(r"[!-/:-@\[-^`{-~]", lambda sign: "\\" + sign.group(), text)


def _has_variables(node: Node) -> bool:
    return isinstance(node.value, str) and any(mark in node.value for mark in _TEMPLATED)


def _filled(node: Node, values: Values, where: str, limits: ImportLimits) -> Node:
    if isinstance(node.value, list):
        return Node([_filled(item, values, where, limits) for item in node.value], node.line, node.column)
    if not isinstance(node.value, str) or not _has_variables(node):
        return node
    text = template(node.value, node).filled(values, limits.max_prompt_characters, where)
    return Node(text, node.line, node.column)


def _check(found: Assertion, value: Node | None, gathering: Gathering) -> Check:
    base, content = _value(found, value, gathering.limits)
    made = Check(("not-" if found.negated else "") + base, content, found.threshold, found.weight)
    return accepted(made, found.node if value is None else value, gathering)


def accepted(made: Check, node: Node, gathering: Gathering) -> Check:
    """The check, if the graders can keep it.

    Raises:
        SuiteRejected: a pattern, a schema or a number is not one that they take, with their reason.
    """
    if problem := validate_check(made, gathering.schemas):
        # Each schema that exceeds its time costs seconds: one ends the import.
        gathering.full = gathering.full or gathering.schemas.overruns > 0
        raise node.refuse(problem)
    return made


def _value(found: Assertion, value: Node | None, limits: ImportLimits) -> "tuple[str, Plain]":
    """The type and the value as graders take them."""
    base = found.base
    if KINDS[base].form is Form.LIMIT:
        return base, None
    if KINDS[base].form is Form.SCHEMA:
        return base, None if value is None else _schema(value, limits)
    if value is None:
        raise found.node.refuse(f"The check “{base}” needs a value.")
    if base == "equals" and isinstance(value.value, dict | list):
        # promptfoo compares the answer, read as JSON, with the object: what a schema with `const` says.
        return "is-json", {"const": value.plain()}
    if KINDS[base].form is Form.LIST:
        return base, _texts(base, value)
    if base == "word-count":
        return base, _words(value, limits)
    text = value.written(f"The value of “{base}”")
    if not text.strip() and base != "equals":
        raise value.refuse(f"The value of “{base}” is blank; write what the answer must have.")
    return base, text


def _texts(base: str, value: Node) -> "list[Plain]":
    given = (
        comma_list(value)
        if isinstance(value.value, str)
        else [item.written(f"Each value of “{base}”") for item in value.items(f"The value of “{base}”")]
    )
    if not given or not all(text.strip() for text in given):
        raise value.refuse(f"The check “{base}” needs one text or more, none of them blank.")
    return list(given)


def _schema(value: Node, limits: ImportLimits) -> Plain:
    if not isinstance(value.value, str):
        return value.plain()
    from ownkey.workbench.suites.imports.yaml_nodes import yaml_document

    read = json_document if value.value.lstrip().startswith("{") else yaml_document
    return embedded(value, value.value, read, limits, "The JSON schema").plain()


def _words(value: Node, limits: ImportLimits) -> Plain:
    if isinstance(value.value, str) and value.value.lstrip().startswith("{"):
        value = embedded(value, value.value, json_document, limits, "The value of “word-count”")
    if not isinstance(value.value, dict):
        return _count(value)
    bounds = {key: _count(item) for key, item in value.value.items()}
    if not bounds or not bounds.keys() <= {"min", "max"}:
        raise value.refuse("The value of “word-count” must be a number, or an object with min, max or both.")
    if bounds.get("min", 0) > bounds.get("max", math.inf):
        raise value.refuse("The value of “word-count” has a min above its max.")
    return cast("dict[str, Plain]", bounds)


def _count(node: Node) -> int:
    number = node.number("A number of words")
    if number < 0 or number != int(number):
        raise node.refuse("A number of words must be a whole number from 0 on.")
    return int(number)


def _threshold(base: str, node: Node, threshold: Node | None) -> float | None:
    if KINDS[base].form is Form.LIMIT:
        if threshold is None or threshold.is_absent:
            example = "latency(2000) with milliseconds" if base == "latency" else "cost(0.01) with USD"
            raise node.refuse(f"The check “{base}” needs a threshold, such as {example}.")
        most = _MOST_MILLISECONDS if base == "latency" else _MOST_USD
        number = threshold.number(f"The threshold of “{base}”")
        if not 0 < number <= most:
            raise threshold.refuse(f"The threshold of “{base}” must be above 0 and at most {most:,.0f}.")
        return number
    if KINDS[base].form is not Form.GRADED or threshold is None or threshold.is_absent:
        return None
    return share(threshold, f"The threshold of “{base}”")


def share(node: Node, what: str) -> float:
    """A number from 0 to 1."""
    number = node.number(what)
    if not 0 <= number <= 1:
        raise node.refuse(f"{what} must be from 0 to 1.")
    return number


def _weight(weight: Node | None) -> float:
    if weight is None or weight.is_absent:
        return 1.0
    number = weight.number("The weight of a check")
    if not 0 <= number <= 1_000_000:
        raise weight.refuse("The weight of a check must be from 0 to 1,000,000.")
    return number
