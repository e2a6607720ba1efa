"""Counters of one sandbox process."""

from typing import Any


class Stats:
    """`streams` counts those started, `abandoned` the answers whose reader left before the end."""

    __slots__ = ("abandoned", "by_status", "connections", "open_streams", "requests", "streams")

    def __init__(self) -> None:
        self.requests = 0
        self.streams = 0
        self.open_streams = 0
        self.abandoned = 0
        self.connections = 0
        self.by_status: dict[int, int] = {}

    def count(self, status: int) -> None:
        self.by_status[status] = self.by_status.get(status, 0) + 1

    def describe(self) -> dict[str, Any]:
        """As JSON shows them."""
        return {
            "requests": self.requests,
            "by_status": {str(status): count for status, count in sorted(self.by_status.items())},
            "connections": self.connections,
            "streams": self.streams,
            "open_streams": self.open_streams,
            "abandoned": self.abandoned,
        }
