"""Rotating the master key while traffic flows: add, make primary, rewrap every data key, retire the old.

Each step leaves a state in which every secret opens, so the rotation may be killed anywhere and run
again. Stored secrets and keyed hashes do not change: they depend on data keys, and only these are rewrapped.
"""

import asyncio

from msgspec import Struct

from ownkey.vault.errors import MasterKeyError
from ownkey.vault.keyring import Keyring
from ownkey.vault.ports import DataKeyStore
from ownkey.vault.sources import FileKeys

_BATCH = 200
GRACE = 2.0


class RotationReport(Struct, frozen=True):
    """What a rotation did. `retired` are the ids of master keys that nothing refers to any more."""

    primary: str
    rewrapped: int
    retired: tuple[str, ...]
    removed_from_file: bool


async def rotate(keyring: Keyring, store: DataKeyStore, grace: float = GRACE) -> RotationReport:
    """Bring every data key under a new master key (a file), or under OWNKEY_MASTER_KEY (the environment).

    A file that still holds an older key was left by a rotation that was cut off: that one is finished first,
    without making another key. `grace` (seconds) passes before an old key is removed, so that a data key which
    another process was just making under it is seen and rewrapped too.
    """
    source = keyring.source
    keyring.reload()
    if isinstance(source, FileKeys) and len(keyring.ids) == 1:
        source.add_primary()
        keyring.reload()
    rewrapped = await rewrap_all(keyring, store)
    await asyncio.sleep(grace)
    rewrapped += await rewrap_all(keyring, store)
    needed = await store.count_by_version()
    unneeded = tuple(version for version in keyring.ids if version != keyring.primary and version not in needed)
    if isinstance(source, FileKeys):
        for version in unneeded:
            source.remove(version)
        keyring.reload()
    return RotationReport(keyring.primary, rewrapped, unneeded, isinstance(source, FileKeys))


async def rewrap_all(keyring: Keyring, store: DataKeyStore) -> int:
    """Rewrap what other master keys wrap; how many. Raises MasterKeyError when one of those is not here."""
    count = 0
    while True:
        versions = await store.count_by_version()
        older = [version for version in versions if version != keyring.primary]
        if not older:
            return count
        for version in older:
            if version not in keyring.ids:
                raise MasterKeyError(f"{versions[version]} data keys need the master key {version}, which is not here")
            for row in await store.wrapped_under(version, _BATCH):
                wrapped, primary = keyring.wrap(row.id, row.tenant, row.use, keyring.unwrap(row))
                count += await store.rewrap(row.id, row.wrapped, wrapped, primary)
