"""Reading request bodies: JSON and multipart forms into typed structs, with errors worded as the vendors word them."""

import re
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote

import msgspec
from msgspec import Struct

from ownkey.sandbox.errors import Problem, Refused
from ownkey.sandbox.exchange import Context

Read = TypeVar("Read")

_COMPLAINT = re.compile(r"(?P<text>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?")
_WRONG_TYPE = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")


def read_json(body: bytes, decoder: "msgspec.json.Decoder[Read]", *, dotted: bool = False) -> Read:
    """The body as the decoder's type. Raises Refused: 400, `param` being the path of the offending field.

    Complaints are worded as OpenAI words them, or with `dotted` as Anthropic does: `messages.0.role: …`.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise Refused(_wrong_field(str(error), dotted=dotted)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text = (
            "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP "
            "library correctly. The API expects a JSON payload, but what was sent was not valid JSON.)"
        )
        raise Refused(Problem(status=400, message=text)) from error


def _wrong_field(complaint: str, *, dotted: bool) -> Problem:
    match = _COMPLAINT.fullmatch(complaint)
    text, path = (match["text"], match["path"]) if match else (complaint, None)
    wrong = _WRONG_TYPE.fullmatch(text)
    if path and dotted:
        path = path.replace("[", ".").replace("]", "")
    elif wrong and path:
        text = f"Invalid type for '{path}': expected {wrong[1]}, but got {wrong[2]} instead."
        return Problem(status=400, message=text, param=path, code="invalid_type")
    return Problem(status=400, message=f"{path}: {text}" if path else text, param=path or None)


def missing(param: str) -> Refused:
    """A required field is absent."""
    text = f"Missing required parameter: '{param}'."
    return Refused(Problem(status=400, message=text, param=param, code="missing_required_parameter"))


def invalid(param: str, text: str, code: str | None = "invalid_value") -> Refused:
    """A field has a value that cannot be served."""
    return Refused(Problem(status=400, message=text, param=param, code=code))


def check_range(param: str, value: float | None, low: float, high: float) -> None:
    """Raises Refused, in OpenAI's words, when `value` is below `low` or above `high`."""
    if value is None or low <= value <= high:
        return
    kind = "integer" if isinstance(value, int) else "decimal"
    side, short, sign, bound = (
        ("below minimum", "below_min", ">=", low) if value < low else ("above maximum", "above_max", "<=", high)
    )
    text = f"Invalid '{param}': {kind} {side} value. Expected a value {sign} {bound:g}, but got {value:g} instead."
    raise invalid(param, text, f"{kind}_{short}_value")


_BOUNDARY = re.compile(rb'boundary="?([^";]+)"?', re.IGNORECASE)
_NAME = re.compile(rb';\s*name="?([^";]*)"?', re.IGNORECASE)
_FILENAME = re.compile(rb';\s*filename="?([^";]*)"?', re.IGNORECASE)


class Upload(Struct, frozen=True):
    """A file in a form."""

    name: str
    data: bytes


class Form(Struct, frozen=True):
    """The text fields, the last of a name counting, and the files of each name in order."""

    fields: dict[str, Any]
    files: dict[str, list[Upload]]

    def uploads(self, *names: str) -> list[Upload]:
        """The files under any of these names."""
        return [upload for name in names for upload in self.files.get(name, ())]


def read_form(context: Context) -> Form:
    """The request's form. Raises Refused."""
    found = _BOUNDARY.search(context.request.head.headers.get(b"content-type", b""))
    if found is None:
        text = "Unsupported content type: this endpoint takes 'multipart/form-data' with a boundary."
        raise Refused(Problem(status=415, message=text, code="unsupported_content_type"))
    form = Form({}, {})
    _, *parts = (b"\r\n" + context.request.body).split(b"\r\n--" + found[1])
    if not parts or not parts[-1].startswith(b"--"):
        raise Refused(Problem(status=400, message="Could not parse multipart form: it is cut off."))
    for part in parts[:-1]:
        head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        named = _NAME.search(head)
        if named is None:
            raise Refused(Problem(status=400, message="Could not parse multipart form: a part has no name."))
        name = named[1].decode("utf-8", "replace")
        filename = _FILENAME.search(head)
        if filename is not None:
            form.files.setdefault(name, []).append(Upload(filename[1].decode("utf-8", "replace"), data))
        else:
            form.fields[name] = data.decode("utf-8", "replace")
    return form


def convert(form: Form, shape: "type[Read]") -> Read:
    """The text fields as `shape`. Raises Refused naming the field."""
    try:
        return msgspec.convert(form.fields, shape, strict=False)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$.")
        param = path.rstrip("`") or None
        raise Refused(Problem(status=400, message=text, param=param, code="invalid_type")) from error


def deployment(context: Context) -> str:
    """The deployment in one of Azure's older addresses, `openai/deployments/<name>/…?api-version=…`; else empty.

    Raises Refused when it names no version beside it."""
    _, found, after = context.plan.rest.partition("deployments/")
    if not found:
        return ""
    if not parse_qs(context.request.head.query.decode("latin-1")).get("api-version"):
        raise Refused(Problem(status=404, message="Resource not found", code="404"))
    return unquote(after.split("/", 1)[0])
