"""The slices one process holds, and what it requests of the store: pure, with the time passed in."""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from ownkey.domain.allowance import CELLS, TAKEN, Pool, Refused, Taken, Wait

_USE_S = 5.0
"""Seconds of recent use that a slice is cut for."""
_STEADY = 4.0
"""Units in those seconds from which on a slice is leased; below, each request takes exactly its own."""
_REFUSAL_S = 1.0
"""Seconds for which a refusal is repeated without a query of the store, so that a flood costs it nothing."""


class Timing(Struct, frozen=True):
    """Seconds. A holder stops `validity_s` after its request, which it renews every `renewal_s` while it holds
    anything. Idle slices are returned after `idle_s`. If a pool is leased to others, a holder waits up to `recall_s`
    for them to return it."""

    validity_s: float = 60.0
    renewal_s: float = 20.0
    idle_s: float = 2.0
    recall_s: float = 1.0
    tick_s: float = 0.25


class Ask(Struct, frozen=True):
    """A holder's report and request about one pool. `keep` is what it holds unspent and retains, `spent` pairs (seconds
    ago, amount) not reported before. `need` is what waits, `least` the smallest amount of use, `want` what would be
    spent besides in the next seconds.
    """

    pool: Pool
    need: int
    least: int
    want: int
    keep: int
    spent: tuple[tuple[float, int], ...]


class Grant(Struct, frozen=True):
    """The reply. `kept` is how much of `Ask.keep` the store still knows. `retry_after` (seconds) is set when less
    than needed was granted; `leased` then says whether others hold some, which have been requested to return it."""

    units: int
    kept: int
    retry_after: float | None = None
    leased: bool = False


class _Slice:
    __slots__ = (
        "asked",
        "count",
        "cut_at",
        "due",
        "hungry",
        "last_at",
        "least",
        "left",
        "low",
        "mark",
        "need",
        "pool",
        "rate",
        "refused",
        "refused_until",
        "retry_at",
        "short_since",
        "spent",
        "trend",
        "used",
    )

    def __init__(self, pool: Pool, now: float) -> None:
        self.use(pool)
        self.count = 0
        """Spent since `last_at` was in another cell."""
        self.last_at = now
        self.spent: list[tuple[float, int]] = []
        self.need = self.least = 0
        self.asked = False
        """Whether a caller waits, or a request to the store is under way."""
        self.used, self.trend, self.mark = 0, 0.0, now
        self.cut_at = now
        self.due = False
        """Whether what was spent is to be reported and what is too much returned."""

    def use(self, pool: Pool) -> None:
        """Begin anew under `pool`'s limit: what is held was cut from another."""
        self.pool = pool
        self.rate = CELLS / pool.window_s
        self.left, self.low, self.hungry = 0, -1, False
        self.refused = 0
        """The amount that was refused; less may still be had."""
        self.refused_until = self.retry_at = 0.0
        self.short_since: float | None = None

    def recent(self, now: float) -> float:
        """Units used in the last seconds, about."""
        passed = now - self.mark
        if passed >= _USE_S:
            self.trend, self.used, self.mark = self.used * _USE_S / passed, 0, now
            return self.trend
        return self.used + self.trend * (1 - passed / _USE_S)

    def unreported(self) -> list[tuple[float, int]]:
        """All that was spent and not reported; from now on it is the caller's to report."""
        spent = self.spent
        if self.count:
            spent.append((self.last_at, self.count))
        self.spent, self.count = [], 0
        return spent


class Slices:
    """What is held of each pool. Times come from `clock`, monotonic seconds that count suspension.

    Spending is remembered with the time of its last unit in each sixtieth of the window and reported by its age, so
    that the store, whose clock decides, dates it no earlier than it was.
    """

    def __init__(self, clock: Callable[[], float], timing: Timing) -> None:
        self._clock = clock
        self._timing = timing
        self._slices: dict[str, _Slice] = {}
        self._valid_until = 0.0
        self._returning = False
        self.hungry = False
        """Whether a slice has become low and should be refilled ahead of need."""

    def take(self, pools: Sequence[Pool], amounts: Sequence[int]) -> Taken | Refused | Wait:
        """See `Allowance.take`."""
        now = self._clock()
        if now >= self._valid_until > 0:
            self.stop()
        slices = self._slices
        for pool, amount in zip(pools, amounts, strict=True):
            held = slices.get(pool.id)
            if held is None or held.left < amount or (held.pool is not pool and held.pool != pool):
                return self._missing(pools, amounts, now)
        for pool, amount in zip(pools, amounts, strict=True):
            held = slices[pool.id]
            held.left = left = held.left - amount
            if int(now * held.rate) != int(held.last_at * held.rate) and held.count:
                held.spent.append((held.last_at, held.count))
                held.count = 0
            held.count += amount
            held.used += amount
            held.last_at = now
            if left <= held.low:
                held.low = -1
                held.hungry = self.hungry = True
        return TAKEN

    def _missing(self, pools: Sequence[Pool], amounts: Sequence[int], now: float) -> Refused | Wait:
        if len({pool.id for pool in pools}) != len(pools):
            raise ValueError("A pool is named twice.")
        short: list[tuple[Pool, int]] = []
        for pool, amount in zip(pools, amounts, strict=True):
            held = self._slices.get(pool.id)
            if held is None:
                self._slices[pool.id] = held = _Slice(pool, now)
            elif held.pool != pool:
                held.use(pool)
            if held.left >= amount:
                continue
            if now < held.refused_until and amount >= held.refused:
                return Refused(pool, held.retry_at - now)
            short.append((pool, amount))
        return Wait(tuple(short))

    def expect(self, wait: Wait) -> None:
        """Note what is waited for; the next `asks` carries it."""
        now = self._clock()
        for pool, amount in wait.short:
            held = self._slices.get(pool.id)
            if held is None:
                self._slices[pool.id] = held = _Slice(pool, now)
            held.least = min(held.least, amount) if held.need else amount
            held.need += amount
            held.asked = True

    def recalling(self, wait: Wait) -> bool:
        """Whether others have been requested to return what callers wait for."""
        helds = (self._slices.get(pool.id) for pool, _ in wait.short)
        return any(held is not None and held.short_since is not None for held in helds)

    def asks(self) -> list[Ask]:
        """The request to the store now. What is not retained is given up immediately, before the store leases it to
        others."""
        now = self._clock()
        self.hungry = False
        return [self._ask(held, now) for held in self._slices.values() if held.need or held.hungry or held.due]

    def _ask(self, held: _Slice, now: float) -> Ask:
        recent = held.recent(now)
        if self._returning:
            held.left = 0
        elif held.due:
            held.left = min(held.left, int(recent)) if now - held.last_at < self._timing.idle_s else 0
        want = int(recent) - held.left if recent >= _STEADY and not held.due else 0
        held.due = held.hungry = False
        spent = tuple([(now - at, amount) for at, amount in held.unreported()])
        ask = Ask(held.pool, held.need, held.least, max(want, 0), held.left, spent)
        held.need = held.least = 0
        return ask

    def granted(self, asks: Sequence[Ask], grants: Sequence[Grant], asked_at: float) -> None:
        """Apply the store's reply to the request of `asked_at`."""
        self._valid_until = asked_at + self._timing.validity_s
        now = self._clock()
        for ask, grant in zip(asks, grants, strict=True):
            held = self._slices.get(ask.pool.id)
            if held is None:
                continue
            if held.pool != ask.pool:
                # Under another limit by now: what was granted goes back.
                held.due = True
                continue
            held.left = max(held.left - (ask.keep - grant.kept), 0) + grant.units
            held.low = held.left // 2 if grant.units > ask.need else -1
            held.cut_at = now
            held.asked = held.need > 0
            if grant.retry_after is not None:
                self._came_short(held, ask.least, grant, now)
            elif ask.need:
                held.short_since = None

    def _came_short(self, held: _Slice, least: int, grant: Grant, now: float) -> None:
        if grant.leased:
            if held.short_since is None:
                held.short_since = now
            if now - held.short_since < self._timing.recall_s:
                return
        held.short_since = None
        held.refused = least
        held.retry_at = now + (grant.retry_after or 0.0)
        held.refused_until = min(held.retry_at, now + _REFUSAL_S)

    def failed(self, asks: Iterable[Ask], asked_at: float) -> None:
        """The store did not answer: it may have heard or not. What was spent is reported again, which at worst counts
        it twice; what was granted without our hearing of it goes back with the next report."""
        for ask in asks:
            held = self._slices.get(ask.pool.id)
            if held is not None:
                held.spent[:0] = [(asked_at - age, amount) for age, amount in ask.spent]
                held.due = True
                held.asked = held.need > 0

    def stop(self) -> None:
        """Use nothing of what is held any more: it was not renewed in time. What was spent is still to be reported."""
        self._valid_until = 0.0
        for held in self._slices.values():
            held.left, held.low = 0, -1

    def lost(self) -> None:
        """The store has counted all that was leased as spent: there is nothing left to use or report."""
        self.stop()
        for held in self._slices.values():
            held.unreported()

    def review(self, recalled: Iterable[str]) -> bool:
        """Mark what has to be reported or returned: what is idle, cut long ago, or `recalled`. True if anything is."""
        now = self._clock()
        called = frozenset(recalled)
        found = False
        for pool_id, held in list(self._slices.items()):
            idle = now - held.last_at >= self._timing.idle_s
            if held.left or held.spent or held.count or held.due:
                if pool_id in called:
                    held.left = 0
                if pool_id in called or idle or now - held.cut_at >= 2 * _USE_S:
                    held.due = True
                found = found or held.due
            elif idle and not held.asked and now >= held.refused_until and held.short_since is None:
                del self._slices[pool_id]
        return found

    def forget(self, pool_id: str) -> None:
        """Drop what is held and known of a pool."""
        self._slices.pop(pool_id, None)

    @property
    def holding(self) -> bool:
        """Whether anything is held or not reported yet."""
        return any(held.left or held.spent or held.count for held in self._slices.values())

    def return_all(self) -> None:
        """Let every `asks` from now on retain nothing, as before the end of the process."""
        self._returning = True
        for held in self._slices.values():
            held.due = True
