"""Rows as values, for what the domain has no type of its own. Times are Unix seconds."""

from typing import Generic, TypeVar

from msgspec import Struct

from ownkey.domain.ids import ApiKeyId, CredentialId, RouteId, SessionId, UserId
from ownkey.domain.route import Route
from ownkey.domain.tenancy import KeyScope, Owner, Role

T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True):
    """A slice of a longer list. `next_cursor` continues with the next slice; None ends the list."""

    items: list[T]
    next_cursor: str | None = None


class User(Struct, frozen=True, kw_only=True):
    """An account. `email` is case-folded. Without a `password_hash` nobody can sign in by password."""

    id: UserId
    email: str
    password_hash: str | None
    role: Role = Role.USER
    tier: str = "default"
    created_at: float
    disabled_at: float | None = None


class Session(Struct, frozen=True, kw_only=True):
    """A browser session. `address` and `user_agent` are those last seen, for the owner to recognise it."""

    id: SessionId
    token_hash: bytes
    user_id: UserId
    created_at: float
    expires_at: float
    last_seen_at: float
    address: str = ""
    user_agent: str = ""


class StoredApiKey(Struct, frozen=True, kw_only=True):
    """An Ownkey API key as stored: `hash` instead of the key, `prefix` for its owner to recognise it.

    `models` and `allowed_ips` are None when unrestricted.
    """

    id: ApiKeyId
    user_id: UserId
    name: str
    prefix: str
    hash: bytes
    scopes: frozenset[KeyScope]
    models: tuple[str, ...] | None = None
    allowed_ips: tuple[str, ...] | None = None
    requests_per_minute: int | None = None
    expires_at: float | None = None
    created_at: float
    last_used_at: float | None = None
    revoked_at: float | None = None


class StoredRoute(Struct, frozen=True, kw_only=True):
    """An owner's name for a model as stored; see `Route`."""

    id: RouteId
    owner: Owner
    name: str
    model: str
    credential_id: CredentialId | None = None
    created_at: float

    @property
    def route(self) -> Route:
        return Route(self.name, self.model, self.credential_id)


class StoredResponse(Struct, frozen=True, kw_only=True):
    """A response that can be continued. `id` is the provider's or ours, `model` as planned.

    Exactly one is set: `credential_id` of the key whose provider stores the response, or `sealed`, the conversation and
    the response as Ownkey stores them.
    """

    user_id: UserId
    id: str
    provider: str
    model: str
    credential_id: CredentialId | None = None
    sealed: bytes | None = None
    created_at: float
    expires_at: float


class Erased(Struct, frozen=True):
    """What ended with a user, for the caller to announce in the change feed."""

    api_key_hashes: tuple[bytes, ...]
    session_token_hashes: tuple[bytes, ...]
    credential_ids: tuple[str, ...]


class UsageGroup(Struct, frozen=True, kw_only=True):
    """Sums over the requests that share `key`.

    `key` is a model, provider, credential id or user id, `2030-01-31` for a day or
    `2030-01-31T13:00:00Z` for an hour (UTC), and None where the rows have none. `errors` counts
    failed and interrupted requests. Latencies are nearest-rank percentiles of the completed ones.
    """

    key: str | None
    requests: int
    errors: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    list_cost: int
    charged: int
    latency_p50_ms: float | None
    latency_p95_ms: float | None
