"""Opening the parts in order and closing them in the opposite order."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from msgspec import Struct
from prometheus_client import CollectorRegistry

from ownkey import __version__
from ownkey.config import Settings
from ownkey.domain.usage import RequestRecord
from ownkey.gateway import Gateway
from ownkey.gateway.admit import Admission
from ownkey.gateway.attempts import Attempts
from ownkey.gateway.authenticate import Authenticator
from ownkey.gateway.changes import ChangeFollower
from ownkey.gateway.directory import Directory
from ownkey.gateway.health import KeyHealth
from ownkey.gateway.ledger import Ledger
from ownkey.gateway.listing import ModelListing
from ownkey.gateway.metrics import GatewayMetrics
from ownkey.gateway.net import AddressGuard, NetSettings, UpstreamClient
from ownkey.gateway.outgoing import OutgoingBuilder
from ownkey.gateway.pipeline import Pipeline
from ownkey.gateway.relay import Relay
from ownkey.gateway.secrets import SecretCache
from ownkey.main.environment_keys import store_environment_keys
from ownkey.main.keyrings import open_keyring
from ownkey.main.upkeep import run_upkeep
from ownkey.providers import ProviderCatalogue, load_catalogue
from ownkey.storage import usage
from ownkey.storage.data_keys import DatabaseDataKeys
from ownkey.storage.database import Database
from ownkey.storage.journal import Journal, UsageWriter, recover
from ownkey.vault import Keyring, Vault

API_KEY_PEPPER = "api-key"
SESSION_PEPPER = "session"


class Parts(Struct, frozen=True):
    """The open parts of a running server."""

    settings: Settings
    database: Database
    vault: Vault
    keyring: Keyring
    gateway: Gateway
    pipeline: Pipeline
    writer: UsageWriter
    registry: CollectorRegistry
    session_pepper: bytes


def open_catalogue(settings: Settings) -> ProviderCatalogue:
    """The provider catalogue with the operator's rows and addresses."""
    catalogue = load_catalogue(Path(folder) for folder in settings.provider_dirs)
    return catalogue.with_base_urls(settings.provider_base_urls, settings.sandbox_url)


def open_client(settings: Settings, guard: AddressGuard) -> UpstreamClient:
    """The upstream client with the operator's limits and allow-list."""
    net = NetSettings(
        connect_timeout=settings.connect_timeout,
        first_byte_timeout=settings.first_byte_timeout,
        idle_timeout=settings.idle_timeout,
        total_timeout=settings.total_timeout,
        max_connections_per_origin=settings.upstream_connections,
        ca_file=settings.upstream_ca_file,
    )
    return UpstreamClient(guard, net)


@asynccontextmanager
async def open_parts(settings: Settings) -> AsyncGenerator[Parts]:
    """Open everything a server needs. Raises ConfigurationError, or the part's own error that says what to do."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    keyring = open_keyring(settings)
    database = await Database.open(settings.database)
    try:
        await database.migrate()
        vault = Vault(keyring, DatabaseDataKeys(database))
        await vault.check()
        async with _serve(settings, database, keyring, vault) as parts:
            yield parts
    finally:
        await database.close()


@asynccontextmanager
async def _serve(settings: Settings, database: Database, keyring: Keyring, vault: Vault) -> AsyncGenerator[Parts]:
    async def sink(records: Sequence[RequestRecord]) -> None:
        async with database.write() as connection:
            await usage.insert_batch(connection, records)

    journal_root = settings.data_dir / "journal"
    catalogue = open_catalogue(settings)
    await store_environment_keys(settings.platform_keys, database, vault, catalogue)
    await recover(journal_root, sink, time.time())
    journal = Journal.open(journal_root, settings.journal_fsync_interval)
    writer = UsageWriter(journal, sink)

    registry = CollectorRegistry()
    directory = Directory(database)
    secrets = SecretCache(vault, settings.secret_lifetime)
    health = KeyHealth(database)
    guard = AddressGuard(settings.private_endpoints)
    client = open_client(settings, guard)
    authenticator = Authenticator(directory, await vault.pepper(API_KEY_PEPPER))
    follower = ChangeFollower(database, (directory.apply, vault.apply))
    await follower.start()
    ledger = Ledger(journal, GatewayMetrics(registry))
    attempts = Attempts(client, secrets, health, OutgoingBuilder(f"ownkey/{__version__}"))
    pipeline = Pipeline(
        authenticator=authenticator,
        directory=directory,
        catalogue=catalogue,
        health=health,
        admission=Admission(database),
        attempts=attempts,
        relay=Relay(ledger),
        ledger=ledger,
        listing=ModelListing(catalogue),
    )
    gateway = Gateway(
        authenticator=authenticator,
        directory=directory,
        catalogue=catalogue,
        health=health,
        secrets=secrets,
        client=client,
        guard=guard,
        follower=follower,
        writer=writer,
    )
    running = [
        asyncio.create_task(follower.run(), name="change-follower"),
        asyncio.create_task(health.run(), name="key-health"),
        asyncio.create_task(run_upkeep(database, journal_root, sink, settings.usage_retention_days), name="upkeep"),
    ]
    try:
        yield Parts(
            settings,
            database,
            vault,
            keyring,
            gateway,
            pipeline,
            writer,
            registry,
            await vault.pepper(SESSION_PEPPER),
        )
    finally:
        for task in running:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await client.close()
        await health.write()
        await writer.close()
        journal.close()
