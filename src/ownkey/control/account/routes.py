"""`/me` and `/me/sessions`."""

import time

from fastapi import APIRouter, Request

from ownkey.control.account.schemas import Goodbye, Me, MeChange, SessionReply, show_me, show_session
from ownkey.control.account.service import change_me, require_password
from ownkey.control.admin.service import delete_user, find_user
from ownkey.control.identity import Caller, ControlDep, peer_of
from ownkey.control.shapes import Cursor, Limit, Listing, StrictRoute, newest_first
from ownkey.domain.errors import NotFound
from ownkey.storage import sessions

router = APIRouter(route_class=StrictRoute, prefix="/me", tags=["account"])


@router.get("")
async def me(caller: Caller, control: ControlDep) -> Me:
    """The caller's account."""
    user = await find_user(control, caller.user_id)
    return show_me(user, "session" if caller.session_id else "api_key")


@router.patch("")
async def change(body: MeChange, caller: Caller, control: ControlDep, request: Request) -> Me:
    """Change one's e-mail address or password; a new password ends all other sessions."""
    user = await change_me(control, caller, body, peer_of(request))
    return show_me(user, "session" if caller.session_id else "api_key")


@router.delete("", status_code=204)
async def leave(body: Goodbye, caller: Caller, control: ControlDep, request: Request) -> None:
    """Delete one's account with everything in it."""
    user = await find_user(control, caller.user_id)
    password = body.current_password.get_secret_value() if body.current_password else ""
    await require_password(control, user, password, peer_of(request))
    await delete_user(control, user.id)


@router.get("/sessions")
async def list_sessions(
    caller: Caller, control: ControlDep, limit: Limit = 100, cursor: Cursor = None
) -> Listing[SessionReply]:
    """Where the caller is signed in, newest first."""
    async with control.database.read() as connection:
        found = await sessions.list_for_user(connection, caller.user_id, time.time())
    page, following = newest_first(found, lambda session: (session.created_at, session.id), limit, cursor)
    return Listing(items=[show_session(session, caller.session_id) for session in page], next_cursor=following)


@router.delete("/sessions/{session_id}", status_code=204)
async def end_session(session_id: str, caller: Caller, control: ControlDep) -> None:
    """Sign out elsewhere."""
    async with control.database.write() as connection:
        ended = await sessions.revoke(connection, caller.user_id, session_id)
    if ended is None:
        raise NotFound("No session has this id.")
