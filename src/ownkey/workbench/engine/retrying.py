"""Asking again after failures that may pass. The time waited between is told apart from the latency."""

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from ownkey.workbench.ports import Caller
from ownkey.workbench.records import Failure, FailureKind, Message, Observation, Sampling

_MAY_PASS = frozenset({FailureKind.RATE_LIMIT, FailureKind.NETWORK, FailureKind.SERVER_ERROR})
"""A time-out is not among them: whoever is that slow was asked long enough, and may bill each try."""
_FIRST_WAIT_MS = 500.0
_LONGEST_WAIT_MS = 30_000.0


async def ask_patiently(caller: Caller, messages: Sequence[Message], sampling: Sampling, retries: int) -> Observation:
    """Ask once and up to `retries` times more. The observation is the last attempt's, and knows of the others."""
    waited = 0.0
    first: Failure | None = None
    attempt = 1
    while True:
        seen = await caller.ask(messages, sampling)
        first = first or seen.failure
        wait = None if seen.failure is None or attempt > retries else pause(seen.failure, attempt)
        if wait is None:
            return replace(seen, attempts=attempt, backoff_ms=waited, first_failure=first)
        await asyncio.sleep(wait / 1000)
        waited += wait
        attempt += 1


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
