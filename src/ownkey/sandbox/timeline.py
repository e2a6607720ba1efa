"""When the bytes of an answer were to be sent, and when they were. The clock is the monotonic one of this machine."""

from math import isfinite
from typing import Any

from msgspec import Struct


class Planned(Struct, frozen=True):
    """Offsets in seconds from the request's arrival: of the first byte, the last token and the last byte.

    Those of what will never be sent are infinite. `tokens` is 0 for an answer in one piece.
    """

    first: float
    last_token: float
    last: float
    tokens: int = 0

    def lines(self) -> bytes:
        """Header lines: `x-sandbox-ttft-ms`, and for streams `x-sandbox-gap-ms`, the mean of the gaps."""
        lines = f"x-sandbox-ttft-ms: {1000 * self.first:.3f}\r\n"
        if self.tokens > 1 and isfinite(self.last_token):
            gap = 1000 * (self.last_token - self.first) / (self.tokens - 1)
            lines += f"x-sandbox-gap-ms: {gap:.3f}\r\n"
        return lines.encode()


class Timeline(Struct):
    """Monotonic seconds, each taken just before the bytes are handed to the operating system; 0 is not yet.

    `arrived` is when the last byte of the request had been received.
    """

    arrived: float = 0.0
    first: float = 0.0
    last_token: float = 0.0
    last: float = 0.0
    planned: Planned | None = None

    def describe(self) -> dict[str, Any]:
        """As JSON shows it: offsets from `arrived` in milliseconds, None for what did not or will not happen."""
        planned = self.planned
        return {
            "arrived_monotonic_s": self.arrived,
            "planned_ms": planned
            and {
                "first_byte": _offset(planned.first),
                "last_token": _offset(planned.last_token),
                "last_byte": _offset(planned.last),
            },
            "actual_ms": {
                "first_byte": self._since(self.first),
                "last_token": self._since(self.last_token),
                "last_byte": self._since(self.last),
            },
        }

    def _since(self, at: float) -> float | None:
        return _offset(at - self.arrived) if at else None


def _offset(seconds: float) -> float | None:
    return round(1000 * seconds, 3) if isfinite(seconds) else None
