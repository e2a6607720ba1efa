"""The master keys in use, and the wrapping of data keys under them."""

import os

from ownkey.vault.envelope import NONCE_SIZE, EnvelopeError, Subkey, derive_subkey, open_envelope, seal
from ownkey.vault.errors import MasterKeyError
from ownkey.vault.place import Place
from ownkey.vault.ports import DataKey
from ownkey.vault.sources import KeySource, MasterKey

_PURPOSE = "data-key"


class Keyring:
    """Wraps under the primary key, unwraps under any. An unknown key id makes it read its source once more,
    so that a running server follows a rotation that another process made."""

    def __init__(self, source: KeySource) -> None:
        self.source = source
        self._subkeys: dict[str, Subkey] = {}
        self._primary = ""
        self.reload()

    @property
    def primary(self) -> str:
        """The id of the key that wraps new data keys."""
        return self._primary

    @property
    def ids(self) -> tuple[str, ...]:
        """Every key's id, the primary first."""
        return tuple(self._subkeys)

    @property
    def place(self) -> str:
        """Where the keys are kept, for a person to read."""
        return self.source.place

    def reload(self) -> None:
        """Read the source again."""
        keys: tuple[MasterKey, ...] = self.source.read()
        self._subkeys = {key.id: derive_subkey(key.key, _PURPOSE) for key in keys}
        self._primary = keys[0].id

    def wrap(self, key_id: str, tenant: str, use: str, key: bytes) -> tuple[bytes, str]:
        """(wrapping, id of the master key used)."""
        version = self._primary
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
            have = ", ".join(self._subkeys)
            text = f"the database needs the master key {version}, and {self.place} has {have}: bring the right one back"
            raise MasterKeyError(text)
        key = open_envelope(subkey, _place(data_key.id, data_key.tenant, data_key.use), data_key.wrapped)
        if len(key) != 32:
            raise EnvelopeError("the data key has a wrong length")
        return key


def _place(key_id: str, tenant: str, use: str) -> Place:
    return Place(purpose=_PURPOSE, tenant=tenant, table="data_keys", row=key_id, provider=use)
