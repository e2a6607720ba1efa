"""An allowance over slices leased from the database."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial

from ownkey.domain.allowance import Allowance, Pool, Refused, Taken, Wait
from ownkey.domain.errors import OwnkeyError, Unavailable
from ownkey.domain.ids import new_id
from ownkey.domain.slices import Ask, Slices, Timing
from ownkey.storage.allowances.pools import Exchange, PoolStore

_PATIENCE_S = 5.0
"""Seconds a request waits for the store."""
_REST_S = 1.0
"""Seconds for which the store is not queried again after it failed."""
_RECALL_PAUSE_S = 0.1


_since_boot = partial(time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
"""Monotonic seconds that continue while the machine sleeps, where the system has such a clock."""


class LeasedAllowance(Allowance):
    """Takes from what this process holds. Exchanges with the store go one after another, each carrying all that is
    wanted by then. `run` renews, returns and answers recalls in the background; `close` returns everything."""

    def __init__(
        self, store: PoolStore, timing: Timing | None = None, clock: Callable[[], float] = _since_boot
    ) -> None:
        self._store = store
        self._timing = timing or Timing()
        self._clock = clock
        self._slices = Slices(clock, self._timing)
        self._run_id = new_id("run")
        self._exchanging = asyncio.Lock()
        self._queued: asyncio.Task[OwnkeyError | None] | None = None
        self._asked_at = clock()
        self._resume_at = 0.0

    def take(self, pools: Sequence[Pool], amounts: Sequence[int]) -> Taken | Refused | Wait:
        outcome = self._slices.take(pools, amounts)
        if self._slices.hungry:
            self._slices.hungry = False
            self._round()
        return outcome

    async def refill(self, wait: Wait) -> None:
        if self._clock() < self._resume_at:
            raise _away()
        if self._slices.recalling(wait):
            await asyncio.sleep(_RECALL_PAUSE_S)
        self._slices.expect(wait)
        failure = await asyncio.shield(self._round())
        if failure is not None:
            raise _away(failure.operator) from failure

    async def forget(self, pool_id: str) -> None:
        async with self._exchanging:
            self._slices.forget(pool_id)
            await self._store.forget(self._run_id, pool_id)

    async def run(self) -> None:
        """Look after the leases until cancelled."""
        while True:
            await asyncio.sleep(self._timing.tick_s)
            await self.tick()

    async def tick(self) -> None:
        """Return what is idle or recalled, and renew what is held."""
        if self._clock() < self._resume_at:
            return
        recalled: frozenset[str] = frozenset()
        if self._slices.holding:
            try:
                recalled = await self._store.recalled(self._run_id)
            except Unavailable:
                self._resume_at = self._clock() + _REST_S
        due = self._slices.review(recalled)
        if due or (self._slices.holding and self._clock() - self._asked_at >= self._timing.renewal_s):
            await asyncio.shield(self._round())

    async def close(self) -> None:
        """Return everything. When the store is away, the leases expire."""
        if self._slices.holding:
            self._slices.return_all()
            await self._round()

    def _round(self) -> asyncio.Task[OwnkeyError | None]:
        """The exchange that will carry what is wanted now."""
        if self._queued is None:
            self._queued = asyncio.create_task(self._exchange(), name="allowances")
        return self._queued

    async def _exchange(self) -> OwnkeyError | None:
        """Exchange once with the store; what went wrong, if anything."""
        async with self._exchanging:
            self._queued = None
            asked_at = self._clock()
            asks = self._slices.asks()
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    answer = await self._ask(asks)
                    if answer.expired:
                        self._slices.lost()
                        self._run_id = new_id("run")
                        asked_at = self._clock()
                        asks = [Ask(ask.pool, ask.need, ask.least, ask.want, 0, ()) for ask in asks]
                        answer = await self._ask(asks)
            except (OwnkeyError, TimeoutError) as error:
                self._slices.failed(asks, asked_at)
                self._resume_at = self._clock() + _REST_S
                return error if isinstance(error, OwnkeyError) else _away("the database did not answer in time")
            self._asked_at = asked_at
            self._slices.granted(asks, answer.grants, asked_at)
            return None

    async def _ask(self, asks: Sequence[Ask]) -> Exchange:
        return await self._store.exchange(self._run_id, asks, self._timing.validity_s)


def _away(reason: str = "the store of limits was away a moment ago") -> Unavailable:
    text = "Your limit cannot be checked right now: try again."
    return Unavailable(text, operator=reason, retry_after=_REST_S)
