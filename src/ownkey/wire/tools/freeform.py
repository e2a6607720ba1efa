"""A free-form tool as a function with one text field, and the text in its calls, whole and while it streams.

Models that were not trained on free-form tools call functions alone, so the text travels as `{"input": "…"}`.
"""

import re
from typing import Any, cast

import msgspec
from msgspec import structs

from ownkey.wire.fields import encode
from ownkey.wire.neutral import Freeform, Tool

FIELD = "input"
_OPENING = re.compile(r'\s*\{\s*"input"\s*:\s*"').match
_PIECE = re.compile(r'[^"\\]+|\\u[0-9a-fA-F]{4}|\\[^u]', re.DOTALL).match
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL).sub
_PLAIN = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "/": "/"}
_ANY = msgspec.json.Decoder()


def as_function(tool: Tool, freeform: Freeform) -> Tool:
    """The same tool as a function whose one parameter is the text."""
    told = "The whole input of the tool, as plain text."
    description = tool.description
    if freeform.definition is not None:
        grammar = f"The text in `{FIELD}` must follow this {freeform.syntax or 'lark'} grammar:\n{freeform.definition}"
        description = f"{description}\n\n{grammar}" if description else grammar
    parameters = {
        "type": "object",
        "properties": {FIELD: {"type": "string", "description": told}},
        "required": [FIELD],
        "additionalProperties": False,
    }
    return structs.replace(tool, description=description, parameters=parameters, strict=None, freeform=None)


def as_arguments(text: str) -> str:
    """The arguments of the function that stands for the tool. Raises InvalidRequest for a lone surrogate."""
    return encode({FIELD: text}).decode()


def text_of(arguments: str) -> str:
    """The text in a call's whole arguments; whatever a model wrote instead of them is the text itself."""
    decoder = InputDecoder()
    return decoder.feed(arguments) + decoder.finish()


class InputDecoder:
    """Decodes the text of one call as its arguments come."""

    __slots__ = ("_closed", "_opened", "_rest")

    def __init__(self) -> None:
        self._rest = ""
        self._opened = False
        self._closed = False

    def feed(self, piece: str) -> str:
        """The further text that `piece` completes."""
        if self._closed:
            return ""
        self._rest += piece
        if not self._opened:
            opening = _OPENING(self._rest)
            if opening is None:
                return ""
            self._opened = True
            self._rest = self._rest[opening.end() :]
        return self._decode()

    def _decode(self) -> str:
        """All of `_rest` up to the closing quote, or to an escape that is not complete."""
        rest, end, high = self._rest, 0, False
        before = 0
        while (found := _PIECE(rest, end)) is not None:
            token = found[0]
            if not high:
                before = end
            high = token[:2] == "\\u" and token[2:4].lower() in ("d8", "d9", "da", "db")
            end = found.end()
        self._closed = rest[end : end + 1] == '"'
        if high and not self._closed:
            # The second half of a surrogate pair is still to come.
            end = before
        self._rest = rest[end:]
        return _unescaped(rest[:end])

    def finish(self) -> str:
        """The text of arguments in another form than was asked for; nothing is left of the right one."""
        if self._opened:
            return ""
        try:
            value: object = _ANY.decode(self._rest.encode("utf-8", "replace"))
        except (msgspec.DecodeError, RecursionError):
            return self._rest
        if isinstance(value, dict):
            fields = cast("dict[str, Any]", value)
            value = fields.get(FIELD, next(iter(fields.values()), "") if len(fields) < 2 else None)
        return value if isinstance(value, str) else self._rest


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    plain = _ESCAPE(_character, text)
    if plain.isascii():
        return plain
    # Halves of pairs become one character, a half without the other the mark for what cannot be shown.
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _character(escape: re.Match[str]) -> str:
    if escape[1] is not None:
        return chr(int(escape[1], 16))
    return _PLAIN.get(escape[2], escape[0])
