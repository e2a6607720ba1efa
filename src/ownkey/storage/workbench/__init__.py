"""The workbench's rows: sessions, targets, suites, runs and results.

Everything hangs on a session and goes with it. Who may ask for a session is decided before these queries are
called: by its token's hash or by its user's id.
"""

from ownkey.storage.workbench import results, runs, sessions, suites, targets
from ownkey.storage.workbench.rows import (
    ErasedSession,
    RunProgress,
    StoredJudgement,
    StoredResult,
    StoredRun,
    StoredSuite,
    StoredTarget,
    WorkbenchSession,
)

__all__ = [
    "ErasedSession",
    "RunProgress",
    "StoredJudgement",
    "StoredResult",
    "StoredRun",
    "StoredSuite",
    "StoredTarget",
    "WorkbenchSession",
    "results",
    "runs",
    "sessions",
    "suites",
    "targets",
]
