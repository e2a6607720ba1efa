"""The workbench as one: what routes and the composition root use."""

from collections.abc import Callable
from dataclasses import dataclass

from ownkey.domain.allowance import Allowance
from ownkey.gateway import Gateway
from ownkey.gateway.net import UpstreamClient
from ownkey.jobs import JobRegistry
from ownkey.storage.database import Database
from ownkey.vault import Vault
from ownkey.workbench.endpoint import Clock
from ownkey.workbench.graders.schema_workers import SchemaWorkers
from ownkey.workbench.hosting.executor import RunExecutor
from ownkey.workbench.hosting.feed import RunFeed
from ownkey.workbench.hosting.runs import RunService
from ownkey.workbench.hosting.sessions import Eraser, SessionStore
from ownkey.workbench.hosting.suites import SuiteStore
from ownkey.workbench.hosting.talk import TalkService
from ownkey.workbench.hosting.targets import TargetStore
from ownkey.workbench.suites import CuratedSuites

PEPPER = "workbench"


@dataclass(frozen=True, slots=True)
class Workbench:
    """The open parts."""

    sessions: SessionStore
    targets: TargetStore
    suites: SuiteStore
    runs: RunService
    talk: TalkService
    eraser: Eraser
    feed: RunFeed


async def open_workbench(
    database: Database,
    vault: Vault,
    gateway: Gateway,
    client: UpstreamClient,
    allowance: Allowance,
    registry: JobRegistry,
    wake: Callable[[], None],
    schemas: SchemaWorkers,
    sweep_s: float,
) -> Workbench:
    """Join the parts and register their jobs. `wake` is called when a job was enqueued; expired sessions are erased
    every `sweep_s` seconds."""
    clock = Clock.set_now()
    sessions = SessionStore(database, allowance, await vault.pepper(PEPPER))
    targets = TargetStore(database, vault, gateway, client, clock)
    suites = SuiteStore(database, CuratedSuites())
    feed = RunFeed(database)
    executor = RunExecutor(database, targets, suites, gateway, clock, schemas, feed)
    eraser = Eraser(database, sessions, executor)
    runs = RunService(database, suites, executor, feed, wake)
    registry.register(executor.job)
    registry.register(eraser.sweep_job(sweep_s))
    return Workbench(
        sessions=sessions,
        targets=targets,
        suites=suites,
        runs=runs,
        talk=TalkService(runs, targets),
        eraser=eraser,
        feed=feed,
    )
