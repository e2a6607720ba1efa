"""A model's name taken apart: what it does, with which numbers, and how fast.

    lorem-50+ttft=lognormal:200:0.5+gap=exponential:10+chunk=4+seed=7

The last segment counts, so `openai/echo` is `echo`. After the behaviour come, each after a plus: `ttft` and `gap`
as distributions in milliseconds, `chunk` as the tokens of each streamed event, and `seed` for the model's dice.
"""

import re
from functools import lru_cache

from msgspec import Struct

from ownkey.sandbox.distributions import parse_distribution
from ownkey.sandbox.pacing import Timing

MOST_TOKENS_IN_A_CHUNK = 1000
_NUMBERED = re.compile(r"(?P<word>[a-z]+(?:-[a-z]+)*)(?P<numbers>(?:-[0-9]{1,7}){0,2})")
_KNOWN = ("ttft", "gap", "chunk", "seed")
_PLAIN_NUMBER = re.compile(r"[0-9]{1,9}")


class ModelName(Struct, frozen=True):
    """`word` is the behaviour and `numbers` follow it, as in `flaky-3-429`; `timing` is None when nothing is said."""

    word: str
    numbers: tuple[int, ...] = ()
    timing: Timing | None = None
    chunk: int = 1


def last_segment(model: str) -> str:
    """`openrouter/openai/echo` → `echo`."""
    return model[model.rfind("/") + 1 :]


@lru_cache(maxsize=1024)
def parse_model_name(model: str) -> ModelName:
    """Raises ValueError, which says what is wrong, for additions that cannot be read."""
    base, *additions = last_segment(model).split("+")
    if additions and "=" not in additions[0]:
        base, additions = last_segment(model), []
    match = _NUMBERED.fullmatch(base)
    if match is None:
        word, numbers = base, ()
    else:
        word, numbers = match["word"], tuple(int(number) for number in match["numbers"].split("-")[1:])
    if not additions:
        return ModelName(word, numbers)
    given = dict(map(_addition, additions))
    timing = Timing(
        ttft=parse_distribution(given["ttft"]) if "ttft" in given else None,
        gap=parse_distribution(given["gap"]) if "gap" in given else None,
        seed=_number(given, "seed") if "seed" in given else None,
    )
    chunk = _number(given, "chunk") if "chunk" in given else 1
    if not 1 <= chunk <= MOST_TOKENS_IN_A_CHUNK:
        raise ValueError(f"chunk={chunk}: write a number of tokens from 1 to {MOST_TOKENS_IN_A_CHUNK}.")
    return ModelName(word, numbers, timing, chunk)


def _addition(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if name not in _KNOWN or not equals:
        raise ValueError(f"{text!r} is no addition to a model's name; there are {', '.join(_KNOWN)}, as in chunk=4.")
    return name, value


def _number(given: dict[str, str], name: str) -> int:
    if _PLAIN_NUMBER.fullmatch(given[name]) is None:
        raise ValueError(f"{name}={given[name]}: write a whole number.")
    return int(given[name])
