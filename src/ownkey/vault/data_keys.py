"""What the vault needs of storage: a store of wrapped data keys; and a store in memory.

Every implementation passes the contract suite in `tests/vault/store_contract.py`.
"""

from enum import StrEnum
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace


class Use(StrEnum):
    """What a data key is for: sealing secrets, or keyed hashes (fingerprints and peppers)."""

    SEAL = "seal"
    MAC = "mac"


class DataKey(Struct, frozen=True, kw_only=True):
    """A tenant's key, wrapped by the master key whose id is `master_version`. `created_at` is Unix seconds.

    `id` is 32 hexadecimal digits and is in the header of what the key sealed. Generations start at 1; lower ones and
    `retired` ones no longer seal and remain for reading.
    """

    id: str
    tenant: str
    use: str
    generation: int
    master_version: str
    wrapped: bytes
    created_at: float
    retired: bool = False


class DataKeyStore(Protocol):
    """Stores data keys. (tenant, use, generation) is unique.

    Each call is atomic, and durable when it returns. Raises domain.errors.Unavailable while the store does not respond.
    """

    async def get(self, key_id: str) -> DataKey | None:
        """The key with this id, retired ones too."""
        ...

    async def current(self, tenant: str, use: str) -> DataKey | None:
        """The one with the highest generation that is not retired."""
        ...

    async def add(self, key: DataKey) -> bool:
        """Store a new key; False if another process was first with this generation: read `current` again."""
        ...

    async def wrapped_under(self, version: str, limit: int) -> list[DataKey]:
        """At most `limit` keys wrapped by this master key, retired ones too, in the order of their ids."""
        ...

    async def rewrap(self, key_id: str, expected_wrapped: bytes, wrapped: bytes, version: str) -> bool:
        """Replace the wrapping if it is still `expected_wrapped`; whether it was."""
        ...

    async def count_by_version(self) -> dict[str, int]:
        """How many keys each master key wraps; one that wraps none is absent."""
        ...


class MemoryDataKeys:
    """A store in memory, for tests and for trying the vault without a database."""

    def __init__(self) -> None:
        self._keys: dict[str, DataKey] = {}

    async def get(self, key_id: str) -> DataKey | None:
        return self._keys.get(key_id)

    async def current(self, tenant: str, use: str) -> DataKey | None:
        fitting = [key for key in self._keys.values() if key.tenant == tenant and key.use == use and not key.retired]
        return max(fitting, key=lambda key: key.generation, default=None)

    async def add(self, key: DataKey) -> bool:
        slot = (key.tenant, key.use, key.generation)
        if any((other.tenant, other.use, other.generation) == slot for other in self._keys.values()):
            return False
        self._keys[key.id] = key
        return True

    async def wrapped_under(self, version: str, limit: int) -> list[DataKey]:
        fitting = [key for key in self._keys.values() if key.master_version == version]
        return sorted(fitting, key=lambda key: key.id)[:limit]

    async def rewrap(self, key_id: str, expected_wrapped: bytes, wrapped: bytes, version: str) -> bool:
        key = self._keys.get(key_id)
        if key is None or key.wrapped != expected_wrapped:
            return False
        self._keys[key_id] = replace(key, wrapped=wrapped, master_version=version)
        return True

    async def count_by_version(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for key in self._keys.values():
            counts[key.master_version] = counts.get(key.master_version, 0) + 1
        return counts
