"""Plans made lately: the same question about the same holdings, with no key resting, has the same plan."""

from msgspec import Struct

from ownkey.domain.credential import Holdings
from ownkey.domain.formats import WireFormat
from ownkey.domain.plan import Catalogue, Plan, PlanRequest, make_plan
from ownkey.gateway.health import KeyHealth

_LIFETIME = 5.0
"""Seconds a plan is kept at most: expiry dates and price changes pass unnoticed for no longer."""

_Question = tuple[str, WireFormat, str | None, tuple[str, ...] | None]


class _Kept(Struct, frozen=True):
    holdings: Holdings
    plan: Plan
    until: float


class Planner:
    """Makes plans and keeps those that cannot depend on anything but their question.

    A plan is made anew when the holdings were read again (they change as a whole), while any key rests,
    when a draw by weight decided, or when a key may be used from some addresses only.
    """

    def __init__(self, catalogue: Catalogue, health: KeyHealth, capacity: int = 10_000) -> None:
        self._catalogue = catalogue
        self._health = health
        self._capacity = capacity
        self._kept: dict[tuple[str, _Question], _Kept] = {}

    def plan(self, user_id: str, request: PlanRequest, holdings: Holdings) -> Plan:
        """The plan for `request`; see `make_plan`."""
        resting = self._health.resting
        if resting:
            return make_plan(request, holdings, self._catalogue, resting)
        question = (user_id, (request.model, request.client_format, request.credential, request.allowed_models))
        kept = self._kept.get(question)
        if kept is not None and kept.holdings is holdings and kept.until > request.now:
            return kept.plan
        plan = make_plan(request, holdings, self._catalogue, resting)
        if plan.attempts and not plan.drawn and is_timeless(holdings, request.now, _LIFETIME):
            if len(self._kept) >= self._capacity:
                self._kept.clear()
            self._kept[question] = _Kept(holdings, plan, request.now + _LIFETIME)
        return plan


def is_timeless(holdings: Holdings, now: float, lifetime: float) -> bool:
    """Whether neither the caller's address nor an expiry date within `lifetime` seconds matters."""
    return all(
        credential.allowed_ips is None
        and (credential.expires_at is None or not now < credential.expires_at < now + lifetime)
        for credential in holdings.credentials
    )
