"""JSON with the place of every value (RFC 8259, strictly).

The standard decoder gives no positions, keeps the last of two equal keys, accepts NaN and recurses as deep as the file
does. This one has its own stack, so its depth is a limit and not the interpreter's (decision 12).
"""

import re
from collections.abc import Callable
from json import JSONDecodeError, JSONDecoder

from ownkey.workbench.suites.imports.decoding import LineTable
from ownkey.workbench.suites.imports.model import ImportLimits, SuiteRejected, quoted, refused
from ownkey.workbench.suites.imports.nodes import Node, storable

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORD = re.compile(r"[^\s,:\[\]{}\"]+")
_TEXTS = JSONDecoder()
_WORDS = {"true": True, "false": False, "null": None}

MOST_DIGITS = 19
"""More digits than a 64-bit integer has are an error: an id that should be a text, or an attack on the parser."""

_Place = Callable[[int], tuple[int, int]]


class _Open:
    """A list or object that is not closed yet; `key` is the one whose value is awaited."""

    __slots__ = ("holder", "key", "node")

    def __init__(self, node: Node, holder: "list[Node] | dict[str, Node]") -> None:
        self.node, self.holder, self.key = node, holder, ""


def json_document(text: str, limits: ImportLimits) -> Node:
    """One JSON value that fills the whole text."""
    return _Parser(text, LineTable(text).at, limits).document()


def json_line(text: str, line: int, limits: ImportLimits) -> Node:
    """One JSON value on one line of a larger file."""
    return _Parser(text, lambda offset: (line, offset + 1), limits).document()


class _Parser:
    def __init__(self, text: str, place: _Place, limits: ImportLimits) -> None:
        self._text, self._place, self._limits = text, place, limits
        self._at = 0
        self._nodes = 0
        self._open: list[_Open] = []

    def document(self) -> Node:
        self._skip()
        root = self._value()
        while self._open:
            self._step()
        self._skip()
        if self._at < len(self._text):
            raise self._wrong("more text after the end of the value; JSON lines need the ending .jsonl")
        return root

    def _step(self) -> None:
        """Read on in the innermost open list or object: one value, or its end."""
        frame = self._open[-1]
        holder = frame.holder
        end = "}" if isinstance(holder, dict) else "]"
        self._skip()
        if self._peek() == end:
            self._at += 1
            self._open.pop()
            return
        if holder:
            self._expect(",", f"“,” or “{end}” is missing")
            self._skip()
        if isinstance(holder, dict):
            key = self._key(holder)
            holder[key] = self._value()
        else:
            holder.append(self._value())

    def _key(self, holder: dict[str, Node]) -> str:
        start = self._at
        if self._peek() != '"':
            raise self._wrong("a key in double quotes is missing")
        key = self._string()
        if key in holder:
            raise self._refused(
                start, f"The key {quoted(key)} is here twice; its first value is in line {holder[key].line}."
            )
        self._skip()
        self._expect(":", f"“:” is missing after the key {quoted(key)}")
        self._skip()
        return key

    def _value(self) -> Node:
        self._nodes += 1
        if self._nodes > self._limits.max_nodes:
            raise self._refused(self._at, f"The file holds more than {self._limits.max_nodes:,} values; split it.")
        line, column = self._place(self._at)
        match self._peek():
            case '"':
                return Node(self._string(), line, column)
            case "[":
                items: list[Node] = []
                return self._opened(Node(items, line, column), items)
            case "{":
                fields: dict[str, Node] = {}
                return self._opened(Node(fields, line, column), fields)
            case _:
                return Node(self._plain(), line, column)

    def _opened(self, node: Node, holder: "list[Node] | dict[str, Node]") -> Node:
        if len(self._open) >= self._limits.max_depth:
            raise self._refused(
                self._at,
                f"Lists and objects stand more than {self._limits.max_depth} deep in each other; flatten them.",
            )
        self._at += 1
        self._open.append(_Open(node, holder))
        return node

    def _plain(self) -> int | float | bool | None:
        found = _WORD.match(self._text, self._at)
        if found is None:
            raise self._wrong("a value is missing")
        word = found.group()
        if word in _WORDS:
            self._at = found.end()
            return _WORDS[word]
        number = _NUMBER.fullmatch(word)
        if number is None:
            raise self._wrong(f"{quoted(word)} is not a JSON value; a text needs double quotes")
        if len(word) > MOST_DIGITS + 12 or (
            not number.group(1) and not number.group(2) and len(word) > MOST_DIGITS + 1
        ):
            raise self._refused(self._at, "The number has too many digits; put it in quotes as a text.")
        value = float(word) if number.group(1) or number.group(2) else int(word)
        if value in (float("inf"), float("-inf")):
            raise self._refused(self._at, f"The number {quoted(word)} is too large.")
        self._at = found.end()
        return value

    def _string(self) -> str:
        start = self._at
        try:
            text, self._at = _TEXTS.raw_decode(self._text, start)
        except JSONDecodeError as error:
            if error.msg.startswith("Unterminated"):
                raise self._refused(
                    start, "The JSON is not valid: the text that begins here has no end quote."
                ) from None
            self._at = error.pos
            raise self._wrong(
                "a line break or another control character, or an escape, that a text cannot hold"
            ) from None
        return storable(text, *self._place(start))

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        if found is not None:
            self._at = found.end()

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _expect(self, sign: str, message: str) -> None:
        if self._peek() != sign:
            raise self._wrong(message)
        self._at += 1

    def _wrong(self, message: str) -> SuiteRejected:
        where = "the file or line ends here, and " if self._at >= len(self._text) else ""
        return self._refused(self._at, f"The JSON is not valid: {where}{message}.")

    def _refused(self, offset: int, message: str) -> SuiteRejected:
        return refused(*self._place(offset), message)
