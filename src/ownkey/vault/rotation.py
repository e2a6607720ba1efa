"""Rotating, retiring and forgetting master keys, and verifying what each of them opens."""

import time
from contextlib import nullcontext
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from ownkey.vault.data_keys import DataKey, DataKeyStore
from ownkey.vault.envelope import EnvelopeError
from ownkey.vault.keyring import Keyring
from ownkey.vault.master_key import MasterKeyError
from ownkey.vault.sources import FileKeys

_BATCH = 200
FORGET_AFTER = 3600.0
"""Seconds between retiring and forgetting: no process stores a data key for so long."""


class RotationReport(Struct, frozen=True):
    """What a rotation did.

    `retired` are the ids of the master keys that this run found no longer needed. `finished_earlier`: it completed an
    interrupted rotation and created no new key. `unreadable` are the ids of data keys that do not open under their
    master key and were left as they are. `advice` is the next step, for the operator.
    """

    primary: str
    rewrapped: int
    retired: tuple[str, ...]
    unreadable: tuple[str, ...]
    finished_earlier: bool
    advice: str


async def rotate(keyring: Keyring, store: DataKeyStore) -> RotationReport:
    """Bring every data key under a new master key (a file), or under OWNKEY_MASTER_KEY (the environment).

    Raises MasterKeyError, having changed nothing, when the store needs a master key that is not here,
    has no data keys (it is then hardly the right one), or another rotation of the file is running.
    """
    source = keyring.source
    with source.rotating() if isinstance(source, FileKeys) else nullcontext():
        return await _rotate(keyring, store)


async def forget(keyring: Keyring, store: DataKeyStore, key_id: str, now: float) -> None:
    """Erase a retired master key from the file. `now` is in Unix seconds.

    What only it can read, backups of the database above all, is lost then. Raises MasterKeyError when
    a data key refers to it, it is not retired, or was retired less than an hour ago.
    """
    source = keyring.source
    if not isinstance(source, FileKeys):
        raise MasterKeyError(f"{keyring.place} is not ours to change: take the key out of OWNKEY_MASTER_KEY_PREVIOUS")
    with source.rotating():
        keyring.reload()
        known = {key.id: key for key in keyring.keys}
        if key_id not in known:
            raise MasterKeyError(f"{keyring.place} has no master key {key_id}")
        retired_at = known[key_id].retired_at
        if retired_at is None:
            raise MasterKeyError(f"the master key {key_id} is in use: only a retired one can be forgotten")
        if now < retired_at + FORGET_AFTER:
            raise MasterKeyError(f"the master key {key_id} was retired less than an hour ago: try again later")
        needed = await _needed(keyring, store)
        if key_id in needed:
            raise MasterKeyError(f"{needed[key_id]} data keys need the master key {key_id}: run a rotation first")
        source.forget(key_id)
        keyring.reload()


async def _rotate(keyring: Keyring, store: DataKeyStore) -> RotationReport:
    source = keyring.source
    keyring.reload()
    await _needed(keyring, store)
    left_over = any(key.retired_at is None for key in keyring.keys[1:])
    rewrapped, retired, unreadable = await _finish(keyring, store)
    finished_earlier = left_over and (rewrapped > 0 or bool(retired))
    # What an earlier run could not rewrap because it is damaged must not prevent the next key.
    if isinstance(source, FileKeys) and not finished_earlier:
        source.add_primary()
        keyring.reload()
        more, retired, unreadable = await _finish(keyring, store)
        rewrapped += more
    advice = _advice(keyring, retired, unreadable, finished_earlier=finished_earlier)
    return RotationReport(keyring.primary, rewrapped, retired, unreadable, finished_earlier, advice)


async def _finish(keyring: Keyring, store: DataKeyStore) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
    """Rewrap everything, then retire what nothing refers to: (rewrapped, retired, unreadable)."""
    rewrapped, unreadable = await _rewrap_all(keyring, store)
    needed = await _needed(keyring, store)
    older = (key.id for key in keyring.keys[1:] if key.retired_at is None)
    retired = tuple(key_id for key_id in older if key_id not in needed)
    if isinstance(keyring.source, FileKeys):
        for key_id in retired:
            keyring.source.retire(key_id, time.time())
        keyring.reload()
    return rewrapped, retired, tuple(sorted(unreadable))


async def _rewrap_all(keyring: Keyring, store: DataKeyStore) -> tuple[int, set[str]]:
    """(how many were rewrapped, ids of those that do not open)."""
    rewrapped = 0
    unreadable: set[str] = set()
    while True:
        met = 0
        for version in await _needed(keyring, store):
            if version == keyring.primary:
                continue
            # The unreadable ones stay under their version, so the batch grows by them.
            for row in await store.wrapped_under(version, _BATCH + len(unreadable)):
                if row.id in unreadable:
                    continue
                met += 1
                try:
                    wrapped, primary = _rewrap(keyring, row)
                except EnvelopeError:
                    unreadable.add(row.id)
                else:
                    rewrapped += await store.rewrap(row.id, row.wrapped, wrapped, primary)
        if not met:
            return rewrapped, unreadable


def _rewrap(keyring: Keyring, row: DataKey) -> tuple[bytes, str]:
    """(wrapping under the primary, its id); opened again before the only other copy is replaced."""
    key = keyring.unwrap(row)
    wrapped, primary = keyring.wrap(row.id, row.tenant, row.use, key)
    if keyring.unwrap(replace(row, wrapped=wrapped, master_version=primary)) != key:
        raise EnvelopeError("the new wrapping does not open to the same key")
    return wrapped, primary


async def _needed(keyring: Keyring, store: DataKeyStore) -> dict[str, int]:
    needed = await store.count_by_version()
    if not needed:
        raise MasterKeyError(
            "the database holds no data keys: nothing to rotate. Is OWNKEY_DATABASE_URL the right one?"
        )
    keyring.require(needed)
    return needed


def _advice(keyring: Keyring, retired: tuple[str, ...], unreadable: tuple[str, ...], *, finished_earlier: bool) -> str:
    lines: list[str] = []
    if unreadable:
        lines.append(
            f"{len(unreadable)} data keys do not open and were left as they are: "
            "restore them from a backup of the database, or let their owners save their keys again."
        )
    if isinstance(keyring.source, FileKeys):
        if finished_earlier:
            lines.append("A rotation that was cut off is complete now; run this again to make a new key.")
        lines.append(f"Back up {keyring.source.path.absolute()}: it has changed.")
        if retired:
            lines.append(
                "The retired key stays in the file, because backups of the database made before need it; "
                "when they are gone, forget it."
            )
    elif len(keyring.ids) == 1:
        lines.append(
            "Nothing to do: to rotate, make a key with `openssl rand -base64 32`, set OWNKEY_MASTER_KEY to it and "
            "OWNKEY_MASTER_KEY_PREVIOUS to the one there now, restart every process, and run this again."
        )
    elif unreadable:
        lines.append("Keep OWNKEY_MASTER_KEY_PREVIOUS as it is.")
    else:
        lines.append(
            "When every process runs with the new OWNKEY_MASTER_KEY, OWNKEY_MASTER_KEY_PREVIOUS may be removed; "
            "store the old key as long as earlier backups of the database."
        )
    return " ".join(lines)


class MasterKeyState(StrEnum):
    """`missing`: data keys need it and it is not here."""

    PRIMARY = "primary"
    READING = "reading"
    RETIRED = "retired"
    MISSING = "missing"


class MasterKeyStatus(Struct, frozen=True):
    """One master key: how many data keys it wraps, how many of those were tried and which did not open."""

    id: str
    state: MasterKeyState
    references: int
    tried: int
    unreadable: tuple[str, ...]


async def verify(keyring: Keyring, store: DataKeyStore, sample: int = 1000) -> tuple[MasterKeyStatus, ...]:
    """The status of every master key, the primary first, the missing last.

    At most `sample` data keys of each are tried. Raises MasterKeyError when the source cannot be read.
    """
    keyring.reload()
    counts = await store.count_by_version()
    found: list[MasterKeyStatus] = []
    for number, key in enumerate(keyring.keys):
        state = MasterKeyState.PRIMARY if number == 0 else MasterKeyState.READING
        if key.retired_at is not None:
            state = MasterKeyState.RETIRED
        tried, unreadable = await _try(keyring, store, key.id, sample) if key.id in counts else (0, ())
        found.append(MasterKeyStatus(key.id, state, counts.get(key.id, 0), tried, unreadable))
    missing = (version for version in counts if version not in keyring.ids)
    found += (MasterKeyStatus(version, MasterKeyState.MISSING, counts[version], 0, ()) for version in missing)
    return tuple(found)


async def _try(keyring: Keyring, store: DataKeyStore, version: str, sample: int) -> tuple[int, tuple[str, ...]]:
    rows = await store.wrapped_under(version, sample)
    unreadable: list[str] = []
    for row in rows:
        try:
            keyring.unwrap(row)
        except EnvelopeError:
            unreadable.append(row.id)
    return len(rows), tuple(unreadable)
