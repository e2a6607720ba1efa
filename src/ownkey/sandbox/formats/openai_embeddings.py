"""OpenAI embeddings: a unit vector that depends on the text alone."""

import struct
from base64 import b64encode
from hashlib import shake_128
from math import sqrt

import msgspec
from msgspec import Struct

from ownkey.sandbox import tokens
from ownkey.sandbox.behaviour import Ask, Fault, reply_to
from ownkey.sandbox.context import Context
from ownkey.sandbox.exchange import Answer
from ownkey.sandbox.faults import spoil_answer
from ownkey.sandbox.formats.azure_paths import deployment
from ownkey.sandbox.reading import check_range, invalid, missing, read_json

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
        packed = _pack(_vector(item, dimensions))
        value = b64encode(packed).decode() if wanted == "base64" else _unpack(packed)
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
        delay=context.pace(reply.delay).due(0),
    )
    return spoil_answer(answer, reply.fault) if reply.fault in (Fault.CUT, Fault.GARBAGE) else answer


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


def _vector(item: str | tuple[int, ...], dimensions: int) -> list[float]:
    seed = item.encode() if isinstance(item, str) else repr(item).encode()
    raw = struct.unpack(f"<{dimensions}h", shake_128(seed).digest(2 * dimensions))
    length = sqrt(sum(value * value for value in raw)) or 1.0
    return [value / length for value in raw]


def unit_vector(text: str, dimensions: int) -> list[float]:
    """The vector of a text, in single precision."""
    return _unpack(_pack(_vector(text, dimensions)))


def _pack(vector: list[float]) -> bytes:
    return struct.pack(f"<{len(vector)}f", *vector)


def _unpack(packed: bytes) -> list[float]:
    """The values as single precision has them, so that both encodings say the same."""
    return list(struct.unpack(f"<{len(packed) // 4}f", packed))
