"""A data-key store in memory, for tests and for trying the vault without a database."""

from msgspec.structs import replace

from ownkey.vault.ports import DataKey


class MemoryDataKeys:
    """Implements `ports.DataKeyStore`; everything is lost with the process."""

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
