"""The master keys in use, and the wrapping of data keys under them."""

import os

from ownkey.vault.data_keys import DataKey
from ownkey.vault.envelope import NONCE_SIZE, EnvelopeError, Place, Subkey, derive_subkey, open_envelope, seal
from ownkey.vault.master_key import MasterKey, MasterKeyError
from ownkey.vault.sources import KeySource

_PURPOSE = "data-key"


class Keyring:
    """Wraps under the primary key, unwraps under any. It reads its source again for an unknown key id, so that a
    running server follows another process's rotation."""

    def __init__(self, source: KeySource) -> None:
        self.source = source
        self._keys: tuple[MasterKey, ...] = ()
        self._subkeys: dict[str, Subkey] = {}
        self.reload()

    @property
    def primary(self) -> str:
        """The id of the key that wraps new data keys."""
        return self._keys[0].id

    @property
    def ids(self) -> tuple[str, ...]:
        """Every key's id, the primary first."""
        return tuple(self._subkeys)

    @property
    def keys(self) -> tuple[MasterKey, ...]:
        """The keys themselves, the primary first."""
        return self._keys

    @property
    def place(self) -> str:
        """Where the keys are stored, for a person to read."""
        return self.source.place

    def reload(self) -> None:
        """Read the source again. Raises MasterKeyError, and then changes nothing."""
        keys = self.source.read()
        self._subkeys = {key.id: self._subkeys.get(key.id) or derive_subkey(key.key, _PURPOSE) for key in keys}
        self._keys = keys

    def require(self, versions: dict[str, int]) -> None:
        """Raise MasterKeyError unless every id in `versions` (with how many data keys it wraps) is here."""
        if versions.keys() <= self._subkeys.keys():
            return
        self.reload()
        missing = {version: count for version, count in versions.items() if version not in self._subkeys}
        if missing:
            listed = ", ".join(f"{version} (of {count} data keys)" for version, count in missing.items())
            raise MasterKeyError(self._missing(listed))

    def wrap(self, key_id: str, tenant: str, use: str, key: bytes) -> tuple[bytes, str]:
        """(wrapping, id of the master key used)."""
        version = self.primary
        place = _place(key_id, tenant, use)
        wrapped = seal(self._subkeys[version], bytes.fromhex(version), os.urandom(NONCE_SIZE), place, key)
        return wrapped, version

    def unwrap(self, data_key: DataKey) -> bytes:
        """The 32 bytes. Raises MasterKeyError when its master key is not here, EnvelopeError when it was changed."""
        version = data_key.master_version
        if version not in self._subkeys:
            self.reload()
        subkey = self._subkeys.get(version)
        if subkey is None:
            raise MasterKeyError(self._missing(version))
        key = open_envelope(subkey, _place(data_key.id, data_key.tenant, data_key.use), data_key.wrapped)
        if len(key) != 32:
            raise EnvelopeError("the data key has a wrong length")
        return key

    def _missing(self, wanted: str) -> str:
        have = ", ".join(self._subkeys)
        return (
            f"the database was encrypted under the master key {wanted}, and {self.place} has {have}: put the right key "
            "back from your backup (an older one into OWNKEY_MASTER_KEY_PREVIOUS)"
        )


def _place(key_id: str, tenant: str, use: str) -> Place:
    return Place(purpose=_PURPOSE, tenant=tenant, table="data_keys", row=key_id, provider=use)
