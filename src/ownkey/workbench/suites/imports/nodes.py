"""Values that know their place in a file."""

import re
from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from ownkey.workbench.suites.imports.model import ImportLimits, SuiteRejected, quoted, refused

Scalar: TypeAlias = "str | int | float | bool | None"
Plain: TypeAlias = "Scalar | list[Plain] | dict[str, Plain]"

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class Node(Struct, frozen=True, eq=False):
    """A scalar, a list or an object. `line` and `column` are where it begins, `column` None in tables."""

    value: "Scalar | list[Node] | dict[str, Node]"
    line: int
    column: int | None = None

    def refuse(self, message: str) -> SuiteRejected:
        return refused(self.line, self.column, message)

    @property
    def is_absent(self) -> bool:
        return self.value is None

    @property
    def kind(self) -> str:
        """The value's type in a reader's words."""
        match self.value:
            case str():
                return "a text"
            case bool():
                return "true or false"
            case None:
                return "nothing"
            case int() | float():
                return "a number"
            case list():
                return "a list"
            case dict():
                return "an object"

    def object(self, what: str) -> "dict[str, Node]":
        if not isinstance(self.value, dict):
            raise self.refuse(f"{what} must be an object with fields, and is {self.kind}.")
        return self.value

    def items(self, what: str) -> "list[Node]":
        if not isinstance(self.value, list):
            raise self.refuse(f"{what} must be a list, and is {self.kind}.")
        return self.value

    def text(self, what: str) -> str:
        if not isinstance(self.value, str):
            raise self.refuse(f"{what} must be a text, and is {self.kind}. Put it in quotes.")
        return self.value

    def written(self, what: str) -> str:
        """A text, or a number or truth value as JSON writes it."""
        if self.value is None or isinstance(self.value, list | dict):
            raise self.refuse(f"{what} must be a text or a number, and is {self.kind}.")
        return written(self.value)

    def number(self, what: str) -> float:
        """A finite number; a text is read as one."""
        value = self.value
        if isinstance(value, str) and re.fullmatch(r"[-+]?\d{1,15}(\.\d{1,15})?([eE][-+]?\d{1,2})?", value.strip()):
            return float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.refuse(f"{what} must be a number, and is {_shown(self)}.")
        return float(value)

    def flag(self, what: str) -> bool:
        if not isinstance(self.value, bool):
            raise self.refuse(f"{what} must be true or false, and is {_shown(self)}.")
        return self.value

    def plain(self) -> Plain:
        """The value without positions."""
        match self.value:
            case list():
                return [item.plain() for item in self.value]
            case dict():
                return {key: item.plain() for key, item in self.value.items()}
            case scalar:
                return scalar


def written(value: str | float | bool) -> str:
    """As JavaScript's String() writes it: `true`, and 5.0 as 5."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case number:
            return str(number)


def storable(text: str, line: int, column: int | None) -> str:
    """The text, if every database and encoder takes it: no NUL, no half of a surrogate pair."""
    found = _UNSTORABLE.search(text)
    if found is None:
        return text
    what = "a NUL character" if found.group() == "\0" else f"half of a surrogate pair (\\u{ord(found.group()):04x})"
    raise refused(line, column, f"The text holds {what}; remove it.")


def is_file(node: Node) -> bool:
    return isinstance(node.value, str) and node.value.strip().startswith("file://")


def _shown(node: Node) -> str:
    return f"{quoted(node.value)}" if isinstance(node.value, str) else node.kind


def as_items(node: Node) -> list[Node]:
    """A list's items, and a single value as the only one."""
    return node.value if isinstance(node.value, list) else [node]


def embedded(node: Node, text: str, read: Callable[[str, ImportLimits], Node], limits: ImportLimits, what: str) -> Node:
    """The value that a text holds, with every part placed where the text begins.

    Raises:
        SuiteRejected: it cannot be read; `what` names it.
    """
    try:
        return _placed(read(text, limits), node)
    except SuiteRejected as fault:
        raise node.refuse(f"{what}: {fault.problems[0].message}") from None


def _placed(inner: Node, at: Node) -> Node:
    match inner.value:
        case list():
            return Node([_placed(item, at) for item in inner.value], at.line, at.column)
        case dict():
            return Node({key: _placed(item, at) for key, item in inner.value.items()}, at.line, at.column)
        case value:
            return Node(value, at.line, at.column)
