"""Before the plan: what `previous_response_id` means, and what may not be asked of a key that several share."""

from typing import Any, cast

from msgspec import structs

from ownkey.domain.credential import Credential, Holdings
from ownkey.domain.errors import (
    InvalidRequest,
    NoHealthyCredential,
    PreviousResponseNotFound,
    RequestTooLarge,
    UnsupportedField,
)
from ownkey.domain.plan import Plan
from ownkey.domain.tenancy import Principal, Scope
from ownkey.gateway.read import Ask
from ownkey.gateway.responses.recording import kept_by_provider, wants_recording
from ownkey.gateway.responses.store import ResponseStore
from ownkey.storage.records import StoredResponse
from ownkey.wire import splice
from ownkey.wire.openai_responses.items import items_of

_PARAM = "previous_response_id"


async def continued(store: ResponseStore, ask: Ask, principal: Principal, holdings: Holdings) -> Ask:
    """The request as it is to be planned.

    Where the provider keeps the response to go on from, its credential is the only one that will do.
    Where we keep it, the whole conversation takes its place. Raises PreviousResponseNotFound, InvalidRequest,
    NoHealthyCredential, SecretUnreadable.
    """
    wanted = ask.parsed.get(_PARAM)
    if wanted is None:
        return ask
    row = await store.find(principal.user_id, wanted)
    if row is None:
        raise PreviousResponseNotFound(f"Previous response with id '{wanted}' not found.", param=_PARAM)
    if row.sealed is None:
        return structs.replace(ask, credential=_pinned(row, ask, holdings))
    kept = await store.open(row)
    items = [*kept.items, *kept.output(), *items_of(ask.parsed.get("input"))]
    changes: dict[str, Any] = {"input": items, _PARAM: None}
    return structs.replace(
        ask,
        body=splice(ask.body, ask.parsed, changes),
        parsed=ask.parsed | changes,
        previous_response_id=wanted,
    )


def _pinned(row: StoredResponse, ask: Ask, holdings: Holdings) -> str:
    credential = next((one for one in holdings.credentials if one.id == row.credential_id), None)
    if credential is None:
        text = (
            f"The response '{row.id}' is kept at {row.provider}, and the key it was made with is not among yours "
            "any more. Start a new conversation."
        )
        raise NoHealthyCredential(text, param=_PARAM)
    if ask.credential is not None and ask.credential not in (credential.id, credential.label):
        text = (
            f"The response '{row.id}' belongs to the key {credential.label!r} ({credential.id}): leave out the "
            "header x-ownkey-credential or name that key."
        )
        raise InvalidRequest(text, param=_PARAM)
    return credential.id


def check(store: ResponseStore, ask: Ask, plan: Plan) -> None:
    """Refuse before anything is sent what could not be kept, or would reach into what others keep.

    Raises RequestTooLarge, UnsupportedField.
    """
    if any(_is_shared(attempt.credential) for attempt in plan.attempts):
        _check_shared(ask.parsed)
    ours = any(not kept_by_provider(attempt) for attempt in plan.attempts)
    if ours and store.keeps and wants_recording(ask) and len(ask.body) > store.limit:
        text = (
            f"The conversation is larger than the {store.limit} bytes that are kept of one: send store: false and the "
            "whole conversation each time, or start a new one."
        )
        raise RequestTooLarge(text, param="store")


def _is_shared(credential: Credential) -> bool:
    return credential.owner.scope is not Scope.USER


def _check_shared(parsed: dict[str, Any]) -> None:
    """What a provider keeps under one key it does not tell apart by our users: only what we pinned may be named.

    And what runs on there after the answer would be paid by that key and stand in nobody's account.
    """
    text = "names what the provider keeps under a key that you share with others; send the content itself."
    if parsed.get("background"):
        why = "is not possible with a key that you share with others: nobody would account for what it costs."
        raise UnsupportedField(f"background {why}", param="background")
    if parsed.get("conversation") is not None:
        raise UnsupportedField(f"conversation {text}", param="conversation")
    given = parsed.get("input")
    for index, item in enumerate(cast("list[Any]", given) if isinstance(given, list) else ()):
        if isinstance(item, dict) and cast("dict[str, Any]", item).get("type") == "item_reference":
            raise UnsupportedField(f"input[{index}] {text}", param=f"input[{index}]")
