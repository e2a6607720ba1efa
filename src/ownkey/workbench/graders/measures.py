"""`latency` and `cost`: limits on the call that brought the answer, not on its text. Pure."""

from decimal import Decimal

from ownkey.domain.money import format_usd
from ownkey.workbench.graders.finding import Answer, BadCheck, Finding, Ungradable
from ownkey.workbench.graders.values import threshold_between
from ownkey.workbench.records import Check


def read_limit_ms(check: Check) -> float:
    return _limit(check, "milliseconds")


def latency(limit: float, answer: Answer) -> Finding:
    """The time from sending to the last content (E2E) is at most the limit, both in milliseconds."""
    took = answer.observation.timing.e2e_ms
    if took is None:
        raise Ungradable("the call has no time to its last content")
    return Finding(took <= limit, f"the answer took {took:.0f} ms; the limit is {limit:g} ms")


def read_limit_usd(check: Check) -> float:
    return _limit(check, "USD")


def cost(limit: float, answer: Answer) -> Finding:
    """The cost of the call is at most the limit in USD, compared exactly."""
    spent = answer.observation.cost
    if spent is None:
        raise Ungradable("no price is known for this model; give one to grade costs")
    within = spent <= Decimal(str(limit)) * 1_000_000_000
    return Finding(within, f"the answer cost {format_usd(spent)} USD; the limit is {limit:g} USD")


def _limit(check: Check, unit: str) -> float:
    limit = threshold_between(check, 0, None, unit)
    if limit is None:
        raise BadCheck(f"{check.type} needs a threshold in {unit}.")
    return limit
