"""The values of planning: what it is given (`PlanRequest`, `Catalogue`, resting keys) and what it returns (`Plan`)."""

from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from ownkey.domain.catalogue import Offer, Provider
from ownkey.domain.credential import (
    Credential,
)
from ownkey.domain.errors import (
    OwnkeyError,
)
from ownkey.domain.facts import NO_FACTS, Facts
from ownkey.domain.formats import WireFormat
from ownkey.domain.ids import CredentialId
from ownkey.domain.price import Rates
from ownkey.domain.tenancy import Scope


class Target(Struct, frozen=True):
    """A model name understood: `explicit` is a provider named outright, `vendor` the model's maker."""

    asked: str
    model: str
    explicit: str | None = None
    vendor: str | None = None


class Catalogue(Protocol):
    """What planning needs of the catalogue."""

    def provider(self, name: str) -> Provider | None: ...

    def resolve(self, asked: str) -> Target | None:
        """Give a model name a meaning, or None when the catalogue knows none."""
        ...

    def offer(self, provider: str, target: Target) -> Offer | None:
        """The provider's offer for the target, or None when it does not serve it."""
        ...

    def literal_offer(self, provider: str, model: str) -> Offer | None:
        """An offer that sends `model` as it is written, for own endpoints and chosen keys."""
        ...


class Rest(Struct, frozen=True):
    """A key that failed recently. `until` is in Unix seconds; `stated` means that the provider named that time."""

    until: float
    stated: bool = False


RestKey = tuple[CredentialId, str]
"""A key and the upstream model it failed on; the model is empty when the whole key is meant."""


class PlanRequest(Struct, frozen=True, kw_only=True):
    """The facts of one request that planning needs. `now` is Unix seconds."""

    model: str
    client_format: WireFormat
    now: float
    credential: str | None = None
    allowed_models: tuple[str, ...] | None = None
    peer: str | None = None
    ticket: int = 0


class Attempt(Struct, frozen=True, kw_only=True):
    """One way to send the request. `trusted` addresses were set by the operator, others are checked.

    `facts` are those of the model in the attempt's format.
    """

    credential: Credential
    provider: Provider
    base_url: str
    path: str
    trusted: bool
    format: WireFormat
    upstream_model: str
    payer: Scope
    rates: Rates
    priced: bool
    context_window: int | None = None
    facts: Facts = NO_FACTS


class DropReason(StrEnum):
    """Why a candidate is not among the attempts."""

    UNKNOWN_PROVIDER = "unknown_provider"
    MODEL_NOT_SERVED = "model_not_served"
    OPERATION_NOT_SERVED = "operation_not_served"
    NO_ADDRESS = "no_address"
    NOT_CHOSEN = "not_chosen"
    DISABLED = "disabled"
    MODE = "mode"
    MODEL_NOT_ALLOWED = "model_not_allowed"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    RESIDENCY = "residency"
    EXPIRED = "expired"
    UNDECRYPTABLE = "undecryptable"
    COOLING_DOWN = "cooling_down"
    PAYER_NEEDS_CONSENT = "payer_needs_consent"


class Dropped(Struct, frozen=True):
    """A candidate left out. `retry_after` is in seconds, for keys that the provider asked to wait."""

    credential: Credential
    reason: DropReason
    detail: str
    retry_after: float | None = None


class Plan(Struct, frozen=True):
    """The attempts in order and the candidates dropped; `refusal` is set exactly when there is no attempt.

    `model` is the model requested in the end, `route` the route by which the user requested it, if any.
    """

    model: str
    attempts: tuple[Attempt, ...]
    dropped: tuple[Dropped, ...]
    refusal: OwnkeyError | None = None
    drawn: bool = False
    """Whether a draw by weight decided an order: the same question may get another plan next time."""
    route: str | None = None
