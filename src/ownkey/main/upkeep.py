"""Small recurring work: expired sessions, old counters, old changes and requests past their retention."""

import asyncio
import time
from pathlib import Path

import structlog

from ownkey.domain.errors import Unavailable
from ownkey.storage import changes, counters, sessions, usage
from ownkey.storage.database import Database
from ownkey.storage.journal import Sink, recover

_INTERVAL = 60.0
_CHANGES_KEPT = 3600.0
_DAY = 86_400

log = structlog.get_logger(__name__)


async def run_upkeep(database: Database, journal_root: Path, sink: Sink, retention_days: int) -> None:
    """Sweep once a minute until cancelled, and adopt the journals of processes that died since."""
    while True:
        await asyncio.sleep(_INTERVAL)
        try:
            await sweep(database, time.time(), retention_days)
            report = await recover(journal_root, sink, time.time())
        except (Unavailable, OSError) as error:
            log.warning("upkeep postponed", reason=type(error).__name__)
            continue
        if report.adopted:
            log.info("journal of a dead process stored", count=report.settled + report.interrupted)


async def sweep(database: Database, now: float, retention_days: int) -> None:
    """Delete what has expired at `now` (Unix seconds)."""
    async with database.write() as connection:
        await sessions.sweep(connection, now)
        await counters.sweep(connection, now)
        await changes.prune(connection, now - _CHANGES_KEPT)
        await usage.prune(connection, now - retention_days * _DAY)
