"""Bodies and replies of `/me`."""

from pydantic import SecretStr

from ownkey.control.admin.schemas import Email
from ownkey.control.shapes import Body, Reply, instant
from ownkey.storage.records import Session, User


class Me(Reply):
    """Who is calling, and by what."""

    id: str
    email: str
    role: str
    tier: str
    created_at: str | None
    signed_in_by: str


class MeChange(Body):
    """Changing the address or the password requires the current password."""

    email: Email | None = None
    password: SecretStr | None = None
    current_password: SecretStr | None = None


class Goodbye(Body):
    """Deleting the account requires the current password, when there is one."""

    current_password: SecretStr | None = None


class SessionReply(Reply):
    """One of the caller's sessions."""

    id: str
    created_at: str | None
    expires_at: str | None
    last_seen_at: str | None
    address: str
    user_agent: str
    current: bool


def show_me(user: User, by: str) -> Me:
    return Me(
        id=user.id,
        email=user.email,
        role=user.role.value,
        tier=user.tier,
        created_at=instant(user.created_at),
        signed_in_by=by,
    )


def show_session(session: Session, current: str | None) -> SessionReply:
    return SessionReply(
        id=session.id,
        created_at=instant(session.created_at),
        expires_at=instant(session.expires_at),
        last_seen_at=instant(session.last_seen_at),
        address=session.address,
        user_agent=session.user_agent,
        current=session.id == current,
    )
