"""From bodies to the workbench's own words: targets and run plans."""

import time

from msgspec.structs import replace

from ownkey.control.context import Control
from ownkey.control.workbench.access import Entry, Visitor
from ownkey.control.workbench.schemas import NewRun, NewTarget, PriceBody, key_of
from ownkey.domain.errors import InvalidRequest, RateLimited
from ownkey.domain.money import parse_usd
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import Principal
from ownkey.storage import counters
from ownkey.storage.workbench import WorkbenchSession
from ownkey.workbench.endpoint import Preset, preset_named, presets, read_base_url
from ownkey.workbench.hosting import list_prices
from ownkey.workbench.records import (
    EndpointKind,
    Judge,
    Objectives,
    Prices,
    RunPlan,
    Sampling,
    SuiteInfo,
    Target,
)

_MINUTE = 60.0


async def count(control: Control, deed: str, session: WorkbenchSession, limit: int) -> None:
    """Count a deed of a session. Raises RateLimited when the minute's are used up."""
    async with control.database.write() as connection:
        key = f"workbench-{deed}:{session.id}"
        allowed = await counters.hit(connection, key, limit, _MINUTE, time.time())
    if not allowed.allowed:
        raise RateLimited(f"At most {limit} of these a minute: wait a little.", retry_after=allowed.retry_after)


async def target_of(
    control: Control, body: NewTarget, principal: Principal | None, peer: str
) -> tuple[Target, Secret | None]:
    """A target and its key. Raises InvalidRequest for a URL or preset that is none."""
    key = key_of(body)
    secret = None if key is None else Secret(key.get_secret_value())
    direct = body.endpoint_url is not None or body.preset is not None
    if direct and body.credential is not None:
        text = "A stored credential goes through this gateway: leave out endpoint_url and preset, or the credential."
        raise InvalidRequest(text, param="credential")
    if not direct and secret is not None:
        text = "Say which endpoint the key belongs to, by preset or endpoint_url; or leave the key out."
        raise InvalidRequest(text, param="api_key")
    preset = None if body.preset is None else _preset(control, body.preset)
    base_url = None
    if direct:
        given = body.endpoint_url or (preset.base_url if preset is not None else None)
        if given is None:
            raise InvalidRequest("This preset has no address of its own: give endpoint_url.", param="endpoint_url")
        base_url = read_base_url(given)
    target = Target(
        id="",
        label=body.label or body.model,
        kind=EndpointKind.DIRECT if direct else EndpointKind.GATEWAY,
        model=body.model,
        base_url=base_url,
        credential=body.credential,
        preset=body.preset,
        prices=_prices(body.prices),
    )
    if target.prices is None:
        provider = None if preset is None else preset.provider
        target = replace(target, prices=await list_prices(control.gateway, target, provider, principal, peer))
    return target, secret


async def add_target(control: Control, entry: Entry, visitor: Visitor, body: NewTarget) -> Target:
    """Store a model, with its own key or that of another. Raises as `target_of` and `TargetBook.add` do."""
    owner, principal = entry.session, visitor.principal
    if principal is None and owner.user_id is not None:
        # The session's token came alone: it stands for the account that opened the session.
        principal = await control.gateway.principal_for(owner.user_id, owner.api_key_id)
    target, key = await target_of(control, body, principal, visitor.peer)
    if body.key_from is not None:
        if key is not None:
            raise InvalidRequest("Send api_key or key_from, not both.", param="key_from")
        key = await _key_from(control, entry, body.key_from, target)
    return await control.workbench.targets.add(entry.session, target, key, entry.limits)


async def _key_from(control: Control, entry: Entry, target_id: str, target: Target) -> Secret | None:
    """The key of another target at the same address. Raises InvalidRequest for another address: a key goes nowhere
    that its owner did not send it. Raises NotFound."""
    book = control.workbench.targets
    other = await book.get(entry.session, target_id)
    if other.kind is not target.kind or other.base_url != target.base_url:
        text = f"The key was given for {other.base_url}: give it again for another address."
        raise InvalidRequest(text, param="api_key")
    return await book.key_of(entry.session, target_id)


async def targets_of(control: Control, entry: Entry, visitor: Visitor, body: NewRun) -> tuple[Target, ...]:
    """The targets of a run, new ones stored. Raises InvalidRequest, NotFound."""
    book, session = control.workbench.targets, entry.session
    known = [target for target, _ in await book.of_session(session)]
    chosen = [await book.get(session, id_) for id_ in body.targets] if body.targets else known[:1]
    if not chosen:
        raise InvalidRequest("The session has no model yet.")
    others = body.compare_with
    for other in others if isinstance(others, list) else [] if others is None else [others]:
        chosen.append(await _other(control, entry, visitor, chosen[0], known, other))
    if len({target.id for target in chosen}) != len(chosen):
        raise InvalidRequest("A model is compared with others, not with itself.", param="compare_with")
    if len(chosen) > 8:
        raise InvalidRequest("At most eight models are compared at once.", param="compare_with")
    return tuple(chosen)


async def _other(
    control: Control, entry: Entry, visitor: Visitor, first: Target, known: list[Target], other: str | NewTarget
) -> Target:
    book, session = control.workbench.targets, entry.session
    if isinstance(other, NewTarget):
        return await add_target(control, entry, visitor, other)
    for target in known:
        if other == target.id:
            return target
    body = NewTarget(
        model=other,
        preset=first.preset,
        endpoint_url=first.base_url,
        credential=first.credential,
        label=None,
        key_from=None,
    )
    target, _ = await target_of(control, body, visitor.principal, visitor.peer)
    for each in known:
        if (each.model, each.base_url, each.credential) == (target.model, target.base_url, target.credential):
            return each
    return await book.add(session, target, await book.key_of(session, first.id), entry.limits)


def plan_of(body: NewRun, suite: SuiteInfo, targets: tuple[Target, ...]) -> RunPlan:
    """The plan of a run."""
    objectives = body.objectives
    return RunPlan(
        suite=suite,
        targets=targets,
        limit=body.limit,
        concurrency=body.concurrency,
        repeats=body.repeats,
        warm_up=body.warm_up,
        sampling=Sampling(body.max_tokens, body.temperature, body.timeout_ms, body.stream),
        retries=body.retries,
        max_cost=None if body.max_cost_usd is None else parse_usd(body.max_cost_usd),
        judge=None if body.judge is None else Judge(body.judge.model, body.judge.credential),
        embedding_model=body.embedding_model,
        objectives=Objectives()
        if objectives is None
        else Objectives(objectives.ttft_ms, objectives.tpot_ms, objectives.e2e_ms),
        seed=body.seed,
    )


async def suite_of(control: Control, entry: Entry, suite_id: str) -> SuiteInfo:
    """A suite that the session may use. Raises NotFound."""
    user_id = entry.session.user_id
    return await control.workbench.suites.get(suite_id, entry.session.id, user_id)


def _preset(control: Control, name: str) -> Preset:
    """Raises InvalidRequest with the names there are."""
    found = preset_named(name, control.gateway.catalogue)
    if found is None:
        names = ", ".join(preset.name for preset in presets(control.gateway.catalogue))
        raise InvalidRequest(f"There is no preset of this name. There are {names}.", param="preset")
    return found


def _prices(body: PriceBody | None) -> Prices | None:
    if body is None:
        return None
    return Prices(parse_usd(body.input_usd_per_million), parse_usd(body.output_usd_per_million), "user")
