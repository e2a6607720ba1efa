"""When each token of an answer is due, and when its bytes were sent.

Due times are offsets in seconds from the request's arrival, so that delays never add up.
"""

from math import inf, isfinite
from typing import Any, TypeAlias

from msgspec import Struct

from ownkey.sandbox.options import Distribution, Options, amount, parse_distribution


class Timing(Struct, frozen=True):
    """What a model's name says of its times; None leaves that to the headers and the options."""

    ttft: Distribution | None = None
    gap: Distribution | None = None
    seed: int | None = None


class Pace(Struct, frozen=True):
    """`first` seconds to the first byte, then `gap` seconds a token; `jitter` 0 is none.

    With `stops_after`, what follows that many tokens is never due.
    """

    first: float = 0.0
    gap: float = 0.0
    jitter: int = 0
    stops_after: int | None = None

    def due(self, tokens: int) -> float:
        """Seconds from the arrival of the request until what follows `tokens` tokens may be sent."""
        if self.stops_after is not None and tokens >= self.stops_after:
            return inf
        if not self.jitter:
            return self.first + tokens * self.gap
        return self.first * (1 + _wobble(self.jitter, 0)) + (tokens + _wobble(self.jitter, tokens)) * self.gap


class DrawnPace:
    """Times drawn from distributions: the first byte's, and the gap before each further token.

    The same `seed` draws the same times. `extra` seconds come on top of the first.
    """

    def __init__(
        self, first: Distribution, gap: Distribution, seed: int, extra: float = 0.0, stops_after: int | None = None
    ) -> None:
        self._gap = gap
        self._seed = seed
        self._stops_after = stops_after
        self._dues = [first.at(share(seed, 0)) / 1000 + extra]

    def due(self, tokens: int) -> float:
        """As `Pace.due`."""
        if self._stops_after is not None and tokens >= self._stops_after:
            return inf
        dues = self._dues
        while len(dues) <= tokens:
            dues.append(dues[-1] + self._gap.at(share(self._seed, len(dues))) / 1000)
        return dues[tokens]


Schedule: TypeAlias = Pace | DrawnPace

UNPACED = Pace()


def pace_for(
    options: Options,
    headers: dict[bytes, bytes],
    number: int,
    extra_s: float,
    timing: Timing | None = None,
    stops_after: int | None = None,
) -> Schedule:
    """The pace of request `number`: as its model's name says, else its headers, else the options. Raises ValueError.

    Plain numbers vary by up to a quarter when the options have a seed; distributions vary as they say.
    """
    ttft_ms, rate, first, gap = options.ttft_ms, options.tokens_per_second, options.ttft, options.gap
    if b"x-sandbox-ttft-ms" in headers:
        first = _distribution(headers, b"x-sandbox-ttft-ms")
    if b"x-sandbox-gap-ms" in headers:
        gap = _distribution(headers, b"x-sandbox-gap-ms")
    if b"x-sandbox-tps" in headers:
        rate, gap = amount(headers[b"x-sandbox-tps"].decode("latin-1")), None
    if first is not None and first.kind == "constant":
        ttft_ms, first = first.numbers[0], None
    seed = options.seed or 0
    if timing is not None:
        first, gap = timing.ttft or first, timing.gap or gap
        seed = seed if timing.seed is None else timing.seed
    jitter = 1 + (seed * 1_000_003 + number) % 0x7FFFFFFF
    if first is not None or gap is not None:
        first = first or Distribution("constant", (ttft_ms,))
        gap = gap or Distribution("constant", (1000 / rate if rate else 0.0,))
        return DrawnPace(first, gap, jitter, extra_s, stops_after)
    if not ttft_ms and not rate and not extra_s and stops_after is None:
        return UNPACED
    jitter = 0 if options.seed is None else jitter
    return Pace(ttft_ms / 1000 + extra_s, 1 / rate if rate else 0.0, jitter, stops_after)


def _distribution(headers: dict[bytes, bytes], name: bytes) -> Distribution:
    return parse_distribution(headers[name].decode("latin-1"))


def share(seed: int, index: int) -> float:
    """A number between 0 and 1, exclusive, that looks random: the finaliser of MurmurHash3."""
    value = (seed * 0x9E3779B1 + index * 0x85EBCA6B) & 0xFFFFFFFF
    value = ((value ^ (value >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    value = ((value ^ (value >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return ((value ^ (value >> 16)) + 0.5) / 0x1_0000_0000


def _wobble(seed: int, index: int) -> float:
    """A number in (-0.25, 0.25)."""
    return (share(seed, index) - 0.5) / 2


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
