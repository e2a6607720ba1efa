"""promptfoo's one-line expectations: `contains: x`, `similar(0.8): x`, `latency(500)`, `not-icontains-any: a, b`.

The grammar is that of the `__expected` columns in promptfoo's documentation, "Test case configuration": an optional
`not-`, a type, an optional number in brackets, and after a colon the value; any other text must be equalled.
"""

import re

from msgspec import Struct

from ownkey.workbench.graders.kinds import ALIASES, NAMES
from ownkey.workbench.suites.imports.nodes import Node

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
