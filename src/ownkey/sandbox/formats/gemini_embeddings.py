"""Gemini's embedContent and batchEmbedContents: a unit vector that depends on the text alone."""

from typing import Any

import msgspec
from msgspec import Struct

from ownkey.sandbox import tokens
from ownkey.sandbox.behaviours import reply_to
from ownkey.sandbox.context import Context
from ownkey.sandbox.embedding import vector
from ownkey.sandbox.exchange import Answer
from ownkey.sandbox.faults import finish_answer
from ownkey.sandbox.formats.gemini import asked_model
from ownkey.sandbox.formats.gemini_body import Content
from ownkey.sandbox.formats.gemini_spelling import read_spelled
from ownkey.sandbox.reading import check_range, invalid
from ownkey.sandbox.turn import Ask

DEFAULT_DIMENSIONS = 3072
MOST_REQUESTS = 100


class _Request(Struct, rename="camel"):
    content: Content | None = None
    model: str | None = None
    output_dimensionality: int | None = None


class _Batch(Struct):
    requests: list[_Request] | None = None


_SINGLE = msgspec.json.Decoder(_Request)
_BATCH = msgspec.json.Decoder(_Batch)


def embed(context: Context) -> Answer:
    """POST …/models/<model>:embedContent."""
    vectors, usage = _vectors(context, [read_spelled(context.request.body, _SINGLE)])
    return _answer(context, {"embedding": vectors[0], "usageMetadata": usage}, usage)


def batch_embed(context: Context) -> Answer:
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
    vectors, usage = _vectors(context, requests)
    return _answer(context, {"embeddings": vectors, "usageMetadata": usage}, usage)


def _vectors(context: Context, requests: list[_Request]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    vectors: list[dict[str, Any]] = []
    size = 0
    for request in requests:
        check_range("output_dimensionality", request.output_dimensionality, 1, 3072)
        text = "".join(part.text or "" for part in (request.content.parts if request.content else None) or ())
        if not text:
            raise invalid("content", "* EmbedContentRequest.content: content is empty\n", None)
        size += tokens.count(text)
        vectors.append({"values": vector(text, request.output_dimensionality or DEFAULT_DIMENSIONS)})
    return vectors, {"promptTokenCount": size, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": size}]}


def _answer(context: Context, body: dict[str, Any], usage: dict[str, Any]) -> Answer:
    """The models that fail do so here too."""
    ask = Ask(model=asked_model(context)[0], prompt="", prompt_tokens=0, input_tokens=usage["promptTokenCount"])
    reply = reply_to(ask, context.plan.key, context.scene)
    answer = Answer(200, context.head(), msgspec.json.encode(body), delay=context.delay(reply))
    return finish_answer(answer, reply)
