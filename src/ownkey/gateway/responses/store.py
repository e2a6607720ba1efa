"""Where responses are remembered: rows in the database, conversations under the tenant's key."""

import time
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.domain.ids import CredentialId, UserId
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import user_owner
from ownkey.storage import stored_responses
from ownkey.storage.database import Database
from ownkey.storage.records import StoredResponse
from ownkey.vault import Place, Vault

_DAY = 86_400
_LONGEST_ID = 256


class Kept(Struct, frozen=True):
    """A conversation we keep: the items up to the answer, and the answer as the client got it."""

    items: list[dict[str, Any]]
    response: msgspec.Raw

    def output(self) -> list[dict[str, Any]]:
        """The answer's items."""
        return _OUTPUT.decode(self.response).output


class _Output(Struct):
    output: list[dict[str, Any]] = []


_KEPT = msgspec.json.Decoder(Kept)
_OUTPUT = msgspec.json.Decoder(_Output)
_ENCODE = msgspec.json.Encoder().encode


class ResponseStore:
    """Responses by user and id, for `retention_days`; with 0 nothing is kept.

    `limit` bounds a kept conversation in bytes.
    """

    def __init__(self, database: Database, vault: Vault, retention_days: int, limit: int) -> None:
        self._database = database
        self._vault = vault
        self._retention = retention_days * _DAY
        self.limit = limit

    @property
    def keeps(self) -> bool:
        return self._retention > 0

    async def pin(self, user_id: UserId, response_id: str, provider: str, model: str, key: CredentialId) -> None:
        """Remember with which credential the provider keeps a response. Raises Unavailable, Conflict."""
        await self._put(user_id, response_id, provider, model, key, None)

    async def keep(self, user_id: UserId, response_id: str, provider: str, model: str, kept: Kept) -> bool:
        """Keep a conversation; False when it is too large. Raises Unavailable, Conflict."""
        plain = _ENCODE(kept)
        if len(plain) > self.limit:
            return False
        sealed = await self._vault.seal(Secret(plain.decode()), _place(user_id, response_id, provider))
        await self._put(user_id, response_id, provider, model, None, sealed)
        return True

    async def find(self, user_id: UserId, response_id: str) -> StoredResponse | None:
        """The user's response; None for an absent, an expired and another user's."""
        if not 0 < len(response_id) <= _LONGEST_ID or not response_id.isprintable():
            return None
        async with self._database.read() as connection:
            return await stored_responses.get(connection, user_id, response_id, time.time())

    async def open(self, row: StoredResponse) -> Kept:
        """The conversation of a response that we keep. Raises SecretUnreadable."""
        assert row.sealed is not None  # noqa: S101
        secret = await self._vault.open(row.sealed, _place(row.user_id, row.id, row.provider))
        return _KEPT.decode(secret.reveal())

    async def delete(self, user_id: UserId, response_id: str) -> None:
        """Forget a response, and its conversation where we keep it."""
        async with self._database.write() as connection:
            await stored_responses.delete(connection, user_id, response_id)

    async def _put(
        self, user_id: UserId, id_: str, provider: str, model: str, key: CredentialId | None, sealed: bytes | None
    ) -> None:
        now = time.time()
        row = StoredResponse(
            user_id=user_id,
            id=id_,
            provider=provider,
            model=model,
            credential_id=key,
            sealed=sealed,
            created_at=now,
            expires_at=now + self._retention,
        )
        async with self._database.write() as connection:
            await stored_responses.put(connection, row)


def _place(user_id: UserId, response_id: str, provider: str) -> Place:
    """Where a conversation belongs: the associated data that binds its ciphertext to user, response and provider."""
    return Place(
        purpose="response",
        tenant=user_owner(user_id).tenant,
        table="stored_responses",
        row=response_id,
        provider=provider,
    )
