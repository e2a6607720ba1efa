"""What requests show about keys: cool-downs in memory, health and last use written behind the requests."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from ownkey.domain.credential import Credential, CredentialStatus
from ownkey.domain.errors import Unavailable
from ownkey.domain.ids import CredentialId
from ownkey.domain.plan import Rest, RestKey
from ownkey.providers.verdict import Verdict
from ownkey.storage import api_keys, changes, credentials
from ownkey.storage.database import Database

_CAPACITY = 20_000
_LAST_USE_INTERVAL = 10.0
"""Seconds at most between two writes of when keys were last used."""
_PAUSE = 0.5
"""Seconds between two writes of health: a failing key under load costs one write, not thousands."""


class KeyHealth:
    """`resting` is what plans read. `run` writes status changes and last uses until cancelled.

    `clock` gives Unix seconds.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self.resting: dict[RestKey, Rest] = {}
        self._states: dict[CredentialId, tuple[Credential, CredentialStatus, str]] = {}
        self._used: dict[str, float] = {}
        self._api_keys_used: dict[str, float] = {}
        self._wake = asyncio.Event()

    def failed(self, credential: Credential, model: str, verdict: Verdict) -> None:
        """Let the key rest as the verdict says and note its new state."""
        if verdict.rest_seconds > 0:
            if len(self.resting) >= _CAPACITY:
                self.forget_past_rests()
            whole_key = verdict.credential_status is not None
            until = self._clock() + verdict.rest_seconds
            self.resting[credential.id, "" if whole_key else model] = Rest(until, verdict.stated)
        if verdict.credential_status is not None:
            self.note(credential, verdict.credential_status, verdict.message)

    def succeeded(self, credential: Credential, model: str) -> None:
        """The key answered: it is valid, rested or not."""
        if self.resting:
            self.resting.pop((credential.id, model), None)
            self.resting.pop((credential.id, ""), None)
        if credential.status is not CredentialStatus.VALID:
            self.note(credential, CredentialStatus.VALID, "")
        self._used[credential.id] = self._clock()

    def api_key_used(self, api_key_id: str, at: float) -> None:
        """An Ownkey key was accepted at `at` (Unix seconds)."""
        self._api_keys_used[api_key_id] = at

    def note(self, credential: Credential, status: CredentialStatus, detail: str) -> None:
        """Have the state written soon, unless the row says so already."""
        if credential.status is not status or credential.status_detail != detail:
            self._states[credential.id] = (credential, status, detail)
            self._wake.set()

    async def run(self) -> None:
        """Write what was noted, at most twice a second, until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), timeout=_LAST_USE_INTERVAL)
            self._wake.clear()
            await self.write()
            # Plans are kept only while no key rests.
            self.forget_past_rests()
            await asyncio.sleep(_PAUSE)

    async def write(self) -> None:
        """Write what was noted now; when the database is away it stays noted."""
        await self._write_states()
        await self._write_uses()

    async def _write_states(self) -> None:
        states, self._states = self._states, {}
        if not states:
            return
        try:
            async with self._database.write() as connection:
                topics: list[str] = []
                # Rows in one order and the feed last: two processes that write at once wait instead of deadlocking.
                for _, (credential, status, detail) in sorted(states.items()):
                    version = credential.version
                    if await credentials.set_status(connection, credential.id, status, detail, version=version):
                        topics.append(changes.owner_topic(credential.owner))
                for topic in sorted(set(topics)):
                    await changes.append(connection, topic)
        except Unavailable:
            self._states = states | self._states

    async def _write_uses(self) -> None:
        used, self._used = self._used, {}
        keys, self._api_keys_used = self._api_keys_used, {}
        if not (used or keys):
            return
        try:
            async with self._database.write() as connection:
                await credentials.touch_used(connection, used)
                await api_keys.touch_used(connection, keys)
        except Unavailable:
            self._used = used | self._used
            self._api_keys_used = keys | self._api_keys_used

    def forget_past_rests(self) -> None:
        """Drop rests that are over, and the oldest where there are too many."""
        if self.resting:
            now = self._clock()
            for key in [key for key, rest in self.resting.items() if rest.until <= now]:
                del self.resting[key]
        while len(self.resting) >= _CAPACITY:
            del self.resting[next(iter(self.resting))]
