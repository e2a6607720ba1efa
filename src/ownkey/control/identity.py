"""Who calls the control plane, by a session cookie or an API key with the scope `manage`, and what they may do."""

import hmac
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.control.context import Control
from ownkey.domain.errors import NotAllowed, Unauthenticated, Unavailable
from ownkey.domain.tenancy import KeyScope, Permission, Principal, principal_of
from ownkey.storage import sessions, users
from ownkey.storage.records import Session
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


_SEEN_EVERY = 60.0
"""Seconds between two notes of when a session was last used."""
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def control_of(request: Request) -> Control:
    """The parts of the running server."""
    control: Control = request.app.state.control
    return control


def peer_of(request: Request) -> str:
    """The client's address: the socket's, or what proxies trusted by the operator say it is."""
    socket = request.client.host if request.client else ""
    proxies = control_of(request).settings.proxies
    return proxies.client_of(socket, request.headers.getlist("x-forwarded-for")) if proxies else socket


def agent_of(request: Request) -> str:
    """What the client calls itself, as far as it is shown to the owner of a session."""
    text = request.headers.get("user-agent", "")[:300]
    return "".join(character for character in text if character.isprintable())


Scheme = Callable[[Request, Control], Awaitable[Principal | None]]
"""One way to sign in: the principal, or None when the request carries nothing of this kind. Raises Unauthenticated for
what is not valid, NotAllowed for what is but may not be used so."""


async def _by_api_key(request: Request, control: Control) -> Principal | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    # A bearer token without text is an error to report; an empty x-api-key is ignored.
    key = token if scheme.lower() == "bearer" else request.headers.get("x-api-key") or None
    if key is None:
        return None
    return await control.gateway.principal_of(key.strip(), KeyScope.MANAGE, peer_of(request))


async def _by_session(request: Request, control: Control) -> Principal | None:
    token = read_cookie(request, control.settings.secure_cookies)
    if token is None:
        return None
    check_same_site(request, control)
    session, principal = await _session_principal(token, control)
    await _note_use(session, request, control)
    return principal


_SCHEMES: tuple[Scheme, ...] = (_by_api_key, _by_session)


async def caller_of(request: Request, control: Annotated[Control, Depends(control_of)]) -> Principal:
    """The signed-in caller, by the first scheme that the request carries something for.

    Raises Unauthenticated, or NotAllowed for a write from another site.
    """
    for scheme in _SCHEMES:
        principal = await scheme(request, control)
        if principal is not None:
            return principal
    raise Unauthenticated("Sign in, or send an API key with the scope manage as `Authorization: Bearer ok_…`.")


def caller_with(permission: Permission) -> Callable[[Principal], Awaitable[Principal]]:
    """A dependency that returns the caller. It raises NotAllowed unless their role includes `permission`."""

    async def check(caller: Annotated[Principal, Depends(caller_of)]) -> Principal:
        require(caller, permission)
        return caller

    return check


def require(caller: Principal, permission: Permission) -> None:
    """Raise NotAllowed unless the caller's role includes `permission`."""
    if not caller.may(permission):
        raise NotAllowed("Only an operator may do this.")


def check_same_site(request: Request, control: Control) -> None:
    """Reject a write with a cookie that another site's page caused (Fetch metadata first, then Origin)."""
    if request.method in _SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise NotAllowed("This write came from another site's page.")
    origin = request.headers.get("origin")
    if origin is not None and origin not in _own_origins(request, control):
        raise NotAllowed("This write came from another origin; set OWNKEY_PUBLIC_URL to the address people use.")


def _own_origins(request: Request, control: Control) -> set[str]:
    origins = {f"{request.url.scheme}://{request.headers.get('host', '')}"}
    if control.settings.public_url:
        parts = urlsplit(control.settings.public_url)
        origins.add(f"{parts.scheme}://{parts.netloc}")
    return origins


async def _session_principal(token: str, control: Control) -> tuple[Session, Principal]:
    async with control.database.read() as connection:
        session = await sessions.by_token_hash(connection, hash_token(token, control.session_pepper))
        if session is None or session.expires_at <= time.time():
            raise Unauthenticated("Your session has ended: sign in again.")
        user = await users.get(connection, session.user_id)
    if user is None or user.disabled_at is not None:
        raise Unauthenticated("Your session has ended: sign in again.")
    return session, principal_of(user.id, user.role, session_id=session.id)


async def _note_use(session: Session, request: Request, control: Control) -> None:
    now = time.time()
    if now - session.last_seen_at < _SEEN_EVERY:
        return
    with suppress(Unavailable):
        async with control.database.write() as connection:
            await sessions.touch(connection, session.id, now, peer_of(request), agent_of(request))


ControlDep = Annotated[Control, Depends(control_of)]
Caller = Annotated[Principal, Depends(caller_of)]
