"""The workbench's rows: sessions, targets, suites, runs and results.

Every row belongs to a session and is deleted with it. Callers decide who may use a session, by its token's hash or its
user's id, before they call these queries.
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
