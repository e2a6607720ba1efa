"""Reading a request: a strict JSON object or form, then only the fields that planning and relaying need."""

from typing import Any, cast

from msgspec import Struct

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import Operation, WireFormat
from ownkey.gateway.edge.exchange import Request
from ownkey.gateway.edge.forms import Form, is_form, read_form
from ownkey.gateway.edge.media import check_json_body, check_not_encoded
from ownkey.gateway.edge.strict_json import read_object
from ownkey.gateway.query import wants_array
from ownkey.gateway.surfaces import Surface
from ownkey.wire import FORMATS

_MODEL_LIMIT = 256
"""Characters in a model name; longer ones are no model's."""


class Ask(Struct, frozen=True):
    """A request understood: `parsed` is the whole body, or the text fields of `form`.

    `wants_usage` is whether the client asked for a usage chunk. `previous_response_id` is set when the
    conversation it stood for was put in its place.
    """

    format: WireFormat
    model: str
    stream: bool
    wants_usage: bool
    max_tokens: int | None
    credential: str | None
    body: bytes
    parsed: dict[str, Any]
    strict: bool = False
    """Whether the client wants an error where its request would have to be adapted for the provider."""
    as_array: bool = False
    """Whether the client takes a stream as a JSON array whose elements come one by one, not as events."""
    previous_response_id: str | None = None

    @property
    def asked(self) -> dict[str, Any]:
        """The body as an answer repeats it."""
        if self.previous_response_id is None:
            return self.parsed
        return self.parsed | {"previous_response_id": self.previous_response_id}

    form: Form | None = None

    @property
    def choices(self) -> int:
        """How many answers are asked for."""
        config = self.parsed.get("generationConfig")
        asked = [self.parsed.get("n"), self.parsed.get("best_of")]
        if isinstance(config, dict):
            asked.append(cast("dict[str, Any]", config).get("candidateCount"))
        return max([count for count in asked if isinstance(count, int)], default=1)

    @property
    def estimated_input_tokens(self) -> int:
        """A guess from the size, four bytes a token, for when the provider reports nothing.

        Of a form only the texts count: nobody knows what a file comes to. Counting tokens uses none.
        """
        if self.format.operation is Operation.COUNT_TOKENS:
            return 0
        return (len(self.body) if self.form is None else self.form.text_size) // 4


def read_request(request: Request, surface: Surface) -> Ask:
    """Read the body. Raises InvalidRequest (with the field's name) or UnsupportedMediaType."""
    format_ = surface.format
    form = None
    kind = request.header(b"content-type")
    if FORMATS[format_].multipart and kind is not None and is_form(kind):
        check_not_encoded(request)
        form = read_form(kind, request.body)
        parsed = form.fields
    else:
        check_json_body(request)
        parsed = read_object(request.body)
    outline = FORMATS[format_].outline(parsed)
    model = outline.model if surface.model is None else surface.model
    stream = outline.stream if surface.stream is None else surface.stream
    _check_model_name(model)
    selector = request.header(b"x-ownkey-credential")
    return Ask(
        format=format_,
        model=model,
        stream=stream,
        wants_usage=_wants_usage(parsed),
        max_tokens=outline.max_tokens,
        credential=_text(selector) if selector else None,
        body=request.body,
        parsed=parsed,
        strict=_is_strict(request),
        as_array=surface.stream is True and wants_array(request.raw_query),
        form=form,
    )


def _check_model_name(model: str) -> None:
    if not model:
        raise InvalidRequest("`model` is empty: name a model such as openai/gpt-5-mini.", param="model")
    if len(model) > _MODEL_LIMIT or not model.isprintable():
        text = f"`model` is longer than {_MODEL_LIMIT} characters or holds control characters."
        raise InvalidRequest(text, param="model")


def _wants_usage(parsed: dict[str, Any]) -> bool:
    options = parsed.get("stream_options")
    if options is None:
        return False
    if not isinstance(options, dict):
        raise InvalidRequest("`stream_options` must be an object.", param="stream_options")
    return options.get("include_usage") is True  # pyright: ignore[reportUnknownMemberType]


def _is_strict(request: Request) -> bool:
    value = request.header(b"x-ownkey-strict")
    if value is None or value.lower() == b"false":
        return False
    if value.lower() == b"true":
        return True
    raise InvalidRequest("The header x-ownkey-strict must be true or false.", param="x-ownkey-strict")


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest("The header x-ownkey-credential is not UTF-8.") from None
