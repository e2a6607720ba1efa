"""The way out from this machine: what a person typed may be local, and the clock is the process's."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from msgspec.structs import replace

from ownkey.cli.failures import CommandFailed, one_line_errors
from ownkey.cli.workbench.targets import Chosen, Way
from ownkey.gateway.net import AddressGuard, UpstreamClient
from ownkey.workbench.endpoint import (
    Clock,
    ConnectionCheck,
    DirectTransport,
    EmbeddingCaller,
    EndpointCaller,
    Transport,
    check_connection,
)
from ownkey.workbench.engine import PayingCaller, PayingEmbedder, Purse
from ownkey.workbench.graders.judge import Judge
from ownkey.workbench.records import EndpointKind, FailureKind, Prices, Target

_WAY_OUT = ("OWNKEY_EGRESS_PROXY", "OWNKEY_EGRESS_PROXY_EXCEPT", "OWNKEY_UPSTREAM_CA_FILE")


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
        """Check what the endpoint supports; returns the model as later calls should use it. Raises MissingKey."""
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

    def embedder(self, way: Way, model: str, prices: Prices | None, purse: Purse) -> PayingEmbedder:
        """As `judge`."""
        return PayingEmbedder(EmbeddingCaller(self.transport(way), model), prices, purse)


@asynccontextmanager
async def open_connections() -> AsyncGenerator[Connections]:
    """A client for the time of the block. No address is closed to a person on their own machine but those that are
    never right, such as a cloud's metadata service. The server's variables for the way out count here too.

    Raises WrongUsage for one that is wrong."""
    from ownkey.config import load_settings
    from ownkey.main.network import open_client

    with one_line_errors():
        settings = load_settings({name: os.environ.get(name, "") for name in _WAY_OUT})
        client = open_client(settings, AddressGuard())
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
