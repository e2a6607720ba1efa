"""OpenAI's embeddings (openai.types.create_embedding_response)."""

import struct
from base64 import b64decode, b64encode
from binascii import Error
from typing import Any, Literal

import msgspec
from msgspec import Struct

from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire.errors import MalformedAnswer, error_of_value
from ownkey.wire.fields import TokenLimit, decode, encode, leftovers, read_request, unsupported
from ownkey.wire.format import EmbeddingFormat, Outline, Written
from ownkey.wire.neutral import EmbeddingAnswer, EmbeddingAsk
from ownkey.wire.openai_chat.errors import ERRORS
from ownkey.wire.openai_chat.stream_reading import ChunkObserver
from ownkey.wire.openai_chat.usage import UsageShape, to_usage, usage_of

_ENCODE = msgspec.json.Encoder().encode


class _Shape(Struct):
    model: str
    input: str | list[Any]


class _Request(_Shape):
    dimensions: TokenLimit | None = None
    encoding_format: Literal["float", "base64"] | None = None


class _Row(Struct):
    embedding: list[float] | str
    index: int = 0


class _Answer(Struct):
    data: list[_Row] | None = None
    usage: UsageShape | None = None
    error: Any = None


_ANSWER = msgspec.json.Decoder(_Answer)


class OpenAIEmbeddings(EmbeddingFormat):
    name = WireFormat.OPENAI_EMBEDDINGS
    errors = ERRORS

    def outline(self, parsed: dict[str, Any]) -> Outline:
        """Embeddings are never streamed and write no tokens."""
        return Outline(read_request(parsed, _Shape).model, stream=False, max_tokens=0)

    def usage_of(self, body: bytes) -> Usage | None:
        return usage_of(body)

    def observer(self, request_wants_usage: bool) -> ChunkObserver:
        return ChunkObserver(request_wants_usage)

    def read_ask(self, body: dict[str, Any]) -> EmbeddingAsk:
        """Tokens are one model's own numbers, so only texts can be translated."""
        asked = read_request(body, _Request)
        inputs = [asked.input] if isinstance(asked.input, str) else asked.input
        if not all(isinstance(text, str) for text in inputs):
            raise unsupported("input", "must be a text or a list of texts: tokens mean nothing to another provider.")
        _, hints = leftovers(body, _Request.__struct_fields__, frozenset())
        return EmbeddingAsk(origin=self.name, texts=tuple(inputs), dimensions=asked.dimensions, hints=tuple(hints))

    def write_ask(self, ask: EmbeddingAsk, model: str) -> Written:
        body: dict[str, Any] = {"model": model, "input": ask.texts if len(ask.texts) != 1 else ask.texts[0]}
        if ask.dimensions is not None:
            body["dimensions"] = ask.dimensions
        return Written(encode(body), ask.hints)

    def read_answer(self, body: bytes) -> EmbeddingAnswer:
        answer = decode(_ANSWER, body)
        if answer.error is not None:
            error = error_of_value(200, {"error": answer.error})
            raise MalformedAnswer("an error in an answer with status 200", error)
        if answer.data is None:
            raise MalformedAnswer("the answer has no data")
        rows = sorted(answer.data, key=lambda row: row.index)
        used = to_usage(answer.usage) if answer.usage is not None else None
        return EmbeddingAnswer(tuple(_floats(row.embedding) for row in rows), used)

    def write_answer(self, answer: EmbeddingAnswer, asked: dict[str, Any], model: str) -> bytes:
        packed = asked.get("encoding_format") == "base64"
        data = [
            {"object": "embedding", "index": index, "embedding": _packed(vector) if packed else vector}
            for index, vector in enumerate(answer.vectors)
        ]
        used = answer.usage or Usage()
        total = {"prompt_tokens": used.input_tokens, "total_tokens": used.input_tokens}
        return _ENCODE({"object": "list", "data": data, "model": model, "usage": total})


def _floats(embedding: list[float] | str) -> list[float]:
    """A vector as it stands, or in base64 of little-endian single precision."""
    if not isinstance(embedding, str):
        return embedding
    try:
        packed = b64decode(embedding, validate=True)
        return list(struct.unpack(f"<{len(packed) // 4}f", packed))
    except (Error, ValueError, struct.error):
        raise MalformedAnswer("an embedding that is no base64 of floats") from None


def _packed(vector: list[float]) -> str:
    try:
        return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    except (OverflowError, struct.error):
        raise MalformedAnswer("an embedding beyond single precision") from None


OPENAI_EMBEDDINGS = OpenAIEmbeddings()
