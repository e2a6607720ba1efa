"""Opening the parts in order and closing them in the opposite order."""

import os
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from msgspec import Struct
from prometheus_client import CollectorRegistry

from ownkey import __version__
from ownkey.config import ConfigurationError, Settings
from ownkey.domain.usage import RequestRecord
from ownkey.gateway import Gateway
from ownkey.gateway.admit import Admission
from ownkey.gateway.attempts import Attempts
from ownkey.gateway.authenticate import Authenticator
from ownkey.gateway.changes import ChangeFollower
from ownkey.gateway.directory import Directory
from ownkey.gateway.forgetting import run_forgetting
from ownkey.gateway.health import KeyHealth
from ownkey.gateway.inner import InnerCalls
from ownkey.gateway.learned import LearnedFacts
from ownkey.gateway.listing import ModelListing
from ownkey.gateway.metrics import GatewayMetrics
from ownkey.gateway.net import AddressGuard
from ownkey.gateway.outgoing import OutgoingBuilder
from ownkey.gateway.pipeline import Pipeline
from ownkey.gateway.plans import Planner
from ownkey.gateway.relay import Relay
from ownkey.gateway.responses import Recording, ResponseService, ResponseStore
from ownkey.gateway.secrets import SecretCache
from ownkey.gateway.tokens import TokenCache
from ownkey.jobs import JobRegistry, JobWorker, holder_name
from ownkey.main.environment_keys import store_environment_keys
from ownkey.main.failure_log import LoggedLedger
from ownkey.main.gauges import BookGauges, WorkerRegistry
from ownkey.main.keyrings import open_keyring
from ownkey.main.learned_log import log_learned
from ownkey.main.libraries import libraries_loading
from ownkey.main.lifecycle import Background
from ownkey.main.network import open_client
from ownkey.main.prices import follow_prices, read_prices
from ownkey.main.upkeep import run_recovery, upkeep_job
from ownkey.providers import ProviderCatalogue, load_catalogue
from ownkey.storage import usage
from ownkey.storage.allowances import LeasedAllowance, PoolStore
from ownkey.storage.data_keys import DatabaseDataKeys
from ownkey.storage.database import Database
from ownkey.storage.journal import Journal, UsageWriter
from ownkey.vault import Keyring, Vault
from ownkey.workbench.graders.schema_workers import SchemaWorkers
from ownkey.workbench.hosting import Workbench, open_workbench

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
    ledger: LoggedLedger
    background: Background
    allowance: LeasedAllowance
    registry: CollectorRegistry
    session_pepper: bytes
    workbench: Workbench


def open_catalogue(settings: Settings) -> ProviderCatalogue:
    """The provider catalogue with the operator's rows and addresses."""
    folders = (Path(folder) for folder in settings.provider_dirs)
    catalogue = load_catalogue(folders, read_prices(settings.data_dir))
    return catalogue.with_base_urls(settings.provider_base_urls, settings.sandbox_url)


@asynccontextmanager
async def open_parts(settings: Settings, worker: int | None = None) -> AsyncGenerator[Parts]:
    """Open everything a server needs. `worker` is this process's number where several share a port.

    Raises ConfigurationError, MasterKeyError, CatalogueError, BrokenLibrary or an OwnkeyError, each saying what to do.
    """
    prepare_data_dir(settings.data_dir)
    catalogue = open_catalogue(settings)
    keyring = open_keyring(settings)
    async with AsyncExitStack() as stack:
        # Workers start after a process that has checked this for all of them.
        loaded = await stack.enter_async_context(libraries_loading()) if worker is None else None
        database = await Database.open(settings.database)
        stack.push_async_callback(database.close)
        await database.migrate()
        vault = Vault(keyring, DatabaseDataKeys(database))
        await vault.check()
        await store_environment_keys(settings.platform_keys, database, vault, catalogue)
        schemas = stack.enter_context(SchemaWorkers())
        holder = stack.enter_context(holder_name(settings.data_dir))
        parts = await stack.enter_async_context(
            _serve(settings, database, keyring, vault, catalogue, schemas, worker, holder)
        )
        if loaded is not None:
            await loaded()
        yield parts


def prepare_data_dir(folder: Path) -> None:
    """Create the data directory. Raises ConfigurationError when it cannot be created or written."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"the data directory {folder} cannot be created:  {error.strerror}") from None
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise ConfigurationError(f"the data directory {folder} cannot be written by this user")


@asynccontextmanager
async def _serve(
    settings: Settings,
    database: Database,
    keyring: Keyring,
    vault: Vault,
    catalogue: ProviderCatalogue,
    schemas: SchemaWorkers,
    worker: int | None,
    holder: str,
) -> AsyncGenerator[Parts]:
    async def sink(records: Sequence[RequestRecord]) -> None:
        async with database.write() as connection:
            await usage.insert_batch(connection, records)

    journal_root = settings.data_dir / "journal"
    registry = CollectorRegistry() if worker is None else WorkerRegistry(worker)
    directory = Directory(database)
    secrets = SecretCache(vault, settings.secret_lifetime)
    health = KeyHealth(database)
    guard = AddressGuard(settings.private_endpoints)
    authenticator = Authenticator(directory, await vault.pepper(API_KEY_PEPPER))
    follower = ChangeFollower(database, (directory.apply, vault.apply))
    await follower.start()
    background = Background()
    client = open_client(settings, guard)
    journal = Journal.open(journal_root, settings.journal_fsync_interval)
    writer = UsageWriter(journal, sink)
    registry.register(BookGauges(journal, writer))
    ledger = LoggedLedger(journal, GatewayMetrics(registry))
    user_agent = f"ownkey/{__version__}"
    builder = OutgoingBuilder(user_agent)
    responses = ResponseStore(database, vault, settings.response_retention_days, settings.response_size_limit)
    tokens = TokenCache(client)
    learned = LearnedFacts(report=log_learned, registry=registry)
    attempts = Attempts(client, secrets, tokens, health, builder, learned)
    relay = Relay(Recording(responses), settings.stream_ping_interval)
    allowance = LeasedAllowance(PoolStore(database, f"{socket.gethostname()}:{os.getpid()}", str(journal_root)))
    pipeline = Pipeline(
        authenticator=authenticator,
        directory=directory,
        planner=Planner(catalogue, health),
        health=health,
        admission=Admission(allowance),
        attempts=attempts,
        relay=relay,
        ledger=ledger,
        listing=ModelListing(catalogue),
        responses=responses,
        stored=ResponseService(responses, client, secrets, tokens, user_agent),
    )
    calls = InnerCalls(pipeline.handle_for)
    gateway = Gateway(
        authenticator=authenticator,
        directory=directory,
        catalogue=catalogue,
        health=health,
        secrets=secrets,
        client=client,
        tokens=tokens,
        guard=guard,
        follower=follower,
        writer=writer,
        calls=calls,
        learned=learned,
    )
    jobs = JobRegistry()
    lease_s = settings.workbench_takeover
    job_worker = JobWorker(database, jobs, holder, lease_s)
    workbench = await open_workbench(
        database, vault, gateway, client, allowance, jobs, job_worker.wake, schemas, sweep_s=lease_s / 2
    )
    jobs.register(upkeep_job(database, settings.usage_retention_days))
    background.start("change-follower", follower.run())
    background.start("key-health", health.run())
    background.start("forget-secrets", run_forgetting(secrets, tokens, builder))
    background.start("recovery", run_recovery(journal_root, sink))
    background.start("prices", follow_prices(settings.data_dir, catalogue.use_prices))
    background.start("jobs", job_worker.run())
    background.start("allowances", allowance.run())
    try:
        yield Parts(
            settings,
            database,
            vault,
            keyring,
            gateway,
            pipeline,
            ledger,
            background,
            allowance,
            registry,
            await vault.pepper(SESSION_PEPPER),
            workbench,
        )
    finally:
        await background.stop()
        for part in (calls, allowance, tokens, client):
            await part.close()
        await health.write()
        await writer.close()
        journal.close()
