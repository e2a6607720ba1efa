"""Gemini's batchEmbedContents: many contents, a vector for each. Google's SDK embeds in no other way."""

from typing import Any, cast

import msgspec
from msgspec import Struct

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.wire.embeddings import EmbeddingAnswer, EmbeddingAsk
from ownkey.wire.errors import MalformedAnswer
from ownkey.wire.fields import decode, encode, read_request, unsupported
from ownkey.wire.format import EmbeddingFormat, Outline, Written
from ownkey.wire.gemini import errors, usage
from ownkey.wire.gemini.embedding import (
    EmbedAnswer,
    EmbedRequest,
    check,
    defaults,
    hints_of,
    text_of,
    written_request,
)
from ownkey.wire.gemini.observe import ContentObserver
from ownkey.wire.gemini.outline import ask_usage, model_address
from ownkey.wire.gemini.spelling import spelled

_ENCODE = msgspec.json.Encoder().encode
_ANSWER = msgspec.json.Decoder(EmbedAnswer)


class _Shape(Struct):
    requests: list[dict[str, Any]] | dict[str, Any]


class _Batch(Struct):
    requests: list[EmbedRequest]


def outline(parsed: dict[str, Any]) -> Outline:
    """The address names the model."""
    read_request(parsed, _Shape)
    return Outline("", max_tokens=0)


def rename(parsed: dict[str, Any], model: str) -> dict[str, Any]:
    """Google wants every request of the batch to name the model of the address."""
    given = parsed["requests"]
    requests = cast("list[dict[str, Any]]", given if isinstance(given, list) else [given])
    name = f"models/{model.removeprefix('models/')}"
    return {"requests": [request | {"model": name} for request in requests]}


def read_ask(body: dict[str, Any]) -> EmbeddingAsk:
    requests = read_request(spelled(body), _Batch).requests
    if not requests:
        raise InvalidRequest("requests is empty.", param="requests")
    dimensions = {request.output_dimensionality for request in requests}
    if len(dimensions) > 1:
        raise unsupported("requests.outputDimensionality", "must be the same in all requests for the chosen provider.")
    hints = dict.fromkeys(f"requests.{name}" for request in requests for name in hints_of(request))
    return EmbeddingAsk(
        origin=WireFormat.GEMINI_BATCH_EMBED,
        texts=tuple(text_of(request.content, f"requests[{at}].content") for at, request in enumerate(requests)),
        dimensions=dimensions.pop(),
        hints=tuple(hints),
    )


def write_ask(ask: EmbeddingAsk, model: str) -> Written:
    name = f"models/{model.removeprefix('models/')}"
    return Written(
        encode({"requests": [{"model": name} | written_request(ask, text) for text in ask.texts]}), ask.hints
    )


def read_answer(body: bytes) -> EmbeddingAnswer:
    answer = decode(_ANSWER, body)
    check(answer)
    if answer.embeddings is None:
        raise MalformedAnswer("the answer has no embeddings")
    used = usage.to_usage(answer.usage_metadata) if answer.usage_metadata is not None else None
    return EmbeddingAnswer(tuple(vector.values for vector in answer.embeddings), used)


def write_answer(answer: EmbeddingAnswer, asked: dict[str, Any], model: str) -> bytes:
    del asked, model
    body: dict[str, Any] = {"embeddings": [{"values": vector} for vector in answer.vectors]}
    if answer.usage is not None:
        body["usageMetadata"] = {"promptTokenCount": answer.usage.input_tokens}
    return _ENCODE(body)


GEMINI_BATCH_EMBED = EmbeddingFormat(
    name=WireFormat.GEMINI_BATCH_EMBED,
    outline=outline,
    defaults=defaults,
    ask_usage=ask_usage,
    usage_of=usage.usage_of,
    observer=ContentObserver,
    errors=errors,
    address=model_address,
    rename=rename,
    read_ask=read_ask,
    write_ask=write_ask,
    read_answer=read_answer,
    write_answer=write_answer,
)
