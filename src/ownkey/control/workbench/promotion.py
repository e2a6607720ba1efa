"""The winner of a run becomes a route of its owner's: a name that this gateway answers to."""

from msgspec import Struct
from pydantic import SecretStr

from ownkey.control.context import Control
from ownkey.control.credentials import service as credentials
from ownkey.control.credentials.schemas import NewCredential
from ownkey.control.credentials.service import visible_owners
from ownkey.control.routes import service as routes
from ownkey.control.routes.schemas import NewRoute
from ownkey.control.workbench.access import SeenRun
from ownkey.control.workbench.schemas import PromotedReply, Promotion
from ownkey.domain.errors import Conflict, InvalidRequest, NotAllowed, NotFound, OwnkeyError
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import Principal, user_owner
from ownkey.providers import OWN_ENDPOINT
from ownkey.storage import credentials as stored_credentials
from ownkey.workbench.endpoint import operators_base_urls
from ownkey.workbench.hosting import winner_of
from ownkey.workbench.records import EndpointKind, RunStatus, Target


async def promote(control: Control, caller: Principal, seen: SeenRun, wanted: Promotion, peer: str) -> PromotedReply:
    """Make a route to the winner, or to the target that is named. An endpoint with a key of its own becomes a stored
    credential first. Raises NotAllowed for a session that is not the caller's, Conflict where nobody has won."""
    if seen.session.user_id != caller.user_id:
        raise NotAllowed("A route belongs to an account: promote a run of a session that you made signed in.")
    place, words = await _place(control, seen, wanted)
    target = seen.run.plan.targets[place]
    reached = await _reached(control, caller, seen, target)
    new = NewRoute(name=wanted.name, model=reached.model, credential_id=reached.credential_id, shadow=wanted.shadow)
    try:
        route, _ = await routes.create(control, caller, new, peer)
    except OwnkeyError:
        # A name that is taken, say: no key is to stay behind that nobody asked to keep.
        if reached.made and reached.credential_id is not None:
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
    found = winner_of(summary)
    if found is None:
        raise Conflict("No model of the run is better than all others: name the one you want by `target`.")
    return found


class _Reached(Struct, frozen=True):
    """How the gateway reaches a target: a model's name, and the credential it needs, which may be `made` for it."""

    model: str
    credential_id: str | None
    made: bool = False


async def _reached(control: Control, caller: Principal, seen: SeenRun, target: Target) -> _Reached:
    if target.kind is EndpointKind.GATEWAY:
        return _Reached(target.model, await _credential_id(control, caller, target.credential))
    key = await control.workbench.targets.key_of(seen.session, target.id)
    # A provider at the address that the catalogue has for it is that provider; anything else is the person's own.
    provider = operators_base_urls(control.gateway.catalogue).get(target.base_url or "")
    name = provider or OWN_ENDPOINT
    kept = await _kept(control, caller, name, key, target, own=provider is None)
    if kept is not None:
        return _Reached(f"{name}/{target.model}", kept)
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
    return _Reached(f"{name}/{target.model}", credential.id, made=True)


async def _kept(
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
