"""Bodies and answers of `/credentials`. A key goes in and never comes out; only its mask does."""

from datetime import datetime
from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, field_validator

from ownkey.control.shapes import Body, Line, Reply, instant, usd
from ownkey.domain.credential import Credential
from ownkey.domain.money import parse_usd
from ownkey.domain.tenancy import Scope
from ownkey.gateway import KeyTestResult

KEY_LIMIT = 8192


def _check_key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if len(text) > KEY_LIMIT:
        raise ValueError(f"a key has at most {KEY_LIMIT} characters")
    if not all("!" <= character <= "~" for character in text):
        raise ValueError("a key holds visible ASCII characters only: no blanks, line breaks or control characters")
    return SecretStr(text)


def _check_network(value: str) -> str:
    return str(ip_network(value.strip(), strict=False))


def _check_money(value: str) -> str:
    if parse_usd(value) <= 0:
        raise ValueError("must be more than 0")
    return value


Key = Annotated[SecretStr, AfterValidator(_check_key)]
Network = Annotated[str, AfterValidator(_check_network)]
Usd = Annotated[str, Field(max_length=32), AfterValidator(_check_money)]


class _Settings(Body):
    label: Line | None = Field(None, max_length=100)
    model: Line | None = Field(None, max_length=256)
    base_url: Line | None = Field(None, max_length=2048)
    config: dict[str, str] | None = Field(None, max_length=20)
    priority: int | None = Field(None, ge=0, le=1_000_000)
    weight: int | None = Field(None, ge=0, le=1_000_000)
    is_default: bool | None = None
    allowed_models: list[Line] | None = Field(None, max_length=200)
    allowed_ips: list[Network] | None = Field(None, max_length=200)
    expires_at: datetime | None = None
    monthly_limit_usd: Usd | None = None

    @field_validator("expires_at")
    @classmethod
    def _aware(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("needs a time zone, for example 2030-01-31T00:00:00Z")
        return value


class NewCredential(_Settings):
    """`test` says whether the key is tried with its provider first; it is stored either way, with what was found."""

    provider: Line = Field(max_length=64)
    api_key: Key = SecretStr("")
    scope: Scope = Scope.USER
    team_id: Line | None = None
    enabled: bool = True
    test: bool = True


class CredentialChange(_Settings):
    """Only the fields that are sent change. A new `api_key` replaces the old one."""

    api_key: Key | None = None
    enabled: bool | None = None


class KeyTrial(Body):
    """A key to test without storing it."""

    provider: Line = Field(max_length=64)
    api_key: Key = SecretStr("")
    base_url: Line | None = Field(None, max_length=2048)
    config: dict[str, str] | None = Field(None, max_length=20)


class TestReply(Reply):
    """What a test found. `steps` tell it as every other test in Ownkey does."""

    success: bool
    status: str
    message: str
    latency_ms: float | None
    steps: list[dict[str, object]]


class CredentialReply(Reply):
    """A stored key as its owner sees it."""

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
    monthly_limit_usd: str | None
    created_at: str | None
    last_tested_at: str | None
    last_used_at: str | None
    test: TestReply | None = None


class UsageReply(Reply):
    """What a key was used for in the last 30 days."""

    range: Literal["30d"]
    requests: int
    errors: int
    input_tokens: int
    output_tokens: int
    list_cost_usd: str
    charged_usd: str


def show_test(result: KeyTestResult) -> TestReply:
    works = result.status.value == "valid"
    step: dict[str, object] = {"name": "key check", "ok": works, "message": result.message, "ms": result.latency_ms}
    return TestReply(
        success=works,
        status=result.status.value,
        message=result.message,
        latency_ms=result.latency_ms,
        steps=[step],
    )


def show(credential: Credential, test: TestReply | None = None) -> CredentialReply:
    return CredentialReply(
        id=credential.id,
        provider=credential.provider,
        label=credential.label,
        scope=credential.owner.scope.value,
        masked_key=credential.masked_key,
        enabled=credential.enabled,
        status=credential.status.value,
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
        monthly_limit_usd=usd(credential.monthly_limit),
        created_at=instant(credential.created_at),
        last_tested_at=instant(credential.last_tested_at),
        last_used_at=instant(credential.last_used_at),
        test=test,
    )
