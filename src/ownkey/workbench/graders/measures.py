"""Checks on numbers: `latency` and `cost` of the call, and `similar`, the angle between embeddings."""

from collections.abc import Sequence
from decimal import Decimal
from math import hypot, isfinite
from typing import Protocol

from ownkey.domain.errors import OwnkeyError
from ownkey.domain.money import format_usd
from ownkey.workbench.graders.finding import (
    Answer,
    BadCheck,
    Finding,
    Ungradable,
    shown,
    texts_value,
    threshold_between,
)
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


DEFAULT_THRESHOLD = 0.75
"""promptfoo's."""

MAX_EMBEDDED = 30_000
"""Characters of an answer that are embedded; models take some 8,000 tokens."""


class Embedder(Protocol):
    """A model that turns texts into vectors."""

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One vector a text, in their order, all of one length. Raises OwnkeyError when the model does not answer."""
        ...


def read_similar(check: Check) -> tuple[tuple[str, ...], float]:
    """The texts to be near to and the least cosine. A single text is one text, commas or not. Raises BadCheck."""
    value = [check.value] if isinstance(check.value, str) and check.value else check.value
    texts = texts_value(Check(type=check.type, value=value))
    threshold = threshold_between(check, 0, 1, "cosine similarity")
    return texts, DEFAULT_THRESHOLD if threshold is None else threshold


async def similar(spec: tuple[tuple[str, ...], float], answer: Answer, embedder: Embedder) -> Finding:
    """Near enough to any one of the texts. The score is the cosine to the nearest, 0 where that is negative."""
    texts, threshold = spec
    if not answer.text.strip():
        return Finding(False, "the answer is empty", 0.0)
    try:
        vectors = await embedder.embed([answer.text[:MAX_EMBEDDED], *texts])
    except OwnkeyError as error:
        raise Ungradable(f"the embedding model did not answer: {error.public}") from error
    if len(vectors) != len(texts) + 1:
        raise Ungradable(f"the embedding model gave {len(vectors)} vectors for {len(texts) + 1} texts")
    nearness = [cosine(vectors[0], vector) for vector in vectors[1:]]
    best = max(nearness)
    nearest = texts[nearness.index(best)]
    # promptfoo's tolerance: one rounding error below the threshold still passes.
    passed = best >= threshold - 2**-52
    cut = f" (its first {MAX_EMBEDDED} characters)" if len(answer.text) > MAX_EMBEDDED else ""
    reason = f"similarity {best:.3f} to {shown(nearest)}{cut}; the threshold is {threshold:g}"
    return Finding(passed, reason, max(0.0, min(1.0, best)))


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    """a·b/(|a||b|), from −1 to 1. Raises Ungradable for vectors that have no angle."""
    if len(a) != len(b) or not a:
        raise Ungradable(f"the embedding model gave vectors of different lengths, {len(a)} and {len(b)}")
    size = hypot(*a) * hypot(*b)
    if not isfinite(size) or size == 0:
        raise Ungradable("the embedding model gave a vector without a direction")
    return max(-1.0, min(1.0, sum(x * y for x, y in zip(a, b, strict=True)) / size))
