"""The vault: seals and opens secrets under per-tenant data keys, and makes the keyed hashes."""

import hmac
import os
import secrets
import time

import structlog
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from ownkey.domain.errors import InvalidRequest, SecretUnreadable
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import PLATFORM
from ownkey.vault.data_keys import DataKey, DataKeyStore, Use
from ownkey.vault.envelope import NONCE_SIZE, EnvelopeError, Place, join_fields, key_id_of, open_envelope, seal
from ownkey.vault.held_keys import HeldKey, HeldKeys
from ownkey.vault.keyring import Keyring
from ownkey.vault.master_key import MasterKeyError

log = structlog.get_logger(__name__)

_PUBLIC = "The stored secret cannot be decrypted. Save it again, or ask the operator to restore the master key."


class Vault:
    """Seals, opens and fingerprints. Any failure to open raises SecretUnreadable; there is no fallback.

    `lifetime` (seconds) and `capacity` bound the unwrapped data keys in memory. A data key no longer seals once it is
    older than `age_limit` seconds, or after a draw with one chance in `seals_per_generation` at each seal: that needs
    no count shared by processes. NIST SP 800-38D allows 2**32 random nonces under one key, and with one chance in 2**24
    a key gets so far with probability e**-256.
    """

    def __init__(
        self,
        keyring: Keyring,
        store: DataKeyStore,
        *,
        lifetime: float = 300.0,
        capacity: int = 4096,
        seals_per_generation: int = 2**24,
        age_limit: float = 90 * 86_400.0,
    ) -> None:
        self._keyring = keyring
        self._store = store
        self._seals_per_generation = seals_per_generation
        self._age_limit = age_limit
        self._held = HeldKeys(store.get, self._unwrap, lifetime, capacity)

    async def seal(self, secret: Secret, place: Place) -> bytes:
        """The ciphertext of `secret`, bound to `place`. Raises InvalidRequest for text that is not Unicode,
        SecretUnreadable when the tenant's data key does not open: it is then never replaced by another."""
        plaintext = _encode(secret)
        key = await self._sealing_key(place.tenant)
        return seal(key.subkey(place.purpose), key.id, os.urandom(NONCE_SIZE), place, plaintext)

    async def open(self, sealed: bytes, place: Place) -> Secret:
        """The secret. Raises SecretUnreadable and logs where: a moved ciphertext is an attack or a bad restore."""
        try:
            key = _belonging(await self._held.get(key_id_of(sealed)), place)
            return Secret(open_envelope(key.subkey(place.purpose), place, sealed).decode())
        except (EnvelopeError, UnicodeDecodeError) as error:
            # A decoding error quotes what it could not decode.
            reason = str(error) if isinstance(error, EnvelopeError) else "the plaintext is not text"
            log.warning("secret rejected by the vault", path=f"{place.table}/{place.row}", reason=reason)
            raise SecretUnreadable(_PUBLIC, operator=f"{place.table}/{place.row}: {reason}") from None

    async def fingerprint(self, tenant: str, provider: str, secret: Secret) -> bytes:
        """HMAC-SHA-256 under the tenant's own key: equal secrets of one tenant are found without decrypting."""
        message = join_fields(provider.encode(), _encode(secret))
        key = await self._tenant_key(tenant, Use.MAC)
        return hmac.digest(_mac_subkey(key.key, "fingerprint"), message, "sha256")

    async def pepper(self, purpose: str) -> bytes:
        """32 bytes for keyed hashes of one kind; stable, because the key behind them is wrapped, not derived."""
        key = await self._tenant_key(PLATFORM.tenant, Use.MAC)
        return _mac_subkey(key.key, f"pepper {purpose}")

    async def check(self) -> None:
        """Raise SecretUnreadable unless every master key that the stored data keys need is here."""
        needed = await self._store.count_by_version()
        try:
            self._keyring.require(needed)
        except MasterKeyError as error:
            raise SecretUnreadable(_PUBLIC, operator=str(error)) from None

    def apply(self, topic: str) -> None:
        """Forget unwrapped keys when the change feed says that the master key or everything changed."""
        if topic in ("master-key", "*"):
            self._held.clear()

    async def _sealing_key(self, tenant: str) -> HeldKey:
        key = await self._tenant_key(tenant, Use.SEAL)
        if secrets.randbelow(self._seals_per_generation) == 0 or time.time() - key.created_at > self._age_limit:
            key = await self._make(tenant, Use.SEAL, key.generation + 1)
        return key

    async def _tenant_key(self, tenant: str, use: Use) -> HeldKey:
        held = self._held.current(tenant, use)
        if held is not None:
            return held
        row = await self._store.current(tenant, use)
        return await self._make(tenant, use, 1) if row is None else self._held.add(row, current=True)

    async def _make(self, tenant: str, use: Use, generation: int) -> HeldKey:
        id_, key = os.urandom(16).hex(), os.urandom(32)
        # Another process may have rotated: a new data key must not start out under a key about to be retired.
        try:
            self._keyring.reload()
        except MasterKeyError as error:
            raise SecretUnreadable(_PUBLIC, operator=f"no new data key for {tenant}: {error}") from None
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
            return self._held.add(row, current=True)
        winner = await self._store.current(tenant, use)
        if winner is None:
            raise SecretUnreadable(_PUBLIC, operator=f"no data key for {tenant} after a lost race")
        return self._held.add(winner, current=True)

    def _unwrap(self, row: DataKey) -> bytes:
        try:
            return self._keyring.unwrap(row)
        except (EnvelopeError, MasterKeyError) as error:
            log.warning("data key rejected by the vault", key_id=row.id, reason=str(error))
            raise SecretUnreadable(_PUBLIC, operator=f"data key {row.id}: {error}") from None


def _belonging(key: HeldKey | None, place: Place) -> HeldKey:
    if key is None:
        raise EnvelopeError("the data key it was sealed under does not exist")
    if key.tenant != place.tenant or key.use != Use.SEAL:
        raise EnvelopeError("the ciphertext belongs to another tenant")
    return key


def _encode(secret: Secret) -> bytes:
    try:
        return secret.reveal().encode()
    except UnicodeEncodeError:
        # Not chained: the error carries the whole secret.
        raise InvalidRequest("The secret holds characters that are not valid Unicode.") from None


def _mac_subkey(key: bytes, purpose: str) -> bytes:
    return HKDFExpand(SHA256(), 32, b"ownkey mac v1 " + purpose.encode()).derive(key)
