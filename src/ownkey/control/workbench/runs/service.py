"""What runs do beyond their rows: live events, answers about the results, the winner as a route."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from time import monotonic

from msgspec import Struct
from pydantic import SecretStr

from ownkey.control.context import Control
from ownkey.control.credentials import service as credentials
from ownkey.control.credentials.schemas import NewCredential
from ownkey.control.credentials.service import visible_owners
from ownkey.control.routes import service as routes
from ownkey.control.routes.schemas import NewRoute
from ownkey.control.shapes import Reply
from ownkey.control.workbench.access import SeenRun
from ownkey.control.workbench.runs.schemas import (
    AnsweredEvent,
    DeltaEvent,
    DoneEvent,
    ErasedEvent,
    ErrorEvent,
    PromotedReply,
    Promotion,
    show_progress,
    show_result,
    show_run,
)
from ownkey.domain.errors import (
    Conflict,
    InvalidRequest,
    NotAllowed,
    NotFound,
    OwnkeyError,
    Unauthenticated,
    Unavailable,
)
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import Principal, user_owner
from ownkey.providers import OWN_ENDPOINT
from ownkey.storage import credentials as stored_credentials
from ownkey.workbench.endpoint import advice, operators_base_urls
from ownkey.workbench.hosting import PromptPages, Run, Said
from ownkey.workbench.records import EndpointKind, FailureKind, Prompt, Result, RunStatus, Target
from ownkey.workbench.summary import RunSummary, Verdict

_PING = b": ping\n\n"
_PING_S = 15.0


async def run_events(control: Control, run: Run, after: int) -> AsyncGenerator[bytes]:
    """A run's news until it has ended; the figures come last. A server that stops ends the stream early: the client
    reconnects with the number of the last event."""
    workbench, run_id = control.workbench, run.row.id
    spoken, prompts = monotonic(), workbench.suites.pages(run.plan.suite)
    async for news in workbench.feed.follow(run_id, after):
        if control.readiness.draining:
            return
        if news is None:
            # A proxy would close a silent connection, and a write shows who has left.
            if monotonic() - spoken < _PING_S:
                continue
            yield _PING
        elif news.result is not None:
            yield await _result_event(prompts, news.result)
        else:
            yield _event("progress", show_progress(news.progress))
        spoken = monotonic()
    try:
        ended = await workbench.runs.find(run_id)
        figures = await workbench.runs.figures(ended)
    except NotFound:
        yield _event("done", ErasedEvent(id=run_id))
    except Unavailable:
        return
    else:
        yield _event("done", DoneEvent(**dict(show_run(ended.row)), metrics=figures))


async def answer_events(said: AsyncGenerator[str | Said]) -> AsyncGenerator[bytes]:
    """A model's answer about its results, as it arrives."""
    try:
        async with aclosing(said):
            async for piece in said:
                if isinstance(piece, str):
                    yield _event("delta", DeltaEvent(text=piece))
                elif piece.failure is not None:
                    yield _error_event(piece.failure.kind, piece.failure.message)
                else:
                    ended = AnsweredEvent(left_out=piece.left_out, context_tokens=piece.context_tokens)
                    yield _event("done", ended)
    except OwnkeyError as error:
        # The status line has been sent: an event is the only way left to report it.
        kind = FailureKind.AUTH if isinstance(error, Unauthenticated) else FailureKind.UNKNOWN
        yield _error_event(kind, error.public)


async def promote(control: Control, caller: Principal, seen: SeenRun, wanted: Promotion, peer: str) -> PromotedReply:
    """Create a route to the winner, or to the target that is named. An endpoint with its own key becomes a stored
    credential first. Raises NotAllowed for a session that is not the caller's, Conflict where nobody has won."""
    if seen.session.user_id != caller.user_id:
        raise NotAllowed("A route belongs to an account: promote a run of a session that you created signed in.")
    place, words = await _place(control, seen, wanted)
    target = seen.run.plan.targets[place]
    reached = await _reached(control, caller, seen, target)
    new = NewRoute(name=wanted.name, model=reached.model, credential_id=reached.credential_id, shadow=wanted.shadow)
    try:
        route, _ = await routes.create(control, caller, new, peer)
    except OwnkeyError:
        # A name that is taken, say: no key may stay behind that nobody asked to store.
        if reached.created and reached.credential_id is not None:
            await credentials.remove(control, caller, reached.credential_id)
        raise
    return PromotedReply(
        id=route.id,
        name=route.name,
        model=route.model,
        credential_id=route.credential_id,
        target=place,
        words=words,
    )


async def _place(control: Control, seen: SeenRun, wanted: Promotion) -> tuple[int, str]:
    count = len(seen.run.plan.targets)
    if wanted.target is not None:
        if wanted.target >= count:
            raise InvalidRequest(f"The run has {count} model(s), counted from 0.", param="target")
        return wanted.target, "Chosen by you."
    if count == 1:
        return 0, "The only model of the run."
    if seen.run.row.status != RunStatus.COMPLETED:
        raise Conflict("The run has not been completed: name the model by `target`, or wait.")
    summary = await control.workbench.runs.figures(seen.run)
    found = _winner(summary)
    if found is None:
        raise Conflict("No model of the run is better than all others: name the one you want by `target`.")
    return found


def _winner(summary: RunSummary) -> tuple[int, str] | None:
    """The index of the target that is better than every other, or None, and the verdicts in words."""
    for target in range(len(summary.targets)):
        duels = [each for each in summary.comparisons if target in (each.a, each.b)]
        won = [each for each in duels if each.verdict is (Verdict.A if each.a == target else Verdict.B)]
        if duels and len(won) == len(summary.targets) - 1:
            return target, " ".join(each.words for each in won)
    return None


class _Reached(Struct, frozen=True):
    """How the gateway reaches a target: a model's name, and the credential it needs, `created` for it or not."""

    model: str
    credential_id: str | None
    created: bool = False


async def _reached(control: Control, caller: Principal, seen: SeenRun, target: Target) -> _Reached:
    if target.kind is EndpointKind.GATEWAY:
        return _Reached(target.model, await _credential_id(control, caller, target.credential))
    key = await control.workbench.targets.key_of(seen.session, target.id)
    # A provider at the address that the catalogue has for it is that provider; anything else is the person's own.
    provider = operators_base_urls(control.gateway.catalogue).get(target.base_url or "")
    name = provider or OWN_ENDPOINT
    stored = await _same_key(control, caller, name, key, target, own=provider is None)
    if stored is not None:
        return _Reached(f"{name}/{target.model}", stored)
    new = NewCredential(
        provider=name,
        api_key=SecretStr("" if key is None else key.reveal()),
        base_url=target.base_url if provider is None else None,
        model=target.model if provider is None else None,
        label=f"workbench {target.id[-8:]}",
        allowed_models=None,
        allowed_ips=None,
        team_id=None,
    )
    credential, _ = await credentials.create(control, caller, new)
    return _Reached(f"{name}/{target.model}", credential.id, created=True)


async def _same_key(
    control: Control, caller: Principal, provider: str, key: Secret | None, target: Target, *, own: bool
) -> str | None:
    """The credential under which the caller has stored this very key for this very place, if there is one."""
    owner = user_owner(caller.user_id)
    fingerprint = await control.vault.fingerprint(owner.tenant, provider, key or Secret(""))
    base_url = target.base_url if own else None
    async with control.database.read() as connection:
        twin = await stored_credentials.find_same_key(connection, owner, provider, fingerprint, base_url)
    return twin.id if twin is not None and twin.model in (None, target.model) else None


async def _credential_id(control: Control, caller: Principal, named: str | None) -> str | None:
    """The id of a credential that was named by id or label, as `x-ownkey-credential` takes it."""
    if named is None:
        return None
    cursor = None
    while True:
        async with control.database.read() as connection:
            page = await stored_credentials.list_page(connection, visible_owners(caller), 200, cursor)
        for credential in page.items:
            if named in (credential.id, credential.label):
                return credential.id
        cursor = page.next_cursor
        if cursor is None:
            raise NotFound("The credential that the run used is gone.")


async def _result_event(prompts: PromptPages, result: Result) -> bytes:
    try:
        prompt = await prompts.get(result.slot.position)
    except Unavailable:
        prompt = None
    return _event("result", show_result(prompt or Prompt(result.prompt_id, ()), result), result.seq)


def _error_event(kind: FailureKind, message: str) -> bytes:
    return _event("error", ErrorEvent(kind=kind.value, message=message, advice=advice(kind)))


def _event(name: str, data: Reply, number: int | None = None) -> bytes:
    """One server-sent event (WHATWG HTML, section 9.2); JSON has no line breaks, so it is one data line."""
    head = b"" if number is None else b"id: %d\n" % number
    return head + b"event: %b\ndata: %b\n\n" % (name.encode(), data.model_dump_json().encode())
