"""`POST /auth/login`, `POST /auth/logout`."""

from fastapi import APIRouter, Request, Response

from ownkey.control.auth.schemas import Login, SignedIn
from ownkey.control.auth.service import sign_in
from ownkey.control.identity import Caller, ControlDep, agent_of, check_same_site, clear_cookie, peer_of, set_cookie
from ownkey.control.shapes import StrictRoute, instant
from ownkey.storage import sessions

router = APIRouter(route_class=StrictRoute, prefix="/auth", tags=["auth"])


@router.post("/login")
async def login(body: Login, request: Request, response: Response, control: ControlDep) -> SignedIn:
    """Sign in; the session travels in a cookie and lasts two hours."""
    check_same_site(request, control)
    password = body.password.get_secret_value()
    signed = await sign_in(control, body.email, password, peer_of(request), agent_of(request))
    set_cookie(response, signed.token, control.settings.secure_cookies)
    return SignedIn(
        user_id=signed.user.id,
        email=signed.user.email,
        role=signed.user.role.value,
        expires_at=instant(signed.session.expires_at) or "",
    )


@router.post("/logout", status_code=204)
async def logout(caller: Caller, response: Response, control: ControlDep) -> None:
    """End this session. With an API key this does nothing."""
    if caller.session_id is not None:
        async with control.database.write() as connection:
            await sessions.revoke(connection, caller.user_id, caller.session_id)
    clear_cookie(response, control.settings.secure_cookies)
