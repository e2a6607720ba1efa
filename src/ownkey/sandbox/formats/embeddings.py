"""OpenAI's and Gemini's embeddings: unit vectors, equal for equal texts and near for texts that share words.

Feature hashing (https://en.wikipedia.org/wiki/Feature_hashing): each word adds ±1 at a few places that its
hash chooses, and the sum is scaled to length 1. The cosine of two texts is then about the share of words in common.
"""

import re
import struct
from base64 import b64encode
from functools import lru_cache
from hashlib import shake_128
from math import sqrt
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.sandbox import tokens
from ownkey.sandbox.behaviours import reply_to
from ownkey.sandbox.chat import ChatRequest
from ownkey.sandbox.exchange import Answer, Context
from ownkey.sandbox.faults import finish_answer
from ownkey.sandbox.formats.gemini import asked_model
from ownkey.sandbox.formats.gemini_request import Content, read_spelled
from ownkey.sandbox.reading import check_range, deployment, invalid, missing, read_json

_WORD = re.compile(r"\w+|[^\w\s]")
_PLACES = 16
"""How many dimensions a word touches: the more, the less chance matters."""


def vector(text: str | tuple[int, ...], dimensions: int) -> list[float]:
    """A unit vector in single precision, of a text or of token numbers."""
    return unpack(packed(text, dimensions))


def packed(text: str | tuple[int, ...], dimensions: int) -> bytes:
    """The same, as little-endian floats of four bytes."""
    words = _WORD.findall(text.lower()) if isinstance(text, str) else [f"#{number}" for number in text]
    sums = [0.0] * dimensions
    for word in words or [repr(text)]:
        for place, sign in _places(word):
            sums[place % dimensions] += sign
    if not any(sums):
        sums[len(words) % dimensions] = 1.0
    length = sqrt(sum(value * value for value in sums))
    return struct.pack(f"<{dimensions}f", *(value / length for value in sums))


def unpack(data: bytes) -> list[float]:
    """The values as single precision has them."""
    return list(struct.unpack(f"<{len(data) // 4}f", data))


@lru_cache(maxsize=8192)
def _places(word: str) -> tuple[tuple[int, float], ...]:
    """(place, sign): texts say the same words again and again."""
    numbers = struct.unpack(f"<{_PLACES}I", shake_128(word.encode()).digest(4 * _PLACES))
    return tuple((number >> 1, 1.0 if number & 1 else -1.0) for number in numbers)


_OPENAI_DIMENSIONS = 1536
MOST_INPUTS = 2048


class _Body(Struct):
    """`input` is read loosely: msgspec has no union of lists."""

    model: str | None = None
    input: str | list[str | int | list[int]] | None = None
    dimensions: int | None = None
    encoding_format: str | None = None


_DECODER = msgspec.json.Decoder(_Body)


def openai_embed(context: Context) -> Answer:
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
    reply = reply_to(
        ChatRequest(model=model, prompt="", prompt_tokens=0, input_tokens=size), context.plan.key, context.state
    )
    dimensions = body.dimensions or _OPENAI_DIMENSIONS
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


_GEMINI_DIMENSIONS = 3072
MOST_REQUESTS = 100


class _GeminiRequest(Struct, rename="camel"):
    content: Content | None = None
    model: str | None = None
    output_dimensionality: int | None = None


class _GeminiBatch(Struct):
    requests: list[_GeminiRequest] | None = None


_SINGLE = msgspec.json.Decoder(_GeminiRequest)
_BATCH = msgspec.json.Decoder(_GeminiBatch)


def gemini_embed(context: Context) -> Answer:
    """POST …/models/<model>:embedContent."""
    vectors, usage = _gemini_vectors(context, [read_spelled(context.request.body, _SINGLE)])
    return _gemini_answer(context, {"embedding": vectors[0], "usageMetadata": usage}, usage)


def gemini_batch_embed(context: Context) -> Answer:
    """POST …/models/<model>:batchEmbedContents. Every request must name the model of the path."""
    requests = read_spelled(context.request.body, _BATCH).requests or []
    if not requests:
        raise invalid("requests", "* BatchEmbedContentsRequest.requests: requests must not be empty\n", None)
    if len(requests) > MOST_REQUESTS:
        text = "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n"
        raise invalid("requests", text, None)
    name = f"models/{asked_model(context)[0]}"
    for index, request in enumerate(requests):
        if request.model != name:
            text = f"* BatchEmbedContentsRequest.requests[{index}].model: model must match the one of the batch\n"
            raise invalid("requests", text, None)
    vectors, usage = _gemini_vectors(context, requests)
    return _gemini_answer(context, {"embeddings": vectors, "usageMetadata": usage}, usage)


def _gemini_vectors(context: Context, requests: list[_GeminiRequest]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    vectors: list[dict[str, Any]] = []
    size = 0
    for request in requests:
        check_range("output_dimensionality", request.output_dimensionality, 1, 3072)
        text = "".join(part.text or "" for part in (request.content.parts if request.content else None) or ())
        if not text:
            raise invalid("content", "* EmbedContentRequest.content: content is empty\n", None)
        size += tokens.count(text)
        vectors.append({"values": vector(text, request.output_dimensionality or _GEMINI_DIMENSIONS)})
    return vectors, {"promptTokenCount": size, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": size}]}


def _gemini_answer(context: Context, body: dict[str, Any], usage: dict[str, Any]) -> Answer:
    """The models that fail do so here too."""
    chat = ChatRequest(
        model=asked_model(context)[0], prompt="", prompt_tokens=0, input_tokens=usage["promptTokenCount"]
    )
    reply = reply_to(chat, context.plan.key, context.state)
    answer = Answer(200, context.head(), msgspec.json.encode(body), delay=context.delay(reply))
    return finish_answer(answer, reply)
