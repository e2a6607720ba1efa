"""`GET /workbench/terms`: what a visitor is told before anything begins."""

from typing import Any

import msgspec
from fastapi import APIRouter

from ownkey.control.identity import ControlDep
from ownkey.control.shapes import Reply
from ownkey.control.workbench.access import VisitorDep
from ownkey.storage import users
from ownkey.workbench.hosting import ACCOUNT, ANONYMOUS

router = APIRouter(prefix="/workbench", tags=["workbench"])


class TermsReply(Reply):
    """`account` is the address of who is signed in, `limits` those of a session begun now. With `simulated` every
    provider is the sandbox."""

    account: str | None
    limits: dict[str, Any]
    simulated: bool


@router.get("/terms")
async def get_terms(visitor: VisitorDep, control: ControlDep) -> TermsReply:
    """What a session begun now may ask for, and whose it would be. Open to all."""
    account = None
    if visitor.principal is not None:
        async with control.database.read() as connection:
            user = await users.get(connection, visitor.principal.user_id)
        account = None if user is None else user.email
    limits = ANONYMOUS if visitor.principal is None else ACCOUNT
    return TermsReply(
        account=account, limits=msgspec.to_builtins(limits), simulated=control.settings.sandbox_url is not None
    )
