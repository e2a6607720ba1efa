"""Rows for storage tests, each with what the test says and plausible values for the rest."""

import os
from typing import Any

from msgspec.structs import replace

from ownkey.domain.credential import Credential
from ownkey.domain.ids import ApiKeyId, CredentialId, SessionId, UserId, new_id
from ownkey.domain.tenancy import KeyScope, Owner, user_owner
from ownkey.domain.usage import RequestRecord
from ownkey.storage import Database, users
from ownkey.storage.records import Session, StoredApiKey, User

NOW = 1_900_000_000.0
"""`2030-03-17T17:46:40Z`, a Sunday."""


def a_user(**fields: Any) -> User:
    user_id = UserId(new_id("user"))
    return replace(User(id=user_id, email=f"{user_id}@example.org", password_hash=None, created_at=NOW), **fields)


async def stored_user(database: Database, **fields: Any) -> User:
    user = a_user(**fields)
    async with database.write() as conn:
        await users.create(conn, user)
    return user


def a_session(user_id: str, **fields: Any) -> Session:
    session = Session(
        id=SessionId(new_id("sess")),
        token_hash=os.urandom(32),
        user_id=UserId(user_id),
        created_at=NOW,
        expires_at=NOW + 7200,
        last_seen_at=NOW,
        address="192.0.2.1",
        user_agent="Firefox",
    )
    return replace(session, **fields)


def an_api_key(user_id: str, **fields: Any) -> StoredApiKey:
    key = StoredApiKey(
        id=ApiKeyId(new_id("ak")),
        user_id=UserId(user_id),
        name="laptop",
        prefix="ok_…abcd",
        hash=os.urandom(32),
        scopes=frozenset({KeyScope.GATEWAY}),
        created_at=NOW,
    )
    return replace(key, **fields)


def a_credential(owner: Owner | str, **fields: Any) -> Credential:
    credential = Credential(
        id=CredentialId(new_id("cred")),
        owner=user_owner(owner) if isinstance(owner, str) else owner,
        provider="openai",
        label="work",
        masked_key="sk-…1234",
        sealed=os.urandom(120),
        created_at=NOW,
    )
    return replace(credential, **fields)


def a_request(user_id: str, **fields: Any) -> RequestRecord:
    record = RequestRecord(
        id=new_id("req"),
        at=NOW,
        user_id=user_id,
        owner_scope="user",
        owner_id=user_id,
        api_key_id="ak_1",
        model="openai/gpt-5",
        upstream_model="gpt-5",
        provider="openai",
        credential_id="cred_1",
        payer="user",
        client_format="openai_chat",
        status="completed",
        http_status=200,
        streamed=False,
        input_tokens=10,
        output_tokens=20,
        usage_reported=True,
        list_cost=1500,
        latency_ms=120.5,
        attempts=1,
    )
    return replace(record, **fields)
