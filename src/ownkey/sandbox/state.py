"""What a sandbox keeps beyond one request: counters, calls per model, and stored responses."""

from typing import Any

from msgspec import Struct


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


Account = tuple[str, str]
"""A provider's name and the key."""


class StoredResponse(Struct, frozen=True):
    """A response, and the items it answers, those of the responses before it included."""

    items: list[dict[str, Any]]
    response: dict[str, Any]


class ResponseStore:
    """The newest `capacity` responses of all accounts."""

    def __init__(self, capacity: int = 2000) -> None:
        self._capacity = capacity
        self._kept: dict[tuple[Account, str], StoredResponse] = {}

    def get(self, account: Account, response_id: str) -> StoredResponse | None:
        return self._kept.get((account, response_id))

    def put(self, account: Account, kept: StoredResponse) -> None:
        if len(self._kept) >= self._capacity:
            del self._kept[next(iter(self._kept))]
        self._kept[(account, kept.response["id"])] = kept

    def delete(self, account: Account, response_id: str) -> bool:
        """Whether there was one."""
        return self._kept.pop((account, response_id), None) is not None


class State:
    """What lasts beyond one question: how often each model was called, and the responses kept for later.

    `seed` is the sandbox's own.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.responses = ResponseStore()
        self.calls: dict[str, int] = {}

    def count_call(self, name: str) -> int:
        """How many times `name` has been called, this one included."""
        calls = self.calls[name] = self.calls.get(name, 0) + 1
        return calls
