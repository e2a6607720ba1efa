"""Who may see a workbench session: whoever has its token, or its owner signed in.

A token is a secret of its own (`wb_…`), sent as bearer. Absent, wrong and foreign look the same: 404.
"""

from typing import Annotated

from fastapi import Depends, Request
from msgspec import Struct

from ownkey.control.context import Control
from ownkey.control.identity import caller_of, check_same_site, control_of, peer_of
from ownkey.domain.allowance import Pool, Refused
from ownkey.domain.errors import NotFound, RateLimited, Unauthenticated
from ownkey.domain.tenancy import Principal
from ownkey.storage.workbench import WorkbenchSession
from ownkey.workbench.hosting import Limits, Run, limits_of

_KEY_PREFIX = "ok_"
_NO_RUN = "There is no run with this id, or it is not yours: send the session's token as bearer."


class Visitor(Struct, frozen=True):
    """Who calls: with a session's token, signed in, both or neither."""

    token: str | None
    principal: Principal | None
    peer: str


async def visitor_of(request: Request, control: Annotated[Control, Depends(control_of)]) -> Visitor:
    """Raises Unauthenticated for an API key that is not valid, NotAllowed for a write from another site's page."""
    check_same_site(request, control)
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" and not bearer.strip().startswith(_KEY_PREFIX) else None
    principal = None
    if token is None:
        keyed = bool(bearer.strip()) or "x-api-key" in request.headers
        try:
            principal = await caller_of(request, control)
        except Unauthenticated:
            # A browser whose sign-in has ended is a visitor like any other; a wrong key is an error to report.
            if keyed:
                raise
    return Visitor(token, principal, peer_of(request))


VisitorDep = Annotated[Visitor, Depends(visitor_of)]


class Entry(Struct, frozen=True):
    """A session that the caller may see, and its limits. `principal` is whose models and prices it has, None without an
    account."""

    session: WorkbenchSession
    limits: Limits
    principal: Principal | None


async def entry_of(session_id: str, visitor: VisitorDep, control: Annotated[Control, Depends(control_of)]) -> Entry:
    """The session of the path. Raises NotFound, or Unauthenticated for a token whose account's rights have ended."""
    session = await control.workbench.sessions.find(session_id, visitor.token, visitor.principal)
    return Entry(session, limits_of(session), visitor.principal or await _account(control, session))


async def token_session(control: Control, token: str) -> WorkbenchSession:
    """The session whose token this is. Raises as `entry_of` does."""
    session = await control.workbench.sessions.of_token(token)
    await _account(control, session)
    return session


async def _account(control: Control, session: WorkbenchSession) -> Principal | None:
    """A token is worth what the rights of its account are worth now: it ends with the user, or with the API key that
    created the session."""
    if session.user_id is None:
        return None
    return await control.gateway.principal_for(session.user_id, session.api_key_id)


EntryDep = Annotated[Entry, Depends(entry_of)]


class SeenRun(Struct, frozen=True):
    """A run that the caller may see, with its session."""

    run: Run
    session: WorkbenchSession
    limits: Limits


async def run_of(run_id: str, visitor: VisitorDep, control: Annotated[Control, Depends(control_of)]) -> SeenRun:
    """The run of the path. Raises NotFound, the same for an absent and a foreign one, or Unauthenticated for a token
    whose account's rights have ended."""
    try:
        run = await control.workbench.runs.find(run_id)
        session = await control.workbench.sessions.find(run.row.session_id, visitor.token, visitor.principal)
    except NotFound:
        raise NotFound(_NO_RUN) from None
    if visitor.principal is None:
        await _account(control, session)
    return SeenRun(run, session, limits_of(session))


RunDep = Annotated[SeenRun, Depends(run_of)]


async def count(control: Control, action: str, actor: str, limit: int) -> None:
    """Count an action of a user or an address, as `who` names them. Raises RateLimited above `limit` per minute."""
    outcome = await control.allowance.acquire((Pool(f"workbench-{action}:{actor}", limit, unit=action),), (1,))
    if isinstance(outcome, Refused):
        raise RateLimited(f"At most {limit} of these per minute: wait a little.", retry_after=outcome.retry_after)
