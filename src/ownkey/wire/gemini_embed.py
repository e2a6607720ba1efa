"""Gemini's embedContent: one content, one vector."""

from typing import Any

import msgspec
from msgspec import Struct

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
    content: dict[str, Any]


def outline(parsed: dict[str, Any]) -> Outline:
    """The address names the model."""
    read_request(parsed, _Shape)
    return Outline("", max_tokens=0)


def rename(parsed: dict[str, Any], model: str) -> dict[str, Any]:
    """The body may name the model again, and Google wants both to agree."""
    return {"model": f"models/{model.removeprefix('models/')}"} if parsed.get("model") is not None else {}


def read_ask(body: dict[str, Any]) -> EmbeddingAsk:
    asked = read_request(spelled(body), EmbedRequest)
    return EmbeddingAsk(
        origin=WireFormat.GEMINI_EMBED,
        texts=(text_of(asked.content, "content"),),
        dimensions=asked.output_dimensionality,
        hints=hints_of(asked),
    )


def write_ask(ask: EmbeddingAsk, model: str) -> Written:
    del model
    if len(ask.texts) != 1:
        raise unsupported("input", "must be a single text for the chosen provider.")
    return Written(encode(written_request(ask, ask.texts[0])), ask.hints)


def read_answer(body: bytes) -> EmbeddingAnswer:
    answer = decode(_ANSWER, body)
    check(answer)
    if answer.embedding is None:
        raise MalformedAnswer("the answer has no embedding")
    used = usage.to_usage(answer.usage_metadata) if answer.usage_metadata is not None else None
    return EmbeddingAnswer((answer.embedding.values,), used)


def write_answer(answer: EmbeddingAnswer, asked: dict[str, Any], model: str) -> bytes:
    del asked, model
    if len(answer.vectors) != 1:
        raise MalformedAnswer("more or less than one embedding for one text")
    body: dict[str, Any] = {"embedding": {"values": answer.vectors[0]}}
    if answer.usage is not None:
        body["usageMetadata"] = {"promptTokenCount": answer.usage.input_tokens}
    return _ENCODE(body)


GEMINI_EMBED = EmbeddingFormat(
    name=WireFormat.GEMINI_EMBED,
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
