"""Reading request bodies: JSON into typed structs, with complaints as the vendors word them."""

import re
from typing import TypeVar

import msgspec

from ownkey.sandbox.errors import Problem, Refused

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
