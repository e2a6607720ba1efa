"""From bodies to the workbench's own values: targets and run plans."""

from msgspec import Struct
from msgspec.structs import replace

from ownkey.control.context import Control
from ownkey.control.key_tests.service import hint_for
from ownkey.control.workbench.access import Entry
from ownkey.control.workbench.sessions.schemas import NewRun, NewTarget, PriceBody, key_of
from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.domain.money import parse_usd
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import Principal
from ownkey.workbench.endpoint import Preset, operators_base_urls, preset_named, presets, read_base_url
from ownkey.workbench.hosting import TARGET_ID, list_prices, planned_prices
from ownkey.workbench.records import (
    Abilities,
    EndpointKind,
    Judge,
    Objectives,
    Prices,
    RunPlan,
    Sampling,
    SuiteInfo,
    Target,
)

_COMPARED = 8


async def target_of(
    control: Control, body: NewTarget, principal: Principal | None, peer: str
) -> tuple[Target, Secret | None]:
    """A target and its key. Raises InvalidRequest for an invalid URL or unknown preset."""
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
    return await priced(control, target, principal, peer), secret


async def priced(control: Control, target: Target, principal: Principal | None, peer: str) -> Target:
    """The target with the catalogue's prices, unless it has prices or the catalogue has none."""
    if target.prices is not None:
        return target
    preset = None if target.preset is None else _preset(control, target.preset)
    provider = None if preset is None else preset.provider
    return replace(target, prices=await list_prices(control.gateway, target, provider, principal, peer))


async def new_target(control: Control, entry: Entry, peer: str, body: NewTarget) -> tuple[Target, Secret | None]:
    """A model for the session with its own key or that of another; nothing is stored. Raises as `target_of` does."""
    target, key = await target_of(control, body, entry.principal, peer)
    if body.key_from is None:
        return target, key
    if key is not None:
        raise InvalidRequest("Send api_key or key_from, not both.", param="key_from")
    return target, await _key_from(control, entry, body.key_from, target)


def hint_of(control: Control, target: Target, key: Secret | None) -> str | None:
    """A sentence when the key for a provider's own address looks like another provider's."""
    name = operators_base_urls(control.gateway.catalogue).get(target.base_url or "")
    provider = None if name is None else control.gateway.catalogue.provider(name)
    return None if provider is None or key is None else hint_for(control, provider, key, None)


async def _key_from(control: Control, entry: Entry, target_id: str, target: Target) -> Secret | None:
    """The key of another target at the same address. Raises InvalidRequest for another address: a key goes nowhere
    that its owner did not send it. Raises NotFound."""
    store = control.workbench.targets
    other = await store.get(entry.session, target_id)
    if other.kind is not target.kind or other.base_url != target.base_url:
        text = f"The key was given for {other.base_url}: give it again for another address."
        raise InvalidRequest(text, param="api_key")
    return await store.key_of(entry.session, target_id)


class Choice(Struct, frozen=True):
    """A model of a run that is to be. `key` is set for one that the session does not have yet."""

    target: Target
    new: bool = False
    key: Secret | None = None


async def chosen(control: Control, entry: Entry, peer: str, body: NewRun) -> list[Choice]:
    """The models that a run names; nothing is stored. Raises InvalidRequest, NotFound."""
    store, session = control.workbench.targets, entry.session
    known = [target for target, _ in await store.of_session(session)]
    targets = [await store.get(session, id_) for id_ in body.targets] if body.targets else known[:1]
    if not targets:
        raise InvalidRequest("The session has no model yet: add one.", param="targets")
    choices = [Choice(target) for target in targets]
    others = body.compare_with
    for other in others if isinstance(others, list) else [] if others is None else [others]:
        choices.append(await _other(control, entry, peer, targets[0], known, other))
    same = [(_place(each.target), _reveal(each.key)) if each.new else each.target.id for each in choices]
    if len(set(same)) != len(same):
        raise InvalidRequest("A model is compared with others, not with itself.", param="compare_with")
    if len(choices) > _COMPARED:
        raise InvalidRequest("At most eight models are compared at once.", param="compare_with")
    return choices


async def stored(control: Control, entry: Entry, choices: list[Choice]) -> tuple[Target, ...]:
    """The models of a run, those that are new stored. Raises InvalidRequest, before any is stored, where there is no
    room for all."""
    store = control.workbench.targets
    await store.find_room(entry.session, sum(choice.new for choice in choices), entry.limits)
    return tuple(
        [
            await store.add(entry.session, choice.target, choice.key, entry.limits) if choice.new else choice.target
            for choice in choices
        ]
    )


async def _other(
    control: Control, entry: Entry, peer: str, first: Target, known: list[Target], other: str | NewTarget
) -> Choice:
    store, session = control.workbench.targets, entry.session
    for each in known:
        if other == each.id:
            return Choice(each)
    if isinstance(other, str) and other.startswith(TARGET_ID):
        # No model is called so: it is gone, mistyped, or another session's.
        return Choice(await store.get(session, other))
    if isinstance(other, NewTarget):
        target, key = await new_target(control, entry, peer, other)
        twins = [each for each in known if _alike(each, target)]
    else:
        target = replace(first, model=other, label=other, abilities=Abilities(), prices=None)
        target = await priced(control, target, entry.principal, peer)
        # The same endpoint, and so the same key.
        key = await store.key_of(session, first.id)
        twins = [each for each in known if _place(each) == _place(target)]
    for each in twins:
        if _reveal(await store.key_of(session, each.id)) == _reveal(key):
            return Choice(each)
    store.check(target, anonymous=session.user_id is None)
    return Choice(target, new=True, key=key)


def _alike(one: Target, other: Target) -> bool:
    """Whether they are the same but for what was found out about them."""
    return replace(one, id="", abilities=Abilities()) == replace(other, id="", abilities=Abilities())


def _place(target: Target) -> tuple[str, str | None, str | None]:
    return target.model, target.base_url, target.credential


def _reveal(key: Secret | None) -> str | None:
    return None if key is None else key.reveal()


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


async def plan_of(
    control: Control, entry: Entry, peer: str, body: NewRun, suite: SuiteInfo, targets: tuple[Target, ...]
) -> RunPlan:
    """The plan of a run. The address it is asked for from is kept where an account's rights may depend on it; of
    others none is."""
    objectives = body.objectives

    async def prices(model: str, format_: WireFormat, credential: str | None) -> Prices | None:
        if entry.principal is None:
            return None
        return await planned_prices(control.gateway, entry.principal, model, format_, credential, peer)

    judge, embedding = body.judge, body.embedding_model
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
        judge=judge and Judge(judge.model, judge.credential),
        judge_prices=judge and await prices(judge.model, WireFormat.OPENAI_CHAT, judge.credential),
        embedding_model=embedding,
        embedding_prices=await prices(embedding, WireFormat.OPENAI_EMBEDDINGS, None) if embedding else None,
        objectives=Objectives()
        if objectives is None
        else Objectives(objectives.ttft_ms, objectives.tpot_ms, objectives.e2e_ms),
        seed=body.seed,
        peer="" if entry.session.user_id is None else peer,
    )
