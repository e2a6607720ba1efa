"""What the library is asked about workflows of runs. All of it blocks, and is for threads."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

RUN, SWEEP = "workbench-run", "workbench-sweep"
_AT_ONCE = 200
_SWEEPS_KEPT = timedelta(days=1)
_ENDING_S = 3.0
_GLANCE_S = 0.02
_UNDER_WAY = ["PENDING", "ENQUEUED"]


def begin(workflow: Callable[[str, int], None], run_id: str, round_: int) -> None:
    """Begin a round of a run; nothing happens when that was begun already."""
    from dbos import DBOS, SetWorkflowID

    with SetWorkflowID(_workflow_id(run_id, round_)):
        DBOS.start_workflow(workflow, run_id, round_)


def take_up(workflow: Callable[[str, int], None], run_id: str, round_: int) -> bool:
    """Carry on a round that nobody carries out; False when it ended by an exception, as it would again."""
    from dbos import DBOS

    workflow_id = _workflow_id(run_id, round_)
    found = DBOS.list_workflows(workflow_ids=[workflow_id], load_input=False, load_output=False)
    if found and found[0].status == "ERROR":
        return False
    if found and found[0].status != "SUCCESS":
        DBOS.resume_workflow(workflow_id)
        return True
    if found:
        # Ended, and its run has not: the run's database is older than the library's, as after a restored backup.
        DBOS.delete_workflows([workflow_id])
    begin(workflow, run_id, round_)
    return True


def forget(workflows: Sequence[tuple[str, int]]) -> int:
    """Delete what is stored of runs' workflows, each a run's id and its last round; how many there were.

    Those under way find that their runs are gone, and end. They have a moment for it: one that is deleted before it
    writes down its end breaks off with a complaint.
    """
    from dbos import DBOS

    ids = [_workflow_id(run_id, round_) for run_id, last in workflows for round_ in range(1, last + 1)]
    count, deadline = 0, time.monotonic() + _ENDING_S
    for some in _batches(ids):
        known = [each.workflow_id for each in DBOS.list_workflows(workflow_ids=some, load_input=False)]
        if not known:
            continue
        while DBOS.list_workflows(workflow_ids=known, status=_UNDER_WAY, load_input=False, limit=1):
            if time.monotonic() > deadline:
                DBOS.cancel_workflows(known)
                break
            time.sleep(_GLANCE_S)
        DBOS.delete_workflows(known)
        count += len(known)
    return count


def remembered() -> dict[str, int]:
    """The runs of which there are workflows, with their last rounds."""
    from dbos import DBOS

    found: dict[str, int] = {}
    for each in DBOS.list_workflows(name=RUN, load_input=False, load_output=False):
        run_id, _, round_ = each.workflow_id.partition(":")
        found[run_id] = max(found.get(run_id, 0), int(round_))
    return found


def prune_sweeps(now: datetime) -> None:
    """Delete what is kept of sweeps of earlier days."""
    from dbos import DBOS

    old = (now - _SWEEPS_KEPT).isoformat()
    past = DBOS.list_workflows(name=SWEEP, end_time=old, load_input=False, load_output=False)
    if past:
        DBOS.delete_workflows([each.workflow_id for each in past])


def failures() -> tuple[type[Exception], ...]:
    """What is raised when the library's database is away, full or damaged."""
    from dbos import error
    from sqlalchemy.exc import SQLAlchemyError

    return SQLAlchemyError, error.DBOSException, OSError


def _workflow_id(run_id: str, round_: int) -> str:
    return f"{run_id}:{round_}"


def _batches(items: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), _AT_ONCE):
        yield list(items[start : start + _AT_ONCE])
