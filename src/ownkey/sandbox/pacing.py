"""When each token of an answer is due. Times are offsets in seconds, so that delays never add up."""

from msgspec import Struct

from ownkey.sandbox.options import Options


class Pace(Struct, frozen=True):
    """`first` seconds to the first byte, then `gap` seconds a token; `jitter` 0 is none."""

    first: float = 0.0
    gap: float = 0.0
    jitter: int = 0

    def due(self, tokens: int) -> float:
        """Seconds from the start until what follows `tokens` tokens may be sent."""
        if not self.jitter:
            return self.first + tokens * self.gap
        return self.first * (1 + _wobble(self.jitter, 0)) + (tokens + _wobble(self.jitter, tokens)) * self.gap


UNPACED = Pace()


def pace_for(options: Options, headers: dict[bytes, bytes], number: int, extra_s: float) -> Pace:
    """The pace of request `number`: the options', unless its headers override them. Raises ValueError."""
    first, rate = options.ttft_ms, options.tokens_per_second
    if b"x-sandbox-ttft-ms" in headers:
        first = _amount(headers[b"x-sandbox-ttft-ms"])
    if b"x-sandbox-tps" in headers:
        rate = _amount(headers[b"x-sandbox-tps"])
    if not first and not rate and not extra_s:
        return UNPACED
    jitter = 0 if options.seed is None else 1 + (options.seed * 1_000_003 + number) % 0x7FFFFFFF
    return Pace(first=first / 1000 + extra_s, gap=1 / rate if rate else 0.0, jitter=jitter)


def _wobble(seed: int, index: int) -> float:
    """A number in [-0.25, 0.25) that looks random: the finaliser of MurmurHash3."""
    value = (seed * 0x9E3779B1 + index * 0x85EBCA6B) & 0xFFFFFFFF
    value = ((value ^ (value >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    value = ((value ^ (value >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return ((value ^ (value >> 16)) / 0x1_0000_0000 - 0.5) / 2


def _amount(text: bytes) -> float:
    """A finite number from 0 to a million."""
    number = float(text)
    if not 0 <= number <= 1_000_000:
        raise ValueError("out of range")
    return number
