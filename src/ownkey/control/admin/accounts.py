"""New accounts, as the control plane and the operator's command line make them."""

import re
import time

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.ids import UserId, new_id
from ownkey.domain.tenancy import Role
from ownkey.storage.records import User
from ownkey.storage.users import fold_email

_EMAIL = re.compile(r"[^@\s]+@(?:[^@\s.]+\.)*[^@\s.]+")


def check_email(text: str) -> str:
    """The address without surrounding blanks. Raises InvalidRequest when it is none."""
    text = text.strip()
    if len(text) > 254 or not text.isprintable() or _EMAIL.fullmatch(text) is None:
        raise InvalidRequest("This is no e-mail address.", param="email")
    return text


def new_user(email: str, password_hash: str | None, role: Role) -> User:
    """A user value with a fresh id. Raises InvalidRequest for a bad address."""
    return User(
        id=UserId(new_id("user")),
        email=fold_email(check_email(email)),
        password_hash=password_hash,
        role=role,
        created_at=time.time(),
    )
