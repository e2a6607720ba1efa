"""Bodies and replies of `/admin`."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from ownkey.control.shapes import Body, Flag, Line, NotYet, Reply, instant
from ownkey.domain.errors import InvalidRequest
from ownkey.domain.tenancy import Role
from ownkey.storage.records import User

_EMAIL = re.compile(r"[^@\s]+@(?:[^@\s.]+\.)*[^@\s.]+")


def check_email(text: str) -> str:
    """The address without surrounding blanks. Raises InvalidRequest when it is invalid."""
    text = text.strip()
    if len(text) > 254 or not text.isprintable() or _EMAIL.fullmatch(text) is None:
        raise InvalidRequest("This is not an e-mail address.", param="email")
    return text


def _check_email(value: str) -> str:
    try:
        return check_email(value)
    except InvalidRequest as error:
        raise ValueError(error.public) from None


Email = Annotated[Line, Field(max_length=254), AfterValidator(_check_email)]


class NewUser(Body):
    """Without a password the user cannot sign in by one; an operator may set it later."""

    email: Email
    password: SecretStr | None = None
    role: Role = Role.USER
    tier: NotYet = None


class UserChange(Body):
    """Only the fields that are sent change; a new password or role ends the user's sessions."""

    role: Role | None = None
    tier: NotYet = None
    disabled: Flag | None = None
    password: SecretStr | None = None


class UserReply(Reply):
    """One account."""

    id: str
    email: str
    role: str
    tier: str
    created_at: str | None
    disabled_at: str | None


def show(user: User) -> UserReply:
    return UserReply(
        id=user.id,
        email=user.email,
        role=user.role.value,
        tier=user.tier,
        created_at=instant(user.created_at),
        disabled_at=instant(user.disabled_at),
    )
