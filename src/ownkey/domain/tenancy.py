"""Who owns a thing and who asks for it."""

from enum import StrEnum

from msgspec import Struct

from ownkey.domain.ids import ApiKeyId, SessionId, UserId


class Scope(StrEnum):
    """The level at which something is owned, in the order keys are looked for."""

    USER = "user"
    TEAM = "team"
    ORGANIZATION = "organization"
    PLATFORM = "platform"


class Owner(Struct, frozen=True):
    """A tenant: one user, team or organization, or the platform itself."""

    scope: Scope
    id: str

    @property
    def tenant(self) -> str:
        """The tenant's name in associated data and journals: `user:user_01j…`."""
        return f"{self.scope.value}:{self.id}"


PLATFORM = Owner(Scope.PLATFORM, "platform")


def user_owner(user_id: str) -> Owner:
    return Owner(Scope.USER, user_id)


class Role(StrEnum):
    """`operator` runs the server and may create users and platform keys."""

    OPERATOR = "operator"
    USER = "user"


class KeyScope(StrEnum):
    """What an Ownkey API key may do: call models, or manage the account."""

    GATEWAY = "gateway"
    MANAGE = "manage"


class ApiKeyGrant(Struct, frozen=True):
    """The rights an Ownkey API key carries. `None` means unrestricted. Times are Unix seconds."""

    id: ApiKeyId
    name: str
    scopes: frozenset[KeyScope]
    models: tuple[str, ...] | None = None
    allowed_ips: tuple[str, ...] | None = None
    expires_at: float | None = None
    requests_per_minute: int | None = None


class Principal(Struct, frozen=True):
    """An authenticated caller: the user, the tenants whose keys they may use, and how they signed in.

    `owners` runs from the user outwards to the platform; resolution follows this order.
    At most one of `api_key` and `session_id` is set; neither for work that the server does later for a signed-in user.
    """

    user_id: UserId
    role: Role
    owners: tuple[Owner, ...]
    api_key: ApiKeyGrant | None = None
    session_id: SessionId | None = None
