"""What one request came to, in one word, and the figures that belong to it alone."""

from enum import StrEnum

from ownkey.workbench.records import Grade, Observation, Result, RunPlan


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


def tpot_ms(observation: Observation) -> float | None:
    """Time per output token: (E2E − TTFT)/(output tokens − 1). None below two tokens and where the answer came in one
    piece, as then there is no time between tokens."""
    timing, tokens = observation.timing, observation.tokens
    if not observation.ok or not observation.streamed or tokens is None or tokens.output < 2:
        return None
    if timing.e2e_ms is None or timing.ttft_ms is None:
        return None
    return (timing.e2e_ms - timing.ttft_ms) / (tokens.output - 1)


def output_tokens_per_second(observation: Observation) -> float | None:
    """Output tokens/E2E."""
    e2e, tokens = observation.timing.e2e_ms, observation.tokens
    if not observation.ok or tokens is None or not e2e or e2e <= 0:
        return None
    return tokens.output / e2e * 1000
