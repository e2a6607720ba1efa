"""Prometheus counters of the data plane, in a registry of the composition root's choosing."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from ownkey.domain.usage import RequestRecord

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)


class GatewayMetrics:
    """Requests, tokens, list cost and latency by provider. Never labelled by user or key: those are unbounded."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "ownkey_requests", "Requests settled", ["provider", "status", "payer"], registry=registry
        )
        self._tokens = Counter("ownkey_tokens", "Tokens used", ["provider", "kind"], registry=registry)
        self._cost = Counter("ownkey_list_cost_usd", "List cost in USD", ["provider", "payer"], registry=registry)
        self._latency = Histogram(
            "ownkey_request_seconds",
            "From the last request byte to the end",
            ["provider"],
            registry=registry,
            buckets=_SECONDS,
        )
        self._children: dict[tuple[str, str, str], tuple[Counter, Counter, Counter, Counter, Histogram]] = {}

    def count(self, record: RequestRecord) -> None:
        """Count one settled request."""
        key = (record.provider, record.status, record.payer)
        children = self._children.get(key)
        if children is None:
            children = self._children[key] = (
                self._requests.labels(*key),
                self._tokens.labels(record.provider, "input"),
                self._tokens.labels(record.provider, "output"),
                self._cost.labels(record.provider, record.payer),
                self._latency.labels(record.provider),
            )
        requests, tokens_in, tokens_out, cost, latency = children
        requests.inc()
        tokens_in.inc(record.input_tokens)
        tokens_out.inc(record.output_tokens)
        cost.inc(record.list_cost / 1e9)
        latency.observe(record.latency_ms / 1000)
