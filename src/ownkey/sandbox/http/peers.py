"""The connections of a server, and how they end when it stops."""

import asyncio
from typing import Protocol


class Peer(Protocol):
    """One connection."""

    def close_if_idle(self, since: float) -> None: ...

    def abort(self) -> None: ...


class Peers:
    """The open connections. While `draining`, each closes after the answer under way; then `gone` is set."""

    def __init__(self) -> None:
        self.open: set[Peer] = set()
        self.draining = False
        self.gone = asyncio.Event()

    def joined(self, connection: Peer) -> None:
        self.open.add(connection)
        if self.draining:
            connection.abort()

    def left(self, connection: Peer) -> None:
        self.open.discard(connection)
        if self.draining and not self.open:
            self.gone.set()

    def drain(self, now: float) -> None:
        """Close what is idle and mark the rest to close."""
        self.draining = True
        self.close_idle(now)
        if not self.open:
            self.gone.set()

    def close_idle(self, since: float) -> None:
        """Close the connections that have had nothing to do since `since` (Unix seconds)."""
        for connection in tuple(self.open):
            connection.close_if_idle(since)

    def abort(self) -> None:
        for connection in tuple(self.open):
            connection.abort()
