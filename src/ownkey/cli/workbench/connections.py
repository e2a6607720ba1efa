"""The way out from this machine: what a person typed may be local, and the clock is the process's."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ownkey.cli.failures import CommandFailed
from ownkey.cli.workbench.targets import Chosen, Way
from ownkey.domain.errors import OwnkeyError
from ownkey.gateway.net import AddressGuard, UpstreamClient
from ownkey.workbench.endpoint import (
    Clock,
    ConnectionCheck,
    DirectTransport,
    EndpointCaller,
    Transport,
    check_connection,
)
from ownkey.workbench.engine import PayingCaller, Purse
from ownkey.workbench.graders.judge import Judge
from ownkey.workbench.records import EndpointKind, FailureKind, Prices, Target

_EMBEDDING_MS = 60_000.0


class _Embedding(Struct):
    embedding: list[float]
    index: int = 0


class _Embeddings(Struct):
    data: list[_Embedding]


class Connections:
    """Makes callers, checks and judges over one client."""

    def __init__(self, client: UpstreamClient) -> None:
        self._client = client
        self._clock = Clock.set_now()

    def transport(self, way: Way, base_url: str | None = None) -> Transport:
        """Raises MissingKey, or InvalidRequest for an address or key that cannot be sent."""
        return DirectTransport(self._client, base_url or way.base_url, way.key(), trusted=True)

    def caller(self, way: Way, target: Target) -> EndpointCaller:
        """Raises as `transport`."""
        return EndpointCaller(self.transport(way, target.base_url), target, self._clock)

    async def check(self, chosen: Chosen, timeout_ms: float) -> tuple[Chosen, ConnectionCheck]:
        """Look what the endpoint can do; the model as later calls should ask it. Raises MissingKey."""
        key = chosen.way.key()

        def make(base_url: str | None) -> Transport:
            return DirectTransport(self._client, base_url or chosen.way.base_url, key, trusted=True)

        found = await check_connection(make, chosen.target, timeout_ms)
        base_url = found.base_url or chosen.way.base_url
        target = replace(chosen.target, base_url=base_url)
        if found.success:
            target = replace(target, abilities=found.abilities)
        return replace(chosen, target=target, way=replace(chosen.way, base_url=base_url)), found

    def judge(self, way: Way, model: str, prices: Prices | None, purse: Purse) -> Judge:
        """A judge that spends from the run's purse, where its prices are known. Raises as `transport`."""
        target = Target(
            id="judge", label=model, kind=EndpointKind.DIRECT, model=model, base_url=way.base_url, prices=prices
        )
        return Judge(PayingCaller(self.caller(way, target), target, purse), model)

    def embedder(self, way: Way, model: str) -> "EndpointEmbedder":
        """Raises as `transport`."""
        return EndpointEmbedder(self.transport(way), model)


class EndpointEmbedder:
    """Vectors of texts by an embedding model of an endpoint. Implements `graders.similar.Embedder`."""

    def __init__(self, transport: Transport, model: str) -> None:
        self._transport = transport
        self._model = model

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text, in their order. Raises OwnkeyError when the model does not answer with them."""
        body = msgspec.json.encode({"model": self._model, "input": list(texts)})
        reply = await self._transport.post("/embeddings", body, _EMBEDDING_MS)
        taken = bytearray()
        try:
            async with aclosing(reply.chunks()) as chunks:
                async for _, data in chunks:
                    taken += data
        finally:
            reply.abort()
        if reply.status != 200:
            raise OwnkeyError(f"The embedding model {self._model} answered with status {reply.status}.")
        try:
            found = msgspec.json.decode(taken, type=_Embeddings).data
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise OwnkeyError(f"The embedding model {self._model} answered with something else.") from None
        if len(found) != len(texts):
            raise OwnkeyError(f"The embedding model {self._model} answered with too few vectors.")
        return [each.embedding for each in sorted(found, key=lambda each: each.index)]


@asynccontextmanager
async def open_connections() -> AsyncGenerator[Connections]:
    """A client for the time of the block. No address is closed to a person on their own machine but those that are
    never right, such as a cloud's metadata service."""
    client = UpstreamClient(AddressGuard())
    try:
        yield Connections(client)
    finally:
        await client.close()


def require_success(chosen: Chosen, found: ConnectionCheck) -> None:
    """Raise CommandFailed, with what to do next, unless the check succeeded."""
    if not found.success:
        raise CommandFailed(f"{chosen.target.label}: {found.message} {next_step(chosen, found)}")


def next_step(chosen: Chosen, found: ConnectionCheck) -> str:
    """What to do after a check that did not succeed."""
    refused = found.failure is not None and found.failure.kind is FailureKind.AUTH
    if refused and chosen.way.key_env is None:
        return "No key was sent: name the variable that holds it with --api-key-env."
    return found.advice
