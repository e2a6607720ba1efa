"""Asking again after failures that may pass. The time waited between is told apart from the latency."""

import asyncio
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from ownkey.workbench.records import Failure, FailureKind, Observation

Attempt = Callable[[], Awaitable[Observation | None]]
"""Asks once. None: it may not be asked again, and was not."""

_MAY_PASS = frozenset({FailureKind.RATE_LIMIT, FailureKind.NETWORK, FailureKind.SERVER_ERROR})
"""A time-out is not among them: whoever is that slow was asked long enough, and may bill each try."""
_FIRST_WAIT_MS = 500.0
_LONGEST_WAIT_MS = 30_000.0


async def ask_patiently(ask: Attempt, retries: int) -> Observation | None:
    """Ask once and up to `retries` times more. The observation is the last attempt's, and knows of the others; its cost
    is that of all, since an answer that broke off in the middle is paid for, too. None when it was never asked."""
    waited = 0.0
    attempt = 0
    cost: int | None = None
    first: Failure | None = None
    last: Observation | None = None
    while (seen := await ask()) is not None:
        attempt += 1
        first = first or seen.failure
        if seen.cost is not None:
            cost = seen.cost + (cost or 0)
        last = replace(seen, attempts=attempt, backoff_ms=waited, first_failure=first, cost=cost)
        wait = None if seen.failure is None or attempt > retries else pause(seen.failure, attempt)
        if wait is None:
            break
        await asyncio.sleep(wait / 1000)
        waited += wait
    return last


def pause(failure: Failure, attempt: int) -> float | None:
    """Milliseconds to wait after the failure of this attempt (from 1), None when asking again is no use.

    Half a second, doubled each time, or what the endpoint asks for; one that asks for more than half a minute is not
    waited for.
    """
    if failure.kind not in _MAY_PASS:
        return None
    asked = failure.retry_after_ms or 0.0
    if asked > _LONGEST_WAIT_MS:
        return None
    return max(asked, min(_FIRST_WAIT_MS * 2 ** (attempt - 1), _LONGEST_WAIT_MS))
