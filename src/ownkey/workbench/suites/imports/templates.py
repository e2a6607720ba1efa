"""Prompts with `{{variables}}`: the part of Nunjucks that puts a value in its place, and nothing that computes."""

import json
import re
from collections.abc import Mapping

from msgspec import Struct

from ownkey.workbench.suites.imports.model import SuiteRejected, quoted
from ownkey.workbench.suites.imports.nodes import Node, Plain, written

_OPENING = re.compile(r"\{\{|\{%|\{#")
_PATH = re.compile(r"\s*([A-Za-z_$][\w$]*(?:\.[\w$]+)*)\s*")
_CALL = re.compile(r"\s*[\w$.]+\s*\(")
_MOST_SHOWN = 8
_MOST_PLACES = 1_000

Values = Mapping[str, Node]


class Template(Struct, frozen=True):
    """A text in pieces: a `str` stands as it is, a tuple is the path of a variable. `node` is where it was written."""

    pieces: tuple[str | tuple[str, ...], ...]
    node: Node

    @property
    def is_plain(self) -> bool:
        return all(isinstance(piece, str) for piece in self.pieces)

    def filled(self, values: Values, most: int, where: str = "") -> str:
        """The text with the values in it.

        Raises:
            SuiteRejected: a variable has no value, or the text would be longer than `most` characters.
        """
        parts = [
            piece if isinstance(piece, str) else _looked_up(self.node, piece, values, where) for piece in self.pieces
        ]
        length = sum(map(len, parts))
        if length > most:
            raise self.node.refuse(
                f"With the variables{where} the text has {length:,} characters; at most {most:,} are accepted."
            )
        return "".join(parts)


def template(text: str, node: Node) -> Template:
    """Parse a text.

    Raises:
        SuiteRejected: a filter, a call, a statement, a comment, or an expression that is more than a dotted name.
    """
    pieces: list[str | tuple[str, ...]] = []
    at = places = 0
    while found := _OPENING.search(text, at):
        if found.start() > at:
            pieces.append(text[at : found.start()])
        if found.group() != "{{":
            raise _refused_block(text, found, node)
        end = text.find("}}", found.end())
        if end < 0:
            raise node.refuse(
                f"The “{{{{” before {quoted(text[found.end() : found.end() + 20])} is never closed with “}}}}”."
            )
        pieces.append(_path(text[found.end() : end], node))
        places += 1
        if places > _MOST_PLACES:
            raise node.refuse(f"The text has more than {_MOST_PLACES:,} variables in it.")
        at = end + 2
    if at < len(text):
        pieces.append(text[at:])
    return Template(tuple(pieces), node)


def _path(expression: str, node: Node) -> tuple[str, ...]:
    found = _PATH.fullmatch(expression)
    if found is None:
        raise node.refuse(
            f"The template {quoted('{{' + expression + '}}')} {_fault(expression)}. "
            "Only {{name}} and {{name.field}} are understood; write the result into a variable."
        )
    names = tuple(found.group(1).split("."))
    if names[0] == "env":
        raise node.refuse(
            "{{env.…}} would read the server's environment and is not accepted; write the value into vars."
        )
    return names


def _fault(expression: str) -> str:
    if "|" in expression:
        return f"uses the filter {quoted(expression.split('|')[1].strip().split('(')[0])}"
    if _CALL.match(expression):
        return "calls a function"
    if expression.startswith("-") or expression.endswith("-"):
        return "cuts the blanks around it (“-”)"
    return "is empty" if not expression.strip() else "is an expression"


def _refused_block(text: str, found: re.Match[str], node: Node) -> SuiteRejected:
    if found.group() == "{#":
        return node.refuse("A template comment {# … #} is not understood; remove it.")
    words = text[found.end() : found.end() + 40].lstrip("- ").split()
    name = words[0] if words else "%}"
    return node.refuse(
        f"The template statement {quoted('{% ' + name + ' %}')} is not understood; "
        "write each case as a test of its own."
    )


def _looked_up(node: Node, path: tuple[str, ...], values: Values, where: str) -> str:
    name = ".".join(path)
    found = values.get(path[0])
    for step in path[1:]:
        found = found.value.get(step) if found is not None and isinstance(found.value, dict) else None
    if found is None or found.value is None:
        known = ", ".join(sorted(values)[:_MOST_SHOWN]) or "none"
        raise node.refuse(f"The variable {quoted(name)} has no value{where}; it knows: {known}.")
    return shown(found)


def shown(node: Node) -> str:
    """How a value stands in a text: numbers and truth values as JavaScript writes them, the rest as compact JSON."""
    value = node.value
    if isinstance(value, list | dict) or value is None:
        plain: Plain = node.plain()
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    return written(value)
