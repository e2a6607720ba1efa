"""Limits as allowances: pools of requests that callers take from, at most so much in any window of time.

`Allowance.take` never waits. If it would have to wait it returns a value, `Wait`, so that callers on the hot path need
no coroutine while their slices suffice. Two implementations share one contract: `MemoryAllowance` for one process, and
`storage.allowances.LeasedAllowance` for many, which leases slices of a pool from the database.

Which rules hold for which kind of pool:

- A *rate* pool (the only kind today) renews itself. At most `limit` units are taken in any `window_s` seconds. A
  leased slice whose holder dies counts as spent at the moment it expires and leaves the window like any other
  spending: nobody has to write it off, and nothing needs to be known about what its holder did with it.
- A *total* (money, tokens of a month) does not renew itself. Its slices, tables and limits are the same, but an
  expired lease of a dead process stays spent until its journal has been replayed or an operator writes it off.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

CELLS = 60
"""Parts of a window by which spending is recorded once there is too much of it to record each time."""


class Pool(Struct, frozen=True):
    """A rate pool: at most `limit` of `unit` in any `window_s` seconds. `id` names it over all processes."""

    id: str
    limit: int
    window_s: float = 60.0
    unit: str = "requests"


class Taken(Struct, frozen=True):
    """The amounts are the caller's."""


class Refused(Struct, frozen=True):
    """`pool` is used up: nothing was taken. There is room again in `retry_after` seconds, if nobody else takes it."""

    pool: Pool
    retry_after: float


class Wait(Struct, frozen=True):
    """This process holds too little of these pools: pass this to `refill`, then retry."""

    short: tuple[tuple[Pool, int], ...]


TAKEN = Taken()


class Allowance(ABC):
    """Takes amounts from pools, from all of them or from none."""

    @abstractmethod
    def take(self, pools: Sequence[Pool], amounts: Sequence[int]) -> Taken | Refused | Wait:
        """Take `amounts[i]` (at least 1) from `pools[i]`; anything but Taken takes nothing.

        The pools must be different: two limits under one id would take turns forever.
        """

    @abstractmethod
    async def refill(self, wait: Wait) -> None:
        """Lease what was missing, as far as it is free. Raises Unavailable when the store cannot be reached."""

    @abstractmethod
    async def forget(self, pool_id: str) -> None:
        """Forget what has been taken from a pool. Raises Unavailable."""

    async def acquire(self, pools: Sequence[Pool], amounts: Sequence[int]) -> Taken | Refused:
        """As `take`, waiting where that is needed. Raises Unavailable."""
        while True:
            outcome = self.take(pools, amounts)
            if not isinstance(outcome, Wait):
                return outcome
            await self.refill(outcome)


class SlidingWindow:
    """What was spent in the last `window_s` seconds: (time, amount) pairs.

    A few times are stored exactly, more to a sixtieth of the window, rounded up, so that spending never leaves the
    window early.
    """

    __slots__ = ("_window_s", "spends")

    def __init__(self, window_s: float, spends: Iterable[tuple[float, int]] = ()) -> None:
        self._window_s = window_s
        self.spends = [(at, amount) for at, amount in spends]

    def total(self, now: float) -> int:
        """What is in the window at `now`. After a clock was set back, spending of the future counts as of now: it
        stays for one window and no longer."""
        start = now - self._window_s
        self.spends = [(min(at, now), amount) for at, amount in self.spends if at > start]
        return sum(amount for _, amount in self.spends)

    def add(self, at: float, amount: int) -> None:
        self.spends.append((at, amount))
        if len(self.spends) <= CELLS:
            return
        cells: dict[int, tuple[float, int]] = {}
        for time, spent in self.spends:
            cell = int(time * CELLS / self._window_s)
            latest, sum_ = cells.get(cell, (time, 0))
            cells[cell] = (max(latest, time), sum_ + spent)
        self.spends = list(cells.values())

    def room_in(self, room: int, need: int, now: float) -> float:
        """Seconds until `need` fits, when `room` (less than that) is free now; a whole window when spending that is not
        in the window yet prevents it."""
        for at, amount in sorted(self.spends):
            room += amount
            if room >= need:
                return max(at + self._window_s - now, 0.0)
        return self._window_s


class MemoryAllowance(Allowance):
    """Pools of one process, forgotten when it ends. `clock` is monotonic, in seconds. Never answers Wait."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._windows: dict[str, SlidingWindow] = {}

    def take(self, pools: Sequence[Pool], amounts: Sequence[int]) -> Taken | Refused | Wait:
        now = self._clock()
        for pool, amount in zip(pools, amounts, strict=True):
            window = self._windows.setdefault(pool.id, SlidingWindow(pool.window_s))
            room = pool.limit - window.total(now)
            if room < amount:
                return Refused(pool, window.room_in(room, amount, now))
        for pool, amount in zip(pools, amounts, strict=True):
            self._windows[pool.id].add(now, amount)
        return TAKEN

    async def refill(self, wait: Wait) -> None:
        """Nothing is ever missing here."""

    async def forget(self, pool_id: str) -> None:
        self._windows.pop(pool_id, None)


def slice_size(free: int, need: int, least: int, want: int, runs: int) -> int:
    """How much of `free` units a process gets that needs `need` now and would spend `want` more in five seconds.

    `least` is the smallest single need in `need`; below it nothing is of use. `runs` live processes share the pool.
    A slice leaves room for all of them, and near the end it shrinks to exactly what is needed.
    """
    if free < max(least, 1):
        return 0
    if free < need:
        return free
    return max(need, min(free // (2 * runs), need + want))
