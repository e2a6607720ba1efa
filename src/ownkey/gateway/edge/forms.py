"""One multipart/form-data body (RFC 7578), strictly: every byte belongs to exactly one part or delimiter.

A gateway reads a form once and the upstream reads it again. What two readers could take differently (a
delimiter behind a bare line feed, a preamble, a repeated or encoded name, a folded header) is refused, so
that the model which was planned for is the model that is called. Files are not looked into, and nothing is
copied but the text fields.
"""

import re
from typing import Any

from msgspec import Struct

from ownkey.domain.errors import InvalidRequest

MAX_PARTS = 256
MAX_PART_HEAD = 8 * 1024
"""Bytes of one part's header fields."""
MAX_TEXT = 1024 * 1024
"""Bytes of one field that is no file."""
_MAX_NAME = 128
_SINGLE = frozenset({"model", "stream"})
"""Fields that decide where a request goes and how it is answered: once, spelt just so, and no files."""

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_VALUE = rb'"(?:[^"\\\x00-\x1f\x7f]|\\["\\])*"|' + _TOKEN
_HEADER = re.compile(rb"(Content-" + _TOKEN + rb"):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)", re.IGNORECASE)
"""Parts have no other headers: one more is the sign of a name that was put in unescaped."""
_PARAMETER = re.compile(rb"[ \t]*;[ \t]*(" + _TOKEN + rb")=(" + _VALUE + rb")")
_DISPOSITION = re.compile(rb"form-data((?:" + _PARAMETER.pattern + rb")*)[ \t]*;?[ \t]*", re.IGNORECASE)
_CONTENT_TYPE = re.compile(rb"multipart/form-data((?:" + _PARAMETER.pattern + rb")*)[ \t]*;?[ \t]*", re.IGNORECASE)
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_PLAIN_ENCODINGS = frozenset({b"7bit", b"8bit", b"binary"})


class Form(Struct, frozen=True):
    """A form understood: `fields` are its texts by name, those that occur more than once as lists."""

    content_type: bytes
    fields: dict[str, Any]
    text_size: int
    """Bytes of all text fields."""
    model: tuple[int, int] | None
    """Where the value of `model` stands in the body."""

    def with_model(self, body: bytes, model: str) -> bytes:
        """`body` with another model; every other byte stays. Only for a form that has the field."""
        if self.model is None:
            raise InvalidRequest("model is missing.", param="model")
        start, end = self.model
        return b"".join((body[:start], model.encode(), body[end:]))


def is_form(content_type: bytes | None) -> bool:
    """Whether a body is announced as a form, well or badly."""
    return content_type is not None and content_type[:19].lower() == b"multipart/form-data"


def read_form(content_type: bytes, body: bytes) -> Form:
    """Read `body`. Raises InvalidRequest with a text for the client. Time and memory are linear in the body."""
    delimiter = b"--" + _boundary(content_type)
    if not body.startswith(delimiter + b"\r\n"):
        raise InvalidRequest("The form must begin with its boundary, as the content type names it.")
    fields: dict[str, Any] = {}
    text_size, model, parts = 0, None, 0
    at, more = len(delimiter) + 2, True
    while more:
        parts += 1
        if parts > MAX_PARTS:
            raise InvalidRequest(f"The form has more than {MAX_PARTS} parts.")
        name, is_file, start = _part_head(body, at)
        end, at, more = _part_end(body, start, delimiter)
        _check_name(name, is_file, fields)
        if is_file:
            continue
        text_size += end - start
        _add(fields, name, body[start:end])
        if name == "model":
            model = (start, end)
    if body[at:] not in (b"", b"\r\n"):
        raise InvalidRequest("The form goes on after its last boundary.")
    if body.count(delimiter) != parts + 1:
        raise InvalidRequest("The form's boundary occurs inside a part: choose one that does not.")
    return Form(content_type, fields, text_size, model)


def _boundary(content_type: bytes) -> bytes:
    found = _CONTENT_TYPE.fullmatch(content_type)
    if found is None:
        raise InvalidRequest("The content type of the form is malformed.")
    boundary = _parameters(found.group(1)).get(b"boundary", b"")
    if _BOUNDARY.fullmatch(boundary) is None:
        raise InvalidRequest("The content type of the form names no valid boundary.")
    return boundary


def _parameters(text: bytes) -> dict[bytes, bytes]:
    """Parameters by lower-case name. A repeated one is refused: readers choose either."""
    found: dict[bytes, bytes] = {}
    for parameter in _PARAMETER.finditer(text):
        name, value = parameter.group(1).lower(), parameter.group(2)
        if name in found:
            raise InvalidRequest("The form has a header with a repeated parameter.")
        if value[:1] == b'"':
            value = value[1:-1]
        found[name] = value
    return found


def _part_head(body: bytes, at: int) -> tuple[str, bool, int]:
    """(name, whether it is a file, where its value starts) of the part that begins at `at`."""
    end = body.find(b"\r\n\r\n", at, at + MAX_PART_HEAD)
    if end < 0:
        raise InvalidRequest("The form has a part without a head, or with one that is too long or cut off.")
    headers: dict[bytes, bytes] = {}
    for line in body[at:end].split(b"\r\n"):
        header = _HEADER.fullmatch(line)
        if header is None:
            raise InvalidRequest("The form has a part with a malformed header, or one that forms do not have.")
        name = header.group(1).lower()
        if name in headers:
            raise InvalidRequest("The form has a part with a repeated header.")
        headers[name] = header.group(2).rstrip(b" \t")
    if headers.get(b"content-transfer-encoding", b"binary").lower() not in _PLAIN_ENCODINGS:
        raise InvalidRequest("The form has an encoded part: send its bytes as they are.")
    disposition = _DISPOSITION.fullmatch(headers.get(b"content-disposition", b""))
    parameters = _parameters(disposition.group(1)) if disposition is not None else {}
    if b"name" not in parameters or b"name*" in parameters:
        raise InvalidRequest("The form has a part without a plain name.")
    return _name(parameters[b"name"]), not parameters.keys().isdisjoint((b"filename", b"filename*")), end + 4


def _name(raw: bytes) -> str:
    if not raw or len(raw) > _MAX_NAME or b"\\" in raw:
        raise InvalidRequest("The form has a part whose name is empty, too long or holds a backslash.")
    return _text(raw, "The name of a part of the form")


def _part_end(body: bytes, start: int, delimiter: bytes) -> tuple[int, int, bool]:
    """(where the value ends, where the next part begins, whether there is one)."""
    end = body.find(b"\r\n" + delimiter, start)
    if end < 0:
        raise InvalidRequest("The form is cut off: its last boundary is missing.")
    after = end + 2 + len(delimiter)
    mark = body[after : after + 2]
    if mark not in (b"\r\n", b"--"):
        raise InvalidRequest("The form has a malformed boundary line.")
    return end, after + 2, mark == b"\r\n"


def _check_name(name: str, is_file: bool, fields: dict[str, Any]) -> None:
    plain = name.partition("[")[0].strip().lower()
    if plain not in _SINGLE:
        return
    if name != plain or is_file:
        raise InvalidRequest(f"The form's `{plain}` must be a plain field of that name.", param=plain)
    if name in fields:
        raise InvalidRequest(f"The form has more than one `{name}`.", param=name)


def _add(fields: dict[str, Any], name: str, value: bytes) -> None:
    if len(value) > MAX_TEXT:
        raise InvalidRequest(f"The form's field {name!r} is larger than {MAX_TEXT:,} bytes.", param=name)
    text = _text(value, f"The form's field {name!r}")
    before = fields.get(name)
    if before is None:
        fields[name] = text
    else:
        fields[name] = [*before, text] if isinstance(before, list) else [before, text]


def _text(raw: bytes, what: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{what} is not valid UTF-8.") from None
