"""Recurring work beside the requests: adopting dead processes' journals, and sweeping out what has expired."""

import asyncio
import time
from pathlib import Path

import structlog

from ownkey.jobs import Job
from ownkey.logs import outline
from ownkey.storage import allowances, changes, jobs, sessions, stored_responses, usage
from ownkey.storage.database import Database
from ownkey.storage.journal import RecoveryReport, Sink, recover

_RECOVERY_INTERVAL = 10.0
_RECOVERY_RETRY = 3.0
_SWEEP_INTERVAL = 60.0
_CHANGES_KEPT = 3600.0
_DAY = 86_400
_DEAD_LETTERS_KEPT = 30 * _DAY

log = structlog.get_logger(__name__)


async def run_recovery(journal_root: Path, sink: Sink) -> None:
    """Store what processes that died have left behind: now, then every few seconds, until cancelled.

    Beside the requests and not before them, so that a slow database does not delay the start.
    """
    while True:
        try:
            report = await recover(journal_root, sink, time.time())
        except OSError as error:
            log.warning("the journals of dead processes cannot be read", reason=outline(error))
            report = RecoveryReport(postponed=1)
        else:
            _tell(report)
        await asyncio.sleep(_RECOVERY_RETRY if report.postponed else _RECOVERY_INTERVAL)


def upkeep_job(database: Database, retention_days: int) -> Job:
    """The job that deletes what has expired, once a minute among all processes."""

    async def work(_: str) -> None:
        await sweep(database, time.time(), retention_days)

    return Job(name="upkeep", work=work, every=_SWEEP_INTERVAL)


async def sweep(database: Database, now: float, retention_days: int) -> None:
    """Delete what has expired at `now` (Unix seconds), and what deleted secrets left in SQLite's files."""
    async with database.write() as connection:
        await sessions.sweep(connection, now)
        await allowances.sweep(connection)
        await stored_responses.sweep(connection, now)
        await jobs.prune(connection, now - _DEAD_LETTERS_KEPT)
        await changes.prune(connection, now - _CHANGES_KEPT)
        await usage.prune(connection, now - retention_days * _DAY)
    if database.engine == "sqlite":
        # A deletion scrubs immediately; where a long reader prevented that, this does it.
        await database.scrub()


def _tell(report: RecoveryReport) -> None:
    if report.adopted:
        log.info(
            "journal of a dead process stored",
            count=report.adopted,
            settled=report.settled,
            interrupted=report.interrupted,
            seconds=round(report.oldest_s, 1),
        )
    if report.rejected or report.corrupted:
        text = "requests of a dead process need a look: see the journal's folders `rejected` and `damaged`"
        log.error(text, rejected=report.rejected, corrupted=report.corrupted)
    if report.postponed:
        reason = outline(report.failure) if report.failure is not None else ""
        log.warning("journal of a dead process postponed", count=report.postponed, reason=reason)
