"""What is compared. Quality, speed and cost are the three sides of the overall verdict."""

from enum import StrEnum

from msgspec import Struct

LEVEL = 0.05
"""The nominal level: how often a verdict may be false for a whole comparison of equal models."""


class Side(StrEnum):
    QUALITY = "quality"
    SPEED = "speed"
    COST = "cost"


class Measure(Struct, frozen=True):
    """A metric that is compared. `better` completes "X …" when X has the better of it."""

    name: str
    unit: str
    higher_is_better: bool
    side: Side
    better: str


PASSED = Measure("passed", "share", True, Side.QUALITY, "passes more often")
SCORE = Measure("score", "", True, Side.QUALITY, "scores higher")
PREFERENCE = Measure("preference", "share", True, Side.QUALITY, "is preferred by the judge")
LATENCY = Measure("latency_ms", "ms", False, Side.SPEED, "answers sooner")
TTFT = Measure("ttft_ms", "ms", False, Side.SPEED, "starts sooner")
RATE = Measure("decode_tokens_per_second", "tokens/s", True, Side.SPEED, "writes faster")
COST = Measure("cost_usd", "USD", False, Side.COST, "costs less")

MEASURES = (PASSED, SCORE, PREFERENCE, LATENCY, TTFT, RATE, COST)
"""In the order in which they are shown."""


class Sample(Struct, frozen=True):
    """One measure of two targets: a value a prompt for each, in the same order of prompts."""

    measure: Measure
    a: list[float]
    b: list[float]

    @property
    def differences(self) -> list[float]:
        """b − a of each prompt."""
        return [b - a for a, b in zip(self.a, self.b, strict=True)]
