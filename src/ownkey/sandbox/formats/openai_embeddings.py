"""OpenAI embeddings: unit vectors that depend on the text alone."""

from base64 import b64encode

import msgspec
from msgspec import Struct

from ownkey.sandbox import tokens
from ownkey.sandbox.behaviours import reply_to
from ownkey.sandbox.context import Context
from ownkey.sandbox.embedding import packed, unpack
from ownkey.sandbox.exchange import Answer
from ownkey.sandbox.faults import finish_answer
from ownkey.sandbox.formats.azure_paths import deployment
from ownkey.sandbox.reading import check_range, invalid, missing, read_json
from ownkey.sandbox.turn import Ask

DEFAULT_DIMENSIONS = 1536
MOST_INPUTS = 2048


class _Body(Struct):
    """`input` is read loosely: msgspec has no union of lists."""

    model: str | None = None
    input: str | list[str | int | list[int]] | None = None
    dimensions: int | None = None
    encoding_format: str | None = None


_DECODER = msgspec.json.Decoder(_Body)


def embeddings(context: Context) -> Answer:
    """POST …/embeddings. The models that fail do so here too."""
    body = read_json(context.request.body, _DECODER)
    model = deployment(context) or body.model
    if not model:
        raise invalid("model", "you must provide a model parameter", None)
    if body.input is None:
        raise missing("input")
    check_range("dimensions", body.dimensions, 1, 4096)
    wanted = body.encoding_format or "float"
    if wanted not in ("float", "base64"):
        text = f"Invalid value: '{wanted}'. Supported values are: 'float' and 'base64'."
        raise invalid("encoding_format", text)
    inputs = _inputs(body.input)
    size = sum(tokens.count(item) if isinstance(item, str) else len(item) for item in inputs)
    reply = reply_to(Ask(model=model, prompt="", prompt_tokens=0, input_tokens=size), context.plan.key, context.scene)
    dimensions = body.dimensions or DEFAULT_DIMENSIONS
    data: list[dict[str, object]] = []
    for index, item in enumerate(inputs):
        floats = packed(item, dimensions)
        value = b64encode(floats).decode() if wanted == "base64" else unpack(floats)
        data.append({"object": "embedding", "index": index, "embedding": value})
    answer = Answer(
        200,
        context.head(),
        msgspec.json.encode(
            {
                "object": "list",
                "data": data,
                "model": model,
                "usage": {"prompt_tokens": size, "total_tokens": size},
            }
        ),
        delay=context.delay(reply),
    )
    return finish_answer(answer, reply)


def _inputs(given: str | list[str | int | list[int]]) -> list[str | tuple[int, ...]]:
    """Every text or token list to embed; one list of integers is one input."""
    if isinstance(given, str):
        given = [given]
    if given and all(isinstance(item, int) for item in given):
        return [tuple(item for item in given if isinstance(item, int))]
    inputs: list[str | tuple[int, ...]] = []
    for item in given:
        if isinstance(item, int) or not item:
            raise invalid("input", "'$.input' is invalid. Please check the API reference.", None)
        inputs.append(item if isinstance(item, str) else tuple(item))
    if not inputs:
        raise invalid("input", "'$.input' is invalid: it must not be empty.", None)
    if len(inputs) > MOST_INPUTS:
        text = f"'$.input' is invalid: expected at most {MOST_INPUTS} items, but got {len(inputs)}."
        raise invalid("input", text, "array_above_max_length")
    return inputs
