"""Prometheus figures of the data plane, added up in plain numbers and turned into families when scraped."""

from bisect import bisect_left
from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from ownkey.domain.usage import RequestRecord

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
_NANO = 1_000_000_000


class _Sums:
    """The sums of one (provider, status, payer). `buckets` count latencies, not cumulated."""

    __slots__ = ("buckets", "cost", "input", "output", "requests", "seconds")

    def __init__(self) -> None:
        self.requests = self.input = self.output = self.cost = 0
        self.seconds = 0.0
        self.buckets = [0] * (len(_SECONDS) + 1)


class GatewayMetrics(Collector):
    """Requests, tokens, list cost and latency by provider. Never labelled by user or key: those are unbounded."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sums: dict[tuple[str, str, str], _Sums] = {}
        registry.register(self)

    def count(self, record: RequestRecord) -> None:
        """Count one settled request."""
        key = (record.provider, record.status, record.payer)
        sums = self._sums.get(key)
        if sums is None:
            sums = self._sums[key] = _Sums()
        seconds = record.latency_ms / 1000
        sums.requests += 1
        sums.input += record.input_tokens
        sums.output += record.output_tokens
        sums.cost += record.list_cost
        sums.seconds += seconds
        sums.buckets[bisect_left(_SECONDS, seconds)] += 1

    def collect(self) -> Iterable[CounterMetricFamily | HistogramMetricFamily]:
        """The families, as prometheus-client asks for them."""
        labels = ["provider", "status", "payer"]
        requests = CounterMetricFamily("ownkey_requests", "Requests settled", labels=labels)
        tokens = CounterMetricFamily("ownkey_tokens", "Tokens used", labels=[*labels, "kind"])
        cost = CounterMetricFamily("ownkey_list_cost_usd", "List cost in USD", labels=labels)
        latency = HistogramMetricFamily(
            "ownkey_request_seconds", "From the last request byte to the end of the answer", labels=labels
        )
        for key, sums in list(self._sums.items()):
            requests.add_metric(key, sums.requests)
            tokens.add_metric([*key, "input"], sums.input)
            tokens.add_metric([*key, "output"], sums.output)
            cost.add_metric(key, sums.cost / _NANO)
            latency.add_metric(key, _cumulated(sums.buckets), sums.seconds)
        return [requests, tokens, cost, latency]


def _cumulated(buckets: list[int]) -> list[tuple[str, float]]:
    total = 0
    found: list[tuple[str, float]] = []
    for bound, count in zip([*map(str, _SECONDS), "+Inf"], buckets, strict=True):
        total += count
        found.append((bound, total))
    return found
