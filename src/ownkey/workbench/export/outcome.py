"""What one request came to, in one word."""

from enum import StrEnum

from ownkey.workbench.records import Grade, Result, RunPlan


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    """Answered, and a check was not satisfied."""
    UNGRADED = "ungraded"
    """Answered, and no check could decide."""
    ERROR = "error"
    """No answer."""


def outcome(result: Result) -> Outcome:
    if not result.observation.ok:
        return Outcome.ERROR
    if result.passed is None:
        return Outcome.UNGRADED
    return Outcome.PASSED if result.passed else Outcome.FAILED


def failed_checks(result: Result) -> tuple[Grade, ...]:
    return tuple(grade for grade in result.grades if grade.passed is False)


def label_of(plan: RunPlan, result: Result) -> str:
    return plan.targets[result.slot.target].label
