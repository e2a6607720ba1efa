"""The vault: seals and opens secrets under per-tenant data keys, and makes the keyed hashes."""

import hmac
import os
import time

import structlog
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from msgspec import Struct

from ownkey.domain.errors import SecretUnreadable
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import PLATFORM
from ownkey.vault.envelope import NONCE_SIZE, EnvelopeError, Subkey, derive_subkey, key_id_of, open_envelope, seal
from ownkey.vault.errors import MasterKeyError
from ownkey.vault.keyring import Keyring
from ownkey.vault.place import Place
from ownkey.vault.ports import DataKey, DataKeyStore, Use

log = structlog.get_logger(__name__)

_LIFETIME = 300.0
"""Seconds an unwrapped data key stays in memory."""
_CAPACITY = 4096
_SEALS_PER_GENERATION = 2**24
"""Seals by one process under one data key before the next generation is made. NIST SP 800-38D allows
2**32 random nonces under one key over all processes; this leaves room for 256 of them."""
_AGE_LIMIT = 90 * 86_400.0
"""Seconds after which a data key seals no more."""
_PUBLIC = "The stored secret cannot be decrypted. Save it again, or ask the operator to restore the master key."


class _Unwrapped(Struct):
    """A data key in memory: `until` is monotonic seconds; subkeys are derived on first use, by purpose."""

    row: DataKey
    key: bytes
    until: float
    subkeys: dict[str, Subkey]
    seals: int = 0

    def __repr__(self) -> str:
        return f"_Unwrapped({self.row.id})"

    def subkey(self, purpose: str) -> Subkey:
        found = self.subkeys.get(purpose)
        if found is None:
            found = self.subkeys[purpose] = derive_subkey(self.key, purpose)
        return found


class Vault:
    """Seals, opens and fingerprints. Whatever goes wrong in opening is SecretUnreadable, and never a fallback."""

    def __init__(self, keyring: Keyring, store: DataKeyStore) -> None:
        self._keyring = keyring
        self._store = store
        self._by_id: dict[str, _Unwrapped] = {}
        self._current: dict[tuple[str, str], str] = {}

    async def seal(self, secret: Secret, place: Place) -> bytes:
        """The ciphertext of `secret`, bound to `place`."""
        key = await self._sealing_key(place.tenant)
        key.seals += 1
        key_id = bytes.fromhex(key.row.id)
        return seal(key.subkey(place.purpose), key_id, os.urandom(NONCE_SIZE), place, secret.reveal().encode())

    async def open(self, sealed: bytes, place: Place) -> Secret:
        """The secret. Raises SecretUnreadable and logs where: a moved ciphertext is an attack or a bad restore."""
        try:
            key = await self._by_key_id(key_id_of(sealed).hex())
            _check_owner(key.row, place)
            return Secret(open_envelope(key.subkey(place.purpose), place, sealed).decode())
        except EnvelopeError as error:
            log.warning("secret refused by the vault", path=f"{place.table}/{place.row}", reason=str(error))
            raise SecretUnreadable(_PUBLIC, operator=f"{place.table}/{place.row}: {error}") from None

    async def fingerprint(self, tenant: str, provider: str, secret: Secret) -> bytes:
        """HMAC-SHA-256 under the tenant's own key: equal secrets of one tenant are found without decrypting."""
        key = await self._mac_key(tenant)
        message = b"fingerprint\0" + provider.encode() + b"\0" + secret.reveal().encode()
        return hmac.digest(key.key, message, "sha256")

    async def pepper(self, purpose: str) -> bytes:
        """32 bytes for keyed hashes of one kind; stable, because the key behind them is wrapped, not derived."""
        key = await self._mac_key(PLATFORM.tenant)
        return HKDFExpand(SHA256(), 32, b"ownkey pepper " + purpose.encode()).derive(key.key)

    async def check(self) -> None:
        """Raise SecretUnreadable unless every master key that the stored data keys need is here."""
        needed = await self._store.count_by_version()
        missing = [version for version in needed if version not in self._keyring.ids]
        if missing:
            try:
                self._keyring.reload()
            except MasterKeyError as error:
                raise SecretUnreadable(_PUBLIC, operator=str(error)) from None
            missing = [version for version in needed if version not in self._keyring.ids]
        if missing:
            have = ", ".join(self._keyring.ids)
            text = (
                f"the database was encrypted under the master key {', '.join(missing)}, and {self._keyring.place} "
                f"has {have}: bring the right master key back"
            )
            raise SecretUnreadable(_PUBLIC, operator=text)

    def apply(self, topic: str) -> None:
        """Forget unwrapped keys when the change feed says that the master key or everything changed."""
        if topic in ("master-key", "*"):
            self._by_id.clear()
            self._current.clear()

    async def _sealing_key(self, tenant: str) -> _Unwrapped:
        key = await self._tenant_key(tenant, Use.SEAL)
        if key.seals >= _SEALS_PER_GENERATION or time.time() - key.row.created_at > _AGE_LIMIT:
            key = await self._make(tenant, Use.SEAL, key.row.generation + 1)
        return key

    async def _mac_key(self, tenant: str) -> _Unwrapped:
        return await self._tenant_key(tenant, Use.MAC)

    async def _tenant_key(self, tenant: str, use: Use) -> _Unwrapped:
        known = self._current.get((tenant, use))
        held = self._by_id.get(known) if known else None
        if held is not None and held.until > time.monotonic():
            return held
        row = await self._store.current(tenant, use)
        return await self._make(tenant, use, 1) if row is None else self._hold(row)

    async def _make(self, tenant: str, use: Use, generation: int) -> _Unwrapped:
        id_, key = os.urandom(16).hex(), os.urandom(32)
        # Another process may be rotating: a new data key must not start out under a key about to be retired.
        self._keyring.reload()
        wrapped, version = self._keyring.wrap(id_, tenant, use, key)
        row = DataKey(
            id=id_,
            tenant=tenant,
            use=use.value,
            generation=generation,
            master_version=version,
            wrapped=wrapped,
            created_at=time.time(),
        )
        if await self._store.add(row):
            return self._hold(row)
        winner = await self._store.current(tenant, use)
        if winner is None:
            raise SecretUnreadable(_PUBLIC, operator=f"no data key for {tenant} after a lost race")
        return self._hold(winner)

    async def _by_key_id(self, key_id: str) -> _Unwrapped:
        held = self._by_id.get(key_id)
        if held is not None and held.until > time.monotonic():
            return held
        row = await self._store.get(key_id)
        if row is None:
            raise EnvelopeError("the data key it was sealed under does not exist")
        return self._hold(row, current=False)

    def _hold(self, row: DataKey, *, current: bool = True) -> _Unwrapped:
        before = self._by_id.pop(row.id, None)
        try:
            key = self._keyring.unwrap(row)
        except (EnvelopeError, MasterKeyError) as error:
            raise SecretUnreadable(_PUBLIC, operator=f"data key {row.id}: {error}") from None
        if len(self._by_id) >= _CAPACITY:
            del self._by_id[next(iter(self._by_id))]
        held = _Unwrapped(row, key, time.monotonic() + _LIFETIME, {}, before.seals if before else 0)
        self._by_id[row.id] = held
        if current:
            if len(self._current) >= _CAPACITY:
                self._current.clear()
            self._current[row.tenant, row.use] = row.id
        return held


def _check_owner(row: DataKey, place: Place) -> None:
    if row.tenant != place.tenant or row.use != Use.SEAL:
        raise EnvelopeError("the ciphertext belongs to another tenant")
