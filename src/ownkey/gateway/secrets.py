"""Decrypted provider keys, kept for minutes so that a warm request needs no decryption."""

import time

from ownkey.domain.credential import Credential
from ownkey.domain.ids import CredentialId
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import Owner
from ownkey.vault import Place, Vault


def credential_place(owner: Owner, credential_id: str, provider: str) -> Place:
    """Where a provider key belongs: the associated data that binds its ciphertext to owner, row and provider."""
    return Place(purpose="credential", tenant=owner.tenant, table="credentials", row=credential_id, provider=provider)


class SecretCache:
    """Secrets by credential and version. `lifetime` is in seconds; at most `capacity` are held."""

    def __init__(self, vault: Vault, lifetime: float, capacity: int = 10_000) -> None:
        self._vault = vault
        self._lifetime = lifetime
        self._capacity = capacity
        self._held: dict[CredentialId, tuple[int, float, Secret]] = {}

    def known(self, credential: Credential) -> Secret | None:
        """The key when it is in memory; no waiting."""
        held = self._held.get(credential.id)
        if held is not None and held[0] == credential.version and held[1] > time.monotonic():
            return held[2]
        return None

    async def open(self, credential: Credential) -> Secret:
        """The key itself. Raises SecretUnreadable; the row is then never answered by another key."""
        known = self.known(credential)
        if known is not None:
            return known
        now = time.monotonic()
        place = credential_place(credential.owner, credential.id, credential.provider)
        secret = await self._vault.open(credential.sealed, place)
        if len(self._held) >= self._capacity:
            del self._held[next(iter(self._held))]
        self._held[credential.id] = (credential.version, now + self._lifetime, secret)
        return secret

    def forget_expired(self) -> None:
        """Forget the secrets whose lifetime is over."""
        now = time.monotonic()
        for id_ in [id_ for id_, held in self._held.items() if held[1] <= now]:
            del self._held[id_]

    def clear(self) -> None:
        """Forget every secret; the next use of each decrypts again."""
        self._held.clear()
