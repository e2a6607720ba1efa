"""Owners, principals, and what they may do."""

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
        """The tenant's name in associated data, journals and the change feed: `user:user_01j…`."""
        return f"{self.scope.value}:{self.id}"


PLATFORM = Owner(Scope.PLATFORM, "platform")


def user_owner(user_id: str) -> Owner:
    return Owner(Scope.USER, user_id)


def owner_of_tenant(tenant: str) -> Owner:
    """The inverse of `Owner.tenant`. Raises ValueError for a text that names no tenant."""
    scope, colon, id_ = tenant.partition(":")
    if not colon or not id_:
        raise ValueError("not the name of a tenant")
    return Owner(Scope(scope), id_)


class Role(StrEnum):
    """`operator` runs the server and may create users and platform keys."""

    OPERATOR = "operator"
    USER = "user"


class Permission(StrEnum):
    """What a role allows beyond one's own account. Routes require a permission, never a role."""

    MANAGE_USERS = "manage_users"
    MANAGE_PLATFORM_KEYS = "manage_platform_keys"
    READ_ALL_USAGE = "read_all_usage"


_PERMISSIONS = {Role.OPERATOR: frozenset(Permission), Role.USER: frozenset[Permission]()}


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

    `owners` runs from the user outwards to the platform; resolution follows this order. `principal_of` creates
    principals. At most one of `api_key` and `session_id` is set; neither for work that the server does later for a
    signed-in user.
    """

    user_id: UserId
    role: Role
    owners: tuple[Owner, ...]
    api_key: ApiKeyGrant | None = None
    session_id: SessionId | None = None

    @property
    def owner(self) -> Owner:
        """The tenant that owns what the caller creates without naming another."""
        return self.owners[0]

    def may(self, permission: Permission) -> bool:
        """Whether the caller's role includes `permission`."""
        return permission in _PERMISSIONS[self.role]


def principal_of(
    user_id: UserId,
    role: Role,
    memberships: tuple[Owner, ...] = (),
    *,
    api_key: ApiKeyGrant | None = None,
    session_id: SessionId | None = None,
) -> Principal:
    """The principal of a user in one context.

    `memberships` are the team and the organization that the request acts for, nearest first; none in the personal
    context.
    """
    return Principal(user_id, role, (user_owner(user_id), *memberships, PLATFORM), api_key, session_id)
