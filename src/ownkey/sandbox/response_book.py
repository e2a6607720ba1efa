"""Responses that are kept for later: each belongs to the provider and key that asked for it."""

from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from ownkey.sandbox.context import Context

Account = tuple[str, str]
"""A provider's name and the key."""


class KeptResponse(Struct, frozen=True):
    """A response, and the items it answers, those of the responses before it included."""

    items: list[dict[str, Any]]
    response: dict[str, Any]


class ResponseBook:
    """The newest `capacity` responses of all accounts."""

    def __init__(self, capacity: int = 2000) -> None:
        self._capacity = capacity
        self._kept: dict[tuple[Account, str], KeptResponse] = {}

    def get(self, account: Account, response_id: str) -> KeptResponse | None:
        return self._kept.get((account, response_id))

    def put(self, account: Account, kept: KeptResponse) -> None:
        if len(self._kept) >= self._capacity:
            del self._kept[next(iter(self._kept))]
        self._kept[(account, kept.response["id"])] = kept

    def delete(self, account: Account, response_id: str) -> bool:
        """Whether there was one."""
        return self._kept.pop((account, response_id), None) is not None


def account_of(context: "Context") -> Account:
    key = context.plan.key
    return context.plan.provider, key.text if key is not None else ""
