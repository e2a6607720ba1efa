"""Follows the change feed, so that a write in any process is known in every process within a second."""

import asyncio
from collections.abc import Callable, Sequence

from ownkey.domain.errors import Unavailable
from ownkey.storage import changes
from ownkey.storage.database import Database

_INTERVAL = 0.25
"""Seconds between two looks at the feed: one indexed read, and the bound on how late a revocation is."""


class ChangeFollower:
    """Hands every topic of the feed to `listeners`, each of which forgets what the topic names."""

    def __init__(self, database: Database, listeners: Sequence[Callable[[str], None]]) -> None:
        self._database = database
        self._listeners = listeners
        self._seen = 0
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Begin at the feed's present end: nothing older can be in an empty cache."""
        async with self._database.read() as connection:
            self._seen = await changes.latest(connection)

    async def catch_up(self) -> None:
        """Apply everything written so far. Called after each write in this process, and by `run`."""
        async with self._lock:
            async with self._database.read() as connection:
                news = await changes.since(connection, self._seen)
            for change in news:
                for listener in self._listeners:
                    listener(change.topic)
                self._seen = change.seq

    async def run(self) -> None:
        """Look every quarter of a second until cancelled; a database that is away is asked again."""
        while True:
            await asyncio.sleep(_INTERVAL)
            try:
                await self.catch_up()
            except Unavailable:
                continue
