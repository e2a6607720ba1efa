"""Reading untrusted JSON into typed shapes, with errors that name the field, and writing JSON."""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from ownkey.domain.errors import InvalidRequest, UnsupportedField
from ownkey.wire.errors import MalformedAnswer, encodable

T = TypeVar("T")

MAX_TOKENS = 10_000_000
"""No model writes more; a larger number is a mistake and would spoil the arithmetic of reservations."""

Unit = Annotated[float, Meta(ge=0, le=1)]
Temperature = Annotated[float, Meta(ge=0, le=2)]
TokenLimit = Annotated[int, Meta(ge=1, le=MAX_TOKENS)]
Count = Annotated[int, Meta(ge=0, le=10**12)] | Annotated[float, Meta(ge=0, le=1e12)]
"""A number of tokens as a provider reports it; some send floats."""

_ENCODE = msgspec.json.Encoder().encode
_WHERE = re.compile(r" - at `\$\.?(.*)`$", re.DOTALL)
_EMPTY = "Expected `array` of length >= 1"
_MISSING = re.compile(r"missing required field `(.*)`", re.DOTALL)


def read_request(body: dict[str, Any], shape: type[T]) -> T:
    """`body` as `shape`. Raises InvalidRequest naming the field, UnsupportedField for an unknown kind of part."""
    try:
        return msgspec.convert(body, shape)
    except msgspec.ValidationError as error:
        raise _named(str(error)) from None
    except (ValueError, OverflowError, RecursionError) as error:
        raise InvalidRequest("The request holds a value that cannot be read.", operator=str(error)[:500]) from None


def _named(text: str) -> InvalidRequest:
    """msgspec's message, with the field's path taken apart from the reason."""
    text = encodable(text)
    where = _WHERE.search(text)
    path = where.group(1) if where else ""
    reason = text[: where.start()] if where else text
    missing = _MISSING.search(reason)
    if missing:
        path = f"{path}.{missing.group(1)}" if path else missing.group(1)
        return InvalidRequest(f"{path} is missing.", param=path)
    if reason == _EMPTY:
        return InvalidRequest(f"{path} is empty: send at least one entry.", param=path)
    reason = reason if len(reason) <= 300 else reason[:300] + "…"
    if reason.startswith("Invalid value") and path.endswith(".type"):
        kind = reason.removeprefix("Invalid value ")
        return UnsupportedField(f"{path}: the kind {kind} cannot be translated for the chosen provider.", param=path)
    return InvalidRequest(f"{path}: {reason}" if path else reason, param=path or None)


def leftovers(
    body: dict[str, Any], known: Iterable[str], required: frozenset[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The set fields of `body` that are not `known`: those in `required`, and the rest as hints."""
    rest = {name: value for name, value in body.items() if name not in known and value is not None and value != []}
    needed = {name: value for name, value in rest.items() if name in required}
    return needed, {name: value for name, value in rest.items() if name not in required}


def encode(value: object) -> bytes:
    """JSON for a provider. Raises InvalidRequest where a text holds a lone surrogate or nests too deeply."""
    try:
        return _ENCODE(value)
    except UnicodeEncodeError:
        raise InvalidRequest("The request holds a text with a lone surrogate, which has no UTF-8 form.") from None
    except (ValueError, OverflowError, RecursionError) as error:
        raise InvalidRequest("The request holds a value that cannot be sent.", operator=str(error)[:500]) from None


def decode(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """A provider's JSON. Raises MalformedAnswer."""
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise MalformedAnswer(str(error)[:500]) from None


def decode_or_none(decoder: msgspec.json.Decoder[T], data: bytes) -> T | None:
    """As `decode`, with None for what cannot be read."""
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def unsupported(param: str, why: str) -> UnsupportedField:
    """The error whose text begins with `param` and ends with `why`."""
    return UnsupportedField(f"{param} {why}", param=param)


def refuse_required(required: dict[str, Any]) -> None:
    """Raise UnsupportedField when the source's own format is needed."""
    for name in required:
        raise unsupported(name, "cannot be expressed in the format of the chosen provider.")


def object_text(value: object) -> str:
    """A tool's input as JSON text."""
    return encode(value).decode()


_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def object_raw(text: str) -> msgspec.Raw:
    """A model's arguments as a JSON object.

    Text that is no JSON object is wrapped as `{"INVALID_JSON": text}`, as Anthropic's documentation of
    fine-grained tool streaming recommends.
    """
    if not text.strip():
        return msgspec.Raw(b"{}")
    data = encode_text(text)
    try:
        _OBJECT.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return msgspec.Raw(encode({"INVALID_JSON": text}))
    return msgspec.Raw(data)


def encode_text(text: str) -> bytes:
    """UTF-8 of `text`. Raises InvalidRequest for a lone surrogate."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidRequest("The request holds a text with a lone surrogate, which has no UTF-8 form.") from None


_MEDIA_ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "application/x-pdf": "application/pdf",
}
"""Names that clients write and vendors refuse, with the registered ones (iana.org/assignments/media-types)."""


def media_type_of(text: str) -> str:
    """A media type as the vendors write it: in lower case and under its registered name."""
    plain = text.strip().lower()
    return _MEDIA_ALIASES.get(plain, plain)


_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ABSENT = msgspec.UNSET


def splice(body: bytes, parsed: dict[str, Any], changes: Mapping[str, Any]) -> bytes:
    """`body` with the fields in `changes` set, or removed where the value is UNSET; `parsed` is the same body decoded.

    Returns `body` itself when nothing differs. The values of all other fields stay byte for byte;
    only the white space between top-level fields goes. Raises InvalidRequest.
    """
    differing = {name: value for name, value in changes.items() if not _same(parsed.get(name, _ABSENT), value)}
    if not differing:
        return body
    try:
        fields: dict[str, Any] = dict(_RAW.decode(body))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidRequest("The request body is not a JSON object.", operator=str(error)[:500]) from None
    for name, value in differing.items():
        if value is msgspec.UNSET:
            del fields[name]
        else:
            fields[name] = value
    return encode(fields)


def _same(old: object, new: object) -> bool:
    """Equal and of one type: 1, 1.0 and true differ in JSON."""
    return type(old) is type(new) and old == new
