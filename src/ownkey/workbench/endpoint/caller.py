"""Callers: one model that is called for answers, or for embeddings."""

from collections.abc import Sequence
from contextlib import aclosing

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ownkey.domain.errors import InvalidRequest, OwnkeyError
from ownkey.workbench.endpoint.answer import cost_of, tokens_of
from ownkey.workbench.endpoint.call import Call, Clock, call
from ownkey.workbench.endpoint.failures import failure_of_error, one_line
from ownkey.workbench.endpoint.request import chat_body
from ownkey.workbench.endpoint.transport import Transport
from ownkey.workbench.records import Failure, FailureKind, Message, Observation, Sampling, Target, Timing


class EndpointCaller:
    """Asks a target in OpenAI's chat format, adapted to its abilities. Implements `ports.Caller`.

    `clock` is the process's: see `Clock`.
    """

    def __init__(self, transport: Transport, target: Target, clock: Clock | None = None) -> None:
        self._transport = transport
        self._target = target
        self._clock = clock or Clock.set_now()

    async def ask(self, messages: Sequence[Message], sampling: Sampling) -> Observation:
        """Ask once. A failure is an observation, with the text that came before it; only cancellation is raised."""
        target = self._target
        try:
            body = chat_body(target.model, messages, sampling, target.abilities)
        except InvalidRequest as error:
            made = Call()
            made.failure = failure_of_error(error, self._transport.scrub)
        else:
            made = await call(self._transport, body, sampling.timeout_ms)
            if made.rejects_usage and target.abilities.stream_usage is None:
                # We added the question, so it is ours to take back; nothing was answered.
                self._target = replace(target, abilities=replace(target.abilities, stream_usage=False))
                return await self.ask(messages, sampling)
        return self._observation(made, messages, sampling)

    def _observation(self, made: Call, messages: Sequence[Message], sampling: Sampling) -> Observation:
        reader, scrub = made.reader, self._transport.scrub
        tokens, cautions = tokens_of(reader, messages, sampling.max_tokens)
        if made.loose_end:
            cautions.append("The answer was complete, but its stream did not end as it should.")
        if made.failure is None and not reader.text and not reader.calls and reader.reasoning:
            cautions.append("The model only reasoned: the token limit left nothing for an answer.")
        return Observation(
            timing=self._timing(made),
            text=scrub(reader.text),
            reasoning=scrub(reader.reasoning),
            finish_reason=None if reader.finish_reason is None else one_line(scrub(reader.finish_reason), 40),
            tokens=tokens,
            cost=cost_of(tokens, self._target.prices),
            streamed=reader.streamed is not False,
            failure=made.failure or withheld(made),
            cautions=tuple(cautions),
        )

    def _timing(self, made: Call) -> Timing:
        reader = made.reader
        return Timing(
            sent_at=self._clock.unix(made.sent_at),
            ended_at=self._clock.unix(made.ended_at),
            ttft_ms=_since(made.sent_at, reader.first),
            ttfo_ms=_since(made.sent_at, reader.first_output),
            e2e_ms=_since(made.sent_at, reader.last),
            gaps_ms=tuple(reader.gaps_ms),
            connect_ms=made.connect_ms,
        )


def withheld(made: Call) -> Failure | None:
    """Why a complete answer does not count: it was filtered, or it is empty."""
    reader = made.reader
    if made.failure is not None:
        return None
    if reader.finish_reason == "content_filter":
        return Failure(FailureKind.CONTENT_FILTER, "The endpoint's filter withheld the answer.", status=made.status)
    if reader.chunks:
        return None
    if reader.finish_reason == "length":
        text = "The answer is empty: the token limit was used up before it, perhaps by reasoning. Raise the limit."
    else:
        text = "The answer is empty."
    return Failure(FailureKind.MALFORMED_RESPONSE, text, status=made.status)


def _since(sent_at: float, stamp: float | None) -> float | None:
    return None if stamp is None else (stamp - sent_at) * 1000


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
