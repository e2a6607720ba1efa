"""What an operator asks: which master keys there are, what refers to each, and whether that opens."""

from enum import StrEnum

from msgspec import Struct

from ownkey.vault.envelope import EnvelopeError
from ownkey.vault.keyring import Keyring
from ownkey.vault.ports import DataKeyStore


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
