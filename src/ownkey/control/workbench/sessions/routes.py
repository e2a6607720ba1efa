"""`/workbench/sessions`, `/workbench/presets` and `/workbench/terms`."""

from contextlib import suppress

import msgspec
from fastapi import APIRouter

from ownkey.control.identity import Caller, ControlDep
from ownkey.control.shapes import Listing, StrictRoute
from ownkey.control.workbench.access import EntryDep, VisitorDep, count
from ownkey.control.workbench.runs.schemas import RunReply, show_run
from ownkey.control.workbench.sessions.schemas import (
    ConnectionReply,
    NewRun,
    NewTarget,
    PresetReply,
    PreviewReply,
    ReceiptReply,
    TargetReply,
    TermsReply,
    TestBody,
    WorkbenchSessionReply,
    show_preview,
    show_receipt,
    show_session,
    show_target,
    show_test,
)
from ownkey.control.workbench.sessions.service import (
    chosen,
    hint_of,
    new_target,
    plan_of,
    stored,
    suite_of,
    target_of,
)
from ownkey.domain.errors import InvalidRequest, OwnkeyError
from ownkey.storage import users
from ownkey.storage.workbench import WorkbenchSession
from ownkey.workbench.endpoint import check_connection, presets
from ownkey.workbench.hosting import ACCOUNT, ANONYMOUS, Workbench, limits_of, who
from ownkey.workbench.records import Target

router = APIRouter(route_class=StrictRoute, prefix="/workbench", tags=["workbench"])
_SESSIONS_SHOWN = 100


@router.get("/terms")
async def get_terms(visitor: VisitorDep, control: ControlDep) -> TermsReply:
    """The limits of a session created now, and its owner. Open to all."""
    account = None
    if visitor.principal is not None:
        async with control.database.read() as connection:
            user = await users.get(connection, visitor.principal.user_id)
        account = None if user is None else user.email
    limits = ANONYMOUS if visitor.principal is None else ACCOUNT
    return TermsReply(account=account, limits=limits, simulated=control.settings.sandbox_url is not None)


@router.get("/presets")
async def list_presets(control: ControlDep) -> Listing[PresetReply]:
    """Endpoints that people know by name. Open to all."""
    found = presets(control.gateway.catalogue)
    return Listing(items=[PresetReply(**msgspec.to_builtins(each)) for each in found])


@router.post("/sessions", status_code=201)
async def create_session(
    visitor: VisitorDep, control: ControlDep, body: NewTarget | None = None
) -> WorkbenchSessionReply:
    """Begin a session with its first model, or without a body with none yet. Without an account it lives an hour, one
    at a time for an address; its `token` is shown this once and is needed, as bearer, for everything that follows."""
    workbench = control.workbench
    if body is None:
        session, token = await workbench.sessions.open(visitor.principal, visitor.peer)
        return show_session(session, [], [], limits_of(session), token)
    if body.key_from is not None:
        raise InvalidRequest("A new session has no model whose key could be taken: send api_key.", param="key_from")
    target, key = await target_of(control, body, visitor.principal, visitor.peer)
    workbench.targets.check(target, anonymous=visitor.principal is None)
    session, token = await workbench.sessions.open(visitor.principal, visitor.peer)
    limits = limits_of(session)
    try:
        await workbench.targets.add(session, target, key, limits)
    except OwnkeyError:
        # Its token would never be known, and its address could not begin another.
        with suppress(OwnkeyError):
            await workbench.sessions.erase(session.id)
        raise
    return show_session(session, await workbench.targets.of_session(session), [], limits, token)


@router.get("/sessions")
async def list_sessions(caller: Caller, control: ControlDep) -> Listing[WorkbenchSessionReply]:
    """Your sessions, newest first. Those without an account are in no list."""
    workbench = control.workbench
    return Listing(
        items=[
            show_session(each, await workbench.targets.of_session(each), [], limits_of(each))
            for each in await workbench.sessions.of_user(caller, _SESSIONS_SHOWN)
        ]
    )


@router.get("/sessions/{session_id}")
async def get_session(entry: EntryDep, control: ControlDep) -> WorkbenchSessionReply:
    """A session with its models and runs."""
    workbench = control.workbench
    targets = await workbench.targets.of_session(entry.session)
    return show_session(entry.session, targets, await workbench.runs.of_session(entry.session), entry.limits)


@router.delete("/sessions/{session_id}")
async def erase_session(entry: EntryDep, control: ControlDep) -> ReceiptReply:
    """Erase the session with its keys, suites, runs and results; the receipt says what went."""
    return show_receipt(await control.workbench.eraser.erase(entry.session.id))


@router.post("/sessions/{session_id}/targets", status_code=201)
async def add_target(body: NewTarget, entry: EntryDep, visitor: VisitorDep, control: ControlDep) -> TargetReply:
    """Add a model to the session, to be tested or compared."""
    store = control.workbench.targets
    target, key = await new_target(control, entry, visitor.peer, body)
    added = await store.add(entry.session, target, key, entry.limits)
    masks = {each.id: masked for each, masked in await store.of_session(entry.session)}
    return show_target(added, masks[added.id], hint_of(control, added, key))


@router.delete("/sessions/{session_id}/targets/{target_id}", status_code=204)
async def remove_target(target_id: str, entry: EntryDep, control: ControlDep) -> None:
    """Take a model with its key out of the session. One that a run has tested stays: the run needs it."""
    await control.workbench.targets.remove(entry.session, target_id)


@router.post("/sessions/{session_id}/test")
async def probe_connection(
    entry: EntryDep, visitor: VisitorDep, control: ControlDep, body: TestBody | None = None
) -> ConnectionReply:
    """Test the connection and find out what the endpoint can do; later calls adapt to it."""
    workbench, session = control.workbench, entry.session
    await count(control, "test", who(session), entry.limits.tests_a_minute)
    target = await _target(workbench, session, None if body is None else body.target_id)
    account = workbench.targets.account(session, visitor.peer)
    found = await check_connection(await workbench.targets.transports(session, target, account), target)
    if found.success:
        await workbench.targets.found_out(target, found.abilities, found.base_url)
    return show_test(found)


@router.post("/sessions/{session_id}/runs/preview")
async def preview_run(body: NewRun, entry: EntryDep, visitor: VisitorDep, control: ControlDep) -> PreviewReply:
    """What a run may cost. Nothing is sent and nothing begins."""
    suite = await suite_of(control, entry, body.suite_id)
    choices = await chosen(control, entry, visitor.peer, body)
    targets = tuple(choice.target for choice in choices)
    plan = await plan_of(control, entry, visitor.peer, body, suite, targets)
    return show_preview(await control.workbench.runs.preview(plan))


@router.post("/sessions/{session_id}/runs", status_code=201)
async def start_run(body: NewRun, entry: EntryDep, visitor: VisitorDep, control: ControlDep) -> RunReply:
    """Begin a run in the background."""
    suite = await suite_of(control, entry, body.suite_id)
    targets = await stored(control, entry, await chosen(control, entry, visitor.peer, body))
    plan = await plan_of(control, entry, visitor.peer, body, suite, targets)
    made = await control.workbench.runs.create(entry.session, plan, entry.limits)
    return show_run(made.row)


async def _target(workbench: Workbench, session: WorkbenchSession, target_id: str | None) -> Target:
    """The target of the id, or the session's first. Raises NotFound, InvalidRequest."""
    if target_id is not None:
        return await workbench.targets.get(session, target_id)
    for target, _ in await workbench.targets.of_session(session):
        return target
    raise InvalidRequest("The session has no model yet: add one.", param="target_id")
