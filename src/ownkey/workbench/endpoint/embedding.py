"""Vectors of texts by an embedding model, in OpenAI's format."""

from collections.abc import Sequence
from contextlib import aclosing

import msgspec
from msgspec import Struct

from ownkey.domain.errors import OwnkeyError
from ownkey.workbench.endpoint.transport import Transport

_TIMEOUT_MS = 60_000.0
_MOST_BYTES = 32 << 20


class _Vector(Struct):
    embedding: list[float]
    index: int = 0


class _Usage(Struct):
    prompt_tokens: int


class _Answer(Struct):
    data: list[_Vector]
    usage: _Usage | None = None


class Embedded(Struct, frozen=True):
    """One vector a text, in their order; `tokens` is how much was read, where the endpoint says so."""

    vectors: list[list[float]]
    tokens: int | None


class EmbeddingCaller:
    """Asks an embedding model over a transport."""

    def __init__(self, transport: Transport, model: str) -> None:
        self._transport = transport
        self._model = model

    async def ask(self, texts: Sequence[str]) -> Embedded:
        """Raises OwnkeyError when the model does not answer with vectors: EmbeddingRefused when it answered with an
        error, and so charges nothing."""
        body = msgspec.json.encode({"model": self._model, "input": list(texts)})
        reply = await self._transport.post("/embeddings", body, _TIMEOUT_MS)
        taken = bytearray()
        try:
            async with aclosing(reply.chunks()) as chunks:
                async for _, data in chunks:
                    taken += data
                    if len(taken) > _MOST_BYTES:
                        raise OwnkeyError(f"The embedding model {self._model} answered with too much.")
        finally:
            reply.abort()
        if reply.status != 200:
            raise EmbeddingRefused(f"The embedding model {self._model} answered with status {reply.status}.")
        try:
            found = msgspec.json.decode(taken, type=_Answer)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise OwnkeyError(f"The embedding model {self._model} answered with something else.") from None
        if len(found.data) != len(texts):
            raise OwnkeyError(f"The embedding model {self._model} answered with too few vectors.")
        vectors = [each.embedding for each in sorted(found.data, key=lambda each: each.index)]
        return Embedded(vectors, found.usage and found.usage.prompt_tokens)


class EmbeddingRefused(OwnkeyError):
    """The embedding model answered with an error."""
