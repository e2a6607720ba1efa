"""From bodies to the workbench's own words: targets and run plans."""

from msgspec import Struct
from msgspec.structs import replace

from ownkey.control.context import Control
from ownkey.control.workbench.access import Entry
from ownkey.control.workbench.schemas import NewRun, NewTarget, PriceBody, key_of
from ownkey.domain.allowance import Pool, Refused
from ownkey.domain.errors import InvalidRequest, RateLimited
from ownkey.domain.money import parse_usd
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import Principal
from ownkey.workbench.endpoint import Preset, preset_named, presets, read_base_url
from ownkey.workbench.hosting import TARGET_ID, list_prices
from ownkey.workbench.records import (
    Abilities,
    EndpointKind,
    Prices,
    SuiteInfo,
    Target,
)

_COMPARED = 8


async def count(control: Control, deed: str, doer: str, limit: int) -> None:
    """Count a deed of a user or an address, as `who` names them. Raises RateLimited when the minute's are used up."""
    outcome = await control.allowance.acquire((Pool(f"workbench-{deed}:{doer}", limit, unit=deed),), (1,))
    if isinstance(outcome, Refused):
        raise RateLimited(f"At most {limit} of these per minute: wait a little.", retry_after=outcome.retry_after)


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


async def _key_from(control: Control, entry: Entry, target_id: str, target: Target) -> Secret | None:
    """The key of another target at the same address. Raises InvalidRequest for another address: a key goes nowhere
    that its owner did not send it. Raises NotFound."""
    book = control.workbench.targets
    other = await book.get(entry.session, target_id)
    if other.kind is not target.kind or other.base_url != target.base_url:
        text = f"The key was given for {other.base_url}: give it again for another address."
        raise InvalidRequest(text, param="api_key")
    return await book.key_of(entry.session, target_id)


class Choice(Struct, frozen=True):
    """A model of a run that is to be. `key` is set for one that the session does not have yet."""

    target: Target
    new: bool = False
    key: Secret | None = None


async def chosen(control: Control, entry: Entry, peer: str, body: NewRun) -> list[Choice]:
    """The models that a run names; nothing is stored. Raises InvalidRequest, NotFound."""
    book, session = control.workbench.targets, entry.session
    known = [target for target, _ in await book.of_session(session)]
    targets = [await book.get(session, id_) for id_ in body.targets] if body.targets else known[:1]
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
    book = control.workbench.targets
    await book.find_room(entry.session, sum(choice.new for choice in choices), entry.limits)
    return tuple(
        [
            await book.add(entry.session, choice.target, choice.key, entry.limits) if choice.new else choice.target
            for choice in choices
        ]
    )


async def _other(
    control: Control, entry: Entry, peer: str, first: Target, known: list[Target], other: str | NewTarget
) -> Choice:
    book, session = control.workbench.targets, entry.session
    for each in known:
        if other == each.id:
            return Choice(each)
    if isinstance(other, str) and other.startswith(TARGET_ID):
        # No model is called so: it is gone, mistyped, or another session's.
        return Choice(await book.get(session, other))
    if isinstance(other, NewTarget):
        target, key = await new_target(control, entry, peer, other)
        twins = [each for each in known if _alike(each, target)]
    else:
        target = replace(first, model=other, label=other, abilities=Abilities(), prices=None)
        target = await priced(control, target, entry.principal, peer)
        # The same endpoint, and so the same key.
        key = await book.key_of(session, first.id)
        twins = [each for each in known if _place(each) == _place(target)]
    for each in twins:
        if _reveal(await book.key_of(session, each.id)) == _reveal(key):
            return Choice(each)
    book.check(target, anonymous=session.user_id is None)
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
