"""What providers taught about fields that Ownkey adds: those they rejected are left out for a while."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable

from msgspec import Struct
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from ownkey.domain.plan import Attempt

_LIFETIME = 6 * 3600.0
"""Seconds for which a field is left out; then the provider is asked again."""
_CAPACITY = 2000

_Key = tuple[str, str, str]


class LearnedFact(Struct, frozen=True):
    """A field that a provider rejected for a model. Times are Unix seconds."""

    provider: str
    base_url: str
    model: str
    field: str
    learned_at: float
    until: float


def _nothing(_: LearnedFact) -> None:
    """What is learned is of no interest."""


class LearnedFacts(Collector):
    """One process's memory, by provider, address and model. It holds fields of Ownkey's own, never a client's.

    `clock` gives Unix seconds; `report` is called with each new fact.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        report: Callable[[LearnedFact], None] = _nothing,
        lifetime: float = _LIFETIME,
        capacity: int = _CAPACITY,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self._clock = clock
        self._report = report
        self._lifetime = lifetime
        self._capacity = capacity
        self._found: dict[_Key, dict[str, LearnedFact]] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        if registry is not None:
            registry.register(self)

    def without(self, attempt: Attempt) -> Collection[str]:
        """The fields to leave out of what Ownkey adds to this attempt."""
        if not self._found:
            return ()
        facts = self._found.get(_key(attempt))
        if facts is None:
            return ()
        now = self._clock()
        return tuple([fact.field for fact in facts.values() if fact.until > now])

    def learn(self, attempt: Attempt, fields: Iterable[str]) -> None:
        """The provider rejected these fields and answered without them."""
        now = self._clock()
        key = _key(attempt)
        if key not in self._found and len(self._found) >= self._capacity:
            self._forget(now)
        facts = self._found.setdefault(key, {})
        for field in fields:
            fact = facts[field] = LearnedFact(*key, field, now, now + self._lifetime)
            self._counts[attempt.provider.name, field] += 1
            self._report(fact)

    def current(self) -> list[LearnedFact]:
        """What is left out now, the latest first."""
        now = self._clock()
        facts = [fact for facts in self._found.values() for fact in facts.values() if fact.until > now]
        return sorted(facts, key=lambda fact: -fact.learned_at)

    def collect(self) -> Iterable[CounterMetricFamily]:
        """How often each field was rejected, as prometheus-client asks for it."""
        family = CounterMetricFamily(
            "ownkey_fields_rejected", "Fields that Ownkey adds and a provider rejected", labels=["provider", "field"]
        )
        for labels, count in list(self._counts.items()):
            family.add_metric(labels, count)
        return [family]

    def _forget(self, now: float) -> None:
        """Drop what has expired, and the oldest when nothing has."""
        expired = [key for key, facts in self._found.items() if all(fact.until <= now for fact in facts.values())]
        for key in expired or [next(iter(self._found))]:
            del self._found[key]


def _key(attempt: Attempt) -> _Key:
    return attempt.provider.name, attempt.base_url, attempt.upstream_model
