"""Unwrapped data keys in memory: few, for minutes, and one load at a time for each."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

from ownkey.domain.errors import SecretUnreadable, Unavailable
from ownkey.vault.data_keys import DataKey, Use
from ownkey.vault.envelope import Subkey, derive_subkey

_OUTAGE = 3600.0
"""Seconds that a held key outlives its lifetime while the store is away, so that it continues to work."""
_RETRY = 30.0
"""Seconds between attempts to reach the store during such a time."""


class HeldKey:
    """A data key in memory. Times are monotonic seconds, but `created_at` is Unix; subkeys are derived once."""

    __slots__ = ("_subkeys", "created_at", "generation", "id", "key", "loaded", "tenant", "until", "use")

    def __init__(self, row: DataKey, key: bytes, loaded: float, until: float) -> None:
        self.id = bytes.fromhex(row.id)
        self.tenant = row.tenant
        self.use = row.use
        self.generation = row.generation
        self.created_at = row.created_at
        self.key = key
        self.loaded = loaded
        self.until = until
        self._subkeys: dict[str, Subkey] = {}

    def __repr__(self) -> str:
        return f"HeldKey({self.id.hex()})"

    def subkey(self, purpose: str) -> Subkey:
        """The cipher and commitment for a purpose."""
        found = self._subkeys.get(purpose)
        if found is None:
            found = self._subkeys[purpose] = derive_subkey(self.key, purpose)
        return found


class HeldKeys:
    """At most `capacity` keys, each for `lifetime` seconds; the oldest goes first.

    `unwrap` raises SecretUnreadable. While `fetch` raises Unavailable, a key that was held serves on for an hour.
    """

    def __init__(
        self,
        fetch: Callable[[str], Awaitable[DataKey | None]],
        unwrap: Callable[[DataKey], bytes],
        lifetime: float,
        capacity: int,
    ) -> None:
        self._fetch = fetch
        self._unwrap = unwrap
        self._lifetime = lifetime
        self._capacity = capacity
        self._held: dict[bytes, HeldKey] = {}
        self._current: dict[tuple[str, str], bytes] = {}
        self._loading: dict[bytes, asyncio.Task[HeldKey | None]] = {}

    def current(self, tenant: str, use: Use) -> HeldKey | None:
        """The key that was added last as the tenant's current one, while it is fresh."""
        held = self._held.get(self._current.get((tenant, use), b""))
        return held if held is not None and held.until > time.monotonic() else None

    async def get(self, key_id: bytes) -> HeldKey | None:
        """The key with this id, from memory or the store; None when it does not exist."""
        held = self._held.get(key_id)
        if held is not None and held.until > time.monotonic():
            return held
        task = self._loading.get(key_id)
        if task is None:
            task = self._loading[key_id] = asyncio.create_task(self._load(key_id))
            task.add_done_callback(partial(self._loaded, key_id))
        try:
            # Shielded: a caller who gives up must not fail the others who wait for the same key.
            return await asyncio.shield(task)
        except SecretUnreadable:
            raise
        except Unavailable:
            now = time.monotonic()
            if held is None or held.loaded + self._lifetime + _OUTAGE < now:
                raise
            held.until = now + _RETRY
            return held

    def add(self, row: DataKey, *, current: bool = False) -> HeldKey:
        """Unwrap and hold a key. Raises SecretUnreadable."""
        key_id = bytes.fromhex(row.id)
        self._held.pop(key_id, None)
        now = time.monotonic()
        held = HeldKey(row, self._unwrap(row), now, now + self._lifetime)
        self._make_room(now)
        self._held[key_id] = held
        if current:
            self._current[row.tenant, row.use] = key_id
        return held

    def clear(self) -> None:
        """Forget every key."""
        self._held.clear()
        self._current.clear()

    def _make_room(self, now: float) -> None:
        while self._held:
            oldest = next(iter(self._held.values()))
            if len(self._held) < self._capacity and oldest.loaded + self._lifetime + _OUTAGE > now:
                break
            del self._held[oldest.id]
            if self._current.get((oldest.tenant, oldest.use)) == oldest.id:
                del self._current[oldest.tenant, oldest.use]

    async def _load(self, key_id: bytes) -> HeldKey | None:
        row = await self._fetch(key_id.hex())
        if row is None:
            self._held.pop(key_id, None)
            return None
        return self.add(row)

    def _loaded(self, key_id: bytes, task: asyncio.Task[HeldKey | None]) -> None:
        self._loading.pop(key_id, None)
        if not task.cancelled():
            # Marks an error as seen when every caller has given up.
            task.exception()
