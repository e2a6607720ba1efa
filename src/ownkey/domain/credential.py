"""A stored provider key, without its secret, and the preferences that decide which key pays."""

from enum import StrEnum

from msgspec import Struct

from ownkey.domain.ids import CredentialId
from ownkey.domain.route import Route
from ownkey.domain.tenancy import Owner


class CredentialStatus(StrEnum):
    """The health of a key, as tests and real answers showed it."""

    UNTESTED = "untested"
    VALID = "valid"
    INVALID = "invalid"
    RATE_LIMITED = "rate-limited"
    QUOTA_EXHAUSTED = "quota-exhausted"
    REVOKED = "revoked"
    UNDECRYPTABLE = "undecryptable"
    EXPIRED = "expired"


class Credential(Struct, frozen=True, kw_only=True):
    """A provider key's row. `sealed` is the vault's ciphertext; times are Unix seconds.

    `base_url` overrides the provider's address and is then the owner's, not the operator's, choice.
    `config` holds the fields a provider requires besides a key, none of them secret.
    Lower `priority` numbers are tried first; `weight` splits traffic among equals.
    """

    id: CredentialId
    owner: Owner
    provider: str
    label: str
    masked_key: str
    sealed: bytes
    enabled: bool = True
    status: CredentialStatus = CredentialStatus.UNTESTED
    status_detail: str = ""
    is_default: bool = False
    priority: int = 100
    weight: int = 1
    base_url: str | None = None
    model: str | None = None
    config: dict[str, str] = {}
    allowed_models: tuple[str, ...] | None = None
    allowed_ips: tuple[str, ...] | None = None
    expires_at: float | None = None
    created_at: float = 0.0
    last_tested_at: float | None = None
    last_used_at: float | None = None
    version: int = 1


class Mode(StrEnum):
    """Whose keys a user's requests may use.

    `platform`: own keys first, the platform's as `PaidFallback` allows. `own_key`: never the
    platform's. `custom`: only own endpoints (credentials that name a base URL).
    """

    PLATFORM = "platform"
    OWN_KEY = "own_key"
    CUSTOM = "custom"


class KeySource(StrEnum):
    """The classes of keys that `key_order` ranks."""

    OWN_ROUTER = "own_router"
    OWN_PROVIDER = "own_provider"
    PLATFORM = "platform"


class PaidFallback(StrEnum):
    """When a platform key may pay: never, only when no own key could serve, or also after one failed."""

    NEVER = "never"
    WHEN_NO_KEY = "when_no_key"
    ALWAYS = "always"


DEFAULT_KEY_ORDER = (KeySource.OWN_ROUTER, KeySource.OWN_PROVIDER, KeySource.PLATFORM)


class Preferences(Struct, frozen=True, kw_only=True):
    """A user's defaults. A value the client sends always wins, 0 included."""

    mode: Mode = Mode.PLATFORM
    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    require_eu: bool = False
    key_order: tuple[KeySource, ...] = DEFAULT_KEY_ORDER
    paid_fallback: PaidFallback = PaidFallback.WHEN_NO_KEY


class Holdings(Struct, frozen=True):
    """All that plans for one principal are based on: their own and shared keys, preferences, routes by name."""

    credentials: tuple[Credential, ...] = ()
    preferences: Preferences = Preferences()
    routes: dict[str, Route] = {}
