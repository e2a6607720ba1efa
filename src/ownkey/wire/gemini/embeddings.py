"""Gemini's embedContent (one content, one vector) and batchEmbedContents (many). Google's SDK uses the latter alone."""

from typing import Any, cast

import msgspec
from msgspec import Struct

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire.errors import MalformedAnswer
from ownkey.wire.fields import TokenLimit, decode, encode, read_request, unsupported
from ownkey.wire.format import EmbeddingFormat, Outline, Written, plain_address
from ownkey.wire.gemini.client_json import spelled
from ownkey.wire.gemini.errors import ERRORS, of_value
from ownkey.wire.gemini.request_shapes import Content
from ownkey.wire.gemini.stream_reading import ContentObserver
from ownkey.wire.gemini.usage import UsageShape, to_usage, usage_of
from ownkey.wire.neutral import EmbeddingAnswer, EmbeddingAsk

_ENCODE = msgspec.json.Encoder().encode


class _OneShape(Struct):
    content: dict[str, Any]


class _BatchShape(Struct):
    requests: list[dict[str, Any]] | dict[str, Any]


class _Request(Struct, rename="camel"):
    """`task_type` and `title` tune the vector for its use."""

    content: Content
    model: str | None = None
    task_type: str | None = None
    title: str | None = None
    output_dimensionality: TokenLimit | None = None


class _Batch(Struct):
    requests: list[_Request]


class _Vector(Struct):
    values: list[float]


class _Answer(Struct, rename="camel"):
    embedding: _Vector | None = None
    embeddings: list[_Vector] | None = None
    usage_metadata: UsageShape | None = None
    error: Any = None


_ANSWER = msgspec.json.Decoder(_Answer)


class GoogleEmbeddings(EmbeddingFormat):
    """What both methods share. The address names the model."""

    errors = ERRORS

    def address(self, path: str, model: str, stream: bool) -> str:
        return plain_address(path, model.removeprefix("models/"))

    def usage_of(self, body: bytes) -> Usage | None:
        return usage_of(body)

    def observer(self, request_wants_usage: bool) -> ContentObserver:
        return ContentObserver()


class GeminiEmbed(GoogleEmbeddings):
    name = WireFormat.GEMINI_EMBED

    def outline(self, parsed: dict[str, Any]) -> Outline:
        read_request(parsed, _OneShape)
        return Outline("", max_tokens=0)

    def rename(self, parsed: dict[str, Any], model: str) -> dict[str, Any]:
        """The body may name the model again, and Google wants both to agree."""
        return {"model": full_name(model)} if parsed.get("model") is not None else {}

    def read_ask(self, body: dict[str, Any]) -> EmbeddingAsk:
        asked = read_request(spelled(body), _Request)
        return EmbeddingAsk(
            origin=self.name,
            texts=(_text_of(asked.content, "content"),),
            dimensions=asked.output_dimensionality,
            hints=_hints_of(asked),
        )

    def write_ask(self, ask: EmbeddingAsk, model: str) -> Written:
        if len(ask.texts) != 1:
            raise unsupported("input", "must be a single text for the chosen provider.")
        return Written(encode(_written(ask, ask.texts[0])), ask.hints)

    def read_answer(self, body: bytes) -> EmbeddingAnswer:
        answer = _read(body)
        if answer.embedding is None:
            raise MalformedAnswer("the answer has no embedding")
        return EmbeddingAnswer((answer.embedding.values,), _usage(answer))

    def write_answer(self, answer: EmbeddingAnswer, asked: dict[str, Any], model: str) -> bytes:
        if len(answer.vectors) != 1:
            raise MalformedAnswer("more or less than one embedding for one text")
        return _ENCODE({"embedding": {"values": answer.vectors[0]}} | _reported(answer))


class GeminiBatchEmbed(GoogleEmbeddings):
    name = WireFormat.GEMINI_BATCH_EMBED

    def outline(self, parsed: dict[str, Any]) -> Outline:
        read_request(parsed, _BatchShape)
        return Outline("", max_tokens=0)

    def rename(self, parsed: dict[str, Any], model: str) -> dict[str, Any]:
        """Google wants every request of the batch to name the model of the address."""
        given = parsed["requests"]
        requests = cast("list[dict[str, Any]]", given if isinstance(given, list) else [given])
        return {"requests": [request | {"model": full_name(model)} for request in requests]}

    def read_ask(self, body: dict[str, Any]) -> EmbeddingAsk:
        requests = read_request(spelled(body), _Batch).requests
        if not requests:
            raise InvalidRequest("requests is empty.", param="requests")
        dimensions = {request.output_dimensionality for request in requests}
        if len(dimensions) > 1:
            where = "requests.outputDimensionality"
            raise unsupported(where, "must be the same in all requests for the chosen provider.")
        hints = dict.fromkeys(f"requests.{name}" for request in requests for name in _hints_of(request))
        return EmbeddingAsk(
            origin=self.name,
            texts=tuple(_text_of(request.content, f"requests[{at}].content") for at, request in enumerate(requests)),
            dimensions=dimensions.pop(),
            hints=tuple(hints),
        )

    def write_ask(self, ask: EmbeddingAsk, model: str) -> Written:
        requests = [{"model": full_name(model)} | _written(ask, text) for text in ask.texts]
        return Written(encode({"requests": requests}), ask.hints)

    def read_answer(self, body: bytes) -> EmbeddingAnswer:
        answer = _read(body)
        if answer.embeddings is None:
            raise MalformedAnswer("the answer has no embeddings")
        return EmbeddingAnswer(tuple(vector.values for vector in answer.embeddings), _usage(answer))

    def write_answer(self, answer: EmbeddingAnswer, asked: dict[str, Any], model: str) -> bytes:
        return _ENCODE({"embeddings": [{"values": vector} for vector in answer.vectors]} | _reported(answer))


def full_name(model: str) -> str:
    """The model as Google's lists name it."""
    return f"models/{model.removeprefix('models/')}"


def _text_of(content: Content, where: str) -> str:
    """The parts of one content make one vector. Raises UnsupportedField where they are more than text."""
    texts: list[str] = []
    for index, part in enumerate(content.parts or ()):
        if part.text is None:
            raise unsupported(f"{where}.parts[{index}]", "must hold text.")
        texts.append(part.text)
    if not texts:
        raise InvalidRequest(f"{where}.parts is missing.", param=f"{where}.parts")
    return "\n".join(texts)


def _hints_of(asked: _Request) -> tuple[str, ...]:
    named = {"taskType": asked.task_type, "title": asked.title}
    return tuple(name for name, value in named.items() if value is not None)


def _written(ask: EmbeddingAsk, text: str) -> dict[str, Any]:
    body: dict[str, Any] = {"content": {"parts": [{"text": text}]}}
    if ask.dimensions is not None:
        body["outputDimensionality"] = ask.dimensions
    return body


def _read(body: bytes) -> _Answer:
    answer = decode(_ANSWER, body)
    if answer.error is not None:
        error = of_value(200, {"error": answer.error})
        raise MalformedAnswer("an error in an answer with status 200", error)
    return answer


def _usage(answer: _Answer) -> Usage | None:
    return to_usage(answer.usage_metadata) if answer.usage_metadata is not None else None


def _reported(answer: EmbeddingAnswer) -> dict[str, Any]:
    return {} if answer.usage is None else {"usageMetadata": {"promptTokenCount": answer.usage.input_tokens}}


GEMINI_EMBED = GeminiEmbed()
GEMINI_BATCH_EMBED = GeminiBatchEmbed()
