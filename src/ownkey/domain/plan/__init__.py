"""A request is planned before it is sent: the caller, the request, what they own → an ordered list of attempts.

`make_plan` is pure: the clock, the state of resting keys and the weighting ticket come in as values.

    values       what planning takes and returns
    meaning      default and routes become a model
    candidates   every key of the principal's tenants
      → fit      does it serve this model in this operation?     else dropped
      → policy   enabled, mode, models, addresses, residency     else dropped
      → health   expired, unreadable, asked to wait              else dropped
    order        default, key order, scope, priority, weight; unhealthy keys last
      → payer    only the first candidate's payer, unless the user consented to more
    refusal      why no attempt is left
"""

from collections.abc import Mapping

from msgspec.structs import replace

from ownkey.domain.credential import Holdings
from ownkey.domain.errors import ModelNotFound, NotAllowed
from ownkey.domain.meaning import meaning_of
from ownkey.domain.plan.candidates import choose_format, examine, matches
from ownkey.domain.plan.order import has_ties, is_unhealthy, keep_payer, rank_of
from ownkey.domain.plan.refusal import refusal_of
from ownkey.domain.plan.values import (
    Attempt,
    Catalogue,
    Dropped,
    DropReason,
    Plan,
    PlanRequest,
    Rest,
    RestKey,
    Target,
)

__all__ = [
    "Attempt",
    "Catalogue",
    "DropReason",
    "Dropped",
    "Plan",
    "PlanRequest",
    "Rest",
    "RestKey",
    "Target",
    "choose_format",
    "make_plan",
]


def make_plan(
    request: PlanRequest,
    holdings: Holdings,
    catalogue: Catalogue,
    resting: Mapping[RestKey, Rest],
) -> Plan:
    """Plan `request`. Never raises for a request that cannot be served: the plan's `refusal` says why."""
    preferences = holdings.preferences
    meant = meaning_of(request.model, request.credential, holdings)
    asked, route = meant.model, meant.route.name if meant.route else None
    if not asked:
        text = "The model is `default`, and no default model is set: name a model or set one in your preferences."
        return Plan(request.model, (), (), ModelNotFound(text, param="model"))
    if not matches(asked, request.allowed_models) and meant.permit not in (request.allowed_models or ()):
        text = f"This API key may not use the model {asked!r}."
        return Plan(asked, (), (), NotAllowed(text, param="model"), route=route)
    if meant.pinned:
        request = replace(request, credential=meant.credential)

    target = catalogue.resolve(asked)
    fitting: list[tuple[Attempt, bool]] = []
    dropped: list[Dropped] = []
    for credential in holdings.credentials:
        found = examine(credential, request, asked, target, preferences, catalogue, resting)
        if isinstance(found, Dropped):
            dropped.append(found)
        else:
            fitting.append((found, is_unhealthy(found, request.now, resting)))

    fitting.sort(key=lambda pair: rank_of(pair[0], pair[1], preferences, request.ticket))
    attempts = keep_payer([attempt for attempt, _ in fitting], dropped, preferences)
    if attempts:
        drawn = len(fitting) > 1 and has_ties(fitting, preferences)
        return Plan(asked, tuple(attempts), tuple(dropped), drawn=drawn, route=route)
    return Plan(asked, (), tuple(dropped), refusal_of(meant, target, request, dropped, catalogue), route=route)
