"""The workbench as one: what routes and the composition root use."""

from dataclasses import dataclass

from ownkey.domain.allowance import Allowance
from ownkey.gateway import Gateway
from ownkey.gateway.net import UpstreamClient
from ownkey.storage.database import Database
from ownkey.vault import Vault
from ownkey.workbench.endpoint import Clock
from ownkey.workbench.graders.schema_workers import SchemaWorkers
from ownkey.workbench.hosting.beating import Heart
from ownkey.workbench.hosting.carrying_out import CarryingOut
from ownkey.workbench.hosting.concluding import Concluding
from ownkey.workbench.hosting.erasing import Eraser
from ownkey.workbench.hosting.feed import RunFeed
from ownkey.workbench.hosting.grading import GraderFactory
from ownkey.workbench.hosting.runs import RunService
from ownkey.workbench.hosting.sessions import SessionStore
from ownkey.workbench.hosting.suites import SuiteStore
from ownkey.workbench.hosting.talk import TalkService
from ownkey.workbench.hosting.targets import TargetStore
from ownkey.workbench.hosting.work import Work
from ownkey.workbench.jobs import DurableJobs
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
    work: Work
    jobs: DurableJobs


async def open_workbench(
    database: Database,
    vault: Vault,
    gateway: Gateway,
    client: UpstreamClient,
    jobs: DurableJobs,
    schemas: SchemaWorkers,
    allowance: Allowance,
    silent_s: float,
) -> Workbench:
    """Join the parts. Nothing runs until `jobs.run` is given the work. A run of which nothing was heard for `silent_s`
    seconds is taken up by whoever notices."""
    clock = Clock.set_now()
    sessions = SessionStore(database, allowance, await vault.pepper(PEPPER))
    targets = TargetStore(database, vault, gateway, client, clock)
    suites = SuiteStore(database, CuratedSuites())
    graders = GraderFactory(gateway, clock, schemas)
    feed = RunFeed(database)
    heart = Heart(database)
    carrying = CarryingOut(database, targets, suites, graders, feed, heart)
    concluding = Concluding(database, targets, suites, graders, feed, heart)
    eraser = Eraser(database, sessions, carrying, jobs)
    runs = RunService(database, suites, carrying, concluding, feed, jobs)
    return Workbench(
        sessions=sessions,
        targets=targets,
        suites=suites,
        runs=runs,
        talk=TalkService(runs, targets),
        eraser=eraser,
        feed=feed,
        work=Work(database, sessions, carrying, concluding, eraser, heart, jobs, silent_s),
        jobs=jobs,
    )
