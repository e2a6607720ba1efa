"""Session tokens: 256 random bits in a cookie, stored only as a keyed hash."""

import hmac
import secrets

from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.storage.statements import lock_name

LIFETIME = 2 * 3600
"""Seconds a session lives from signing in."""
_SECURE_NAME = "__Host-ownkey"
_PLAIN_NAME = "ownkey"
"""Browsers keep `__Host-` cookies only with Secure; over plain http (a laptop) the plain name is used."""


def new_token() -> str:
    return secrets.token_urlsafe(32)


def hash_token(token: str, pepper: bytes) -> bytes:
    """The 32 bytes under which a token is stored."""
    return hmac.digest(pepper, token.encode(), "sha256")


async def lock_sessions(connection: AsyncConnection, user_id: str) -> None:
    """Let one transaction at a time open or end the user's sessions, so that none opens on a password just replaced."""
    await lock_name(connection, f"sessions of {user_id}")


def read_cookie(request: Request, secure: bool) -> str | None:
    return request.cookies.get(_SECURE_NAME if secure else _PLAIN_NAME)


def set_cookie(response: Response, token: str, secure: bool) -> None:
    name = _SECURE_NAME if secure else _PLAIN_NAME
    response.set_cookie(name, token, max_age=LIFETIME, path="/", secure=secure, httponly=True, samesite="lax")


def clear_cookie(response: Response, secure: bool) -> None:
    name = _SECURE_NAME if secure else _PLAIN_NAME
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")
