"""Bodies and replies of `/credentials`. A key goes in and never comes out; only its mask does."""

import time
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from ownkey.control.key_tests.schemas import Config, Key, KeyTestReply
from ownkey.control.shapes import Body, Flag, Instant, Line, ModelName, Network, NotYet, Reply, instant
from ownkey.domain.credential import Credential, CredentialStatus
from ownkey.domain.tenancy import Scope

Rank = Annotated[int, Field(ge=0, le=1_000_000, strict=True)]


class _Settings(Body):
    label: Line | None = Field(None, max_length=100)
    model: ModelName | None = None
    base_url: Line | None = Field(None, max_length=2048)
    config: Config | None = None
    priority: Rank | None = None
    weight: Rank | None = None
    is_default: Flag | None = None
    allowed_models: list[ModelName] | None = Field(None, max_length=200)
    allowed_ips: list[Network] | None = Field(None, max_length=200)
    expires_at: Instant | None = None
    monthly_limit_usd: NotYet = None
    test: Flag = True


class NewCredential(_Settings):
    """`test` says whether the key is tried with its provider first; it is stored either way, with what was found."""

    provider: Line = Field(max_length=64)
    api_key: Key = SecretStr("")
    scope: Scope = Scope.USER
    team_id: NotYet = None
    enabled: Flag = True


class CredentialChange(_Settings):
    """Only the fields that are sent change. A new `api_key` replaces the old one and is tested unless `test` is
    false; a `base_url` on another host takes the key again."""

    api_key: Key | None = None
    enabled: Flag | None = None


class CredentialReply(Reply):
    """A stored key as its owner sees it. Only the reply to a new key has a `hint`: the key looks like another
    provider's."""

    id: str
    provider: str
    label: str
    scope: str
    masked_key: str
    enabled: bool
    status: str
    status_detail: str
    is_default: bool
    priority: int
    weight: int
    base_url: str | None
    model: str | None
    config: dict[str, str]
    allowed_models: list[str] | None
    allowed_ips: list[str] | None
    expires_at: str | None
    created_at: str | None
    last_tested_at: str | None
    last_used_at: str | None
    test: KeyTestReply | None = None
    hint: str | None = None


class CredentialUsageReply(Reply):
    """What a key was used for in the last 30 days."""

    range: Literal["30d"]
    requests: int
    errors: int
    input_tokens: int
    output_tokens: int
    list_cost_usd: str
    charged_usd: str


def show(credential: Credential, test: KeyTestReply | None = None, hint: str | None = None) -> CredentialReply:
    return CredentialReply(
        id=credential.id,
        provider=credential.provider,
        label=credential.label,
        scope=credential.owner.scope.value,
        masked_key=credential.masked_key,
        enabled=credential.enabled,
        status=(CredentialStatus.EXPIRED if _has_expired(credential) else credential.status).value,
        status_detail=credential.status_detail,
        is_default=credential.is_default,
        priority=credential.priority,
        weight=credential.weight,
        base_url=credential.base_url,
        model=credential.model,
        config=dict(credential.config),
        allowed_models=list(credential.allowed_models) if credential.allowed_models is not None else None,
        allowed_ips=list(credential.allowed_ips) if credential.allowed_ips is not None else None,
        expires_at=instant(credential.expires_at),
        created_at=instant(credential.created_at),
        last_tested_at=instant(credential.last_tested_at),
        last_used_at=instant(credential.last_used_at),
        test=test,
        hint=hint,
    )


def _has_expired(credential: Credential) -> bool:
    return credential.expires_at is not None and credential.expires_at <= time.time()
