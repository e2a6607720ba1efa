"""Bodies and replies of `/api-keys`."""

from typing import Annotated

from pydantic import Field

from ownkey.control.shapes import Body, Instant, Line, ModelName, Network, Reply, instant
from ownkey.domain.tenancy import KeyScope
from ownkey.storage.records import StoredApiKey


class Limits(Body):
    """What the key may do in a minute."""

    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] | None = None


class _Rights(Body):
    scopes: list[KeyScope] | None = Field(None, min_length=1, max_length=10)
    models: list[ModelName] | None = Field(None, max_length=200)
    allowed_ips: list[Network] | None = Field(None, max_length=200)
    expires_at: Instant | None = None
    limits: Limits | None = None


class NewApiKey(_Rights):
    """Without scopes the key may call models and nothing else."""

    name: Line = Field(max_length=100)


class ApiKeyChange(_Rights):
    """Only the fields that are sent change."""

    name: Line | None = Field(None, max_length=100)


class ApiKeyReply(Reply):
    """A key as its owner sees it afterwards: `prefix` is enough to recognise it."""

    id: str
    name: str
    prefix: str
    scopes: list[str]
    models: list[str] | None
    allowed_ips: list[str] | None
    limits: dict[str, int | None]
    expires_at: str | None
    created_at: str | None
    last_used_at: str | None


class NewApiKeyReply(ApiKeyReply):
    """The only reply that holds the key itself."""

    key: str


def fields_of(stored: StoredApiKey) -> dict[str, object]:
    return {
        "id": stored.id,
        "name": stored.name,
        "prefix": stored.prefix,
        "scopes": sorted(scope.value for scope in stored.scopes),
        "models": list(stored.models) if stored.models is not None else None,
        "allowed_ips": list(stored.allowed_ips) if stored.allowed_ips is not None else None,
        "limits": {"requests_per_minute": stored.requests_per_minute},
        "expires_at": instant(stored.expires_at),
        "created_at": instant(stored.created_at),
        "last_used_at": instant(stored.last_used_at),
    }
