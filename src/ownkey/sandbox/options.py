"""Settings of a sandbox server, and distributions of times in milliseconds.

    constant:200            always 200; so is 200 alone
    uniform:100:300         evenly between 100 and 300
    exponential:200         with mean 200
    lognormal:200:0.5       with median 200; the logarithm has standard deviation 0.5

Distributions are sampled by their inverse distribution functions
(https://en.wikipedia.org/wiki/Inverse_transform_sampling), with F⁻¹(p) = -mean·ln(1-p) for the exponential and
median·exp(sigma·Φ⁻¹(p)) for the lognormal.
"""

from collections.abc import Callable, Mapping
from math import exp, log, log1p

from msgspec import Struct

LONGEST_MS = 1_000_000.0
"""No time drawn is longer."""
_MOST_SIGMA = 5.0


class Distribution(Struct, frozen=True):
    """One distribution: `kind` and its numbers, as the notation gives them."""

    kind: str
    numbers: tuple[float, ...]

    def at(self, share: float) -> float:
        """The time below which that share of draws lies, in milliseconds; `share` lies between 0 and 1, exclusive."""
        return min(_INVERSES[self.kind](share, *self.numbers), LONGEST_MS)

    def __str__(self) -> str:
        return ":".join((self.kind, *(f"{number:g}" for number in self.numbers)))


def parse_distribution(text: str) -> Distribution:
    """Raises ValueError, which says what is expected."""
    kind, _, rest = text.partition(":")
    if not rest and kind not in _INVERSES:
        kind, rest = "constant", kind
    numbers = tuple(map(amount, rest.split(":")))
    if kind not in _INVERSES or len(numbers) != _SIZES[kind]:
        raise ValueError(f"{text!r} is no distribution; write one of {', '.join(_FORMS)}, in milliseconds.")
    if kind == "uniform" and numbers[0] > numbers[1]:
        raise ValueError(f"{text!r}: write the lower bound first, as in uniform:100:300.")
    if kind == "lognormal" and numbers[1] > _MOST_SIGMA:
        raise ValueError(f"{text!r}: the standard deviation of the logarithm goes up to {_MOST_SIGMA:g}.")
    return Distribution(kind, numbers)


def amount(text: str) -> float:
    """A finite number from 0 to a million. Raises ValueError."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= LONGEST_MS:
        raise ValueError(f"{text!r} is no number from 0 to {LONGEST_MS:.0f}; write for example {', '.join(_FORMS)}.")
    return number


def _constant(share: float, value: float) -> float:
    return value


def _uniform(share: float, low: float, high: float) -> float:
    return low + share * (high - low)


def _exponential(share: float, mean: float) -> float:
    return -mean * log1p(-share)


def _lognormal(share: float, median: float, sigma: float) -> float:
    from statistics import NormalDist

    return exp(log(median) + sigma * NormalDist().inv_cdf(share)) if median else 0.0


_INVERSES: dict[str, Callable[..., float]] = {
    "constant": _constant,
    "uniform": _uniform,
    "exponential": _exponential,
    "lognormal": _lognormal,
}
_SIZES = {"constant": 1, "uniform": 2, "exponential": 1, "lognormal": 2}
_FORMS = ("200", "uniform:100:300", "exponential:200", "lognormal:200:0.5")


MEBIBYTE = 1024 * 1024


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast and how varied the sandbox answers.

    `ttft_ms` is the time to first byte in milliseconds. `tokens_per_second` paces the tokens after
    it; 0 sends as fast as the reader takes them. With a `seed`, both vary by up to a quarter, the
    same way for the same seed and request number. `ttft` and `gap` take their places with
    distributions: of the time to first byte, and of the time before each further token.

    `body_limit` is in bytes. `recent_requests` and `recent_bytes` bound the debugging log.
    Connections idle for `idle_timeout_s` are closed, checked every `sweep_s`.
    Stopping waits `grace_s` for answers under way. `models` adds names to a provider's model list. With `lenient`,
    requests are not held to the vendors' rules (`rules`).
    """

    ttft_ms: float = 0.0
    tokens_per_second: float = 0.0
    seed: int | None = None
    ttft: Distribution | None = None
    gap: Distribution | None = None
    body_limit: int = 40 * MEBIBYTE
    recent_requests: int = 512
    recent_bytes: int = 64 * MEBIBYTE
    idle_timeout_s: float = 75.0
    sweep_s: float = 5.0
    grace_s: float = 3.0
    models: Mapping[str, tuple[str, ...]] = {}
    lenient: bool = False
