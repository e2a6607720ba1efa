"""Open-loop latencies count from when a call was due, so that a client that falls behind cannot hide it.

Otherwise a stalled server would delay the very calls that should have met its stall: coordinated omission.
"""

from msgspec.structs import replace

from ownkey.workbench.records import Observation, Timing


def since_due(seen: Observation, due_at: float) -> Observation:
    """The observation with its times counted from `due_at` (Unix seconds of the callers' clock)."""
    timing = seen.timing
    late = max((timing.sent_at - due_at) * 1000, 0.0)

    def later(milliseconds: float | None) -> float | None:
        return None if milliseconds is None else milliseconds + late

    moved: Timing = replace(
        timing,
        late_ms=late,
        ttft_ms=later(timing.ttft_ms),
        ttfo_ms=later(timing.ttfo_ms),
        e2e_ms=later(timing.e2e_ms),
    )
    return replace(seen, timing=moved)
