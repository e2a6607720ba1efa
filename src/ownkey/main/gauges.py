"""Gauges of usage: what runs, what waits for the database, what failed there."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ownkey.storage.journal import Journal, UsageWriter


class BookGauges(Collector):
    """Read on each request for `/metrics`, so that other requests pay nothing for them."""

    def __init__(self, journal: Journal, writer: UsageWriter) -> None:
        self._journal = journal
        self._writer = writer

    def collect(self) -> Iterable[Metric]:
        state, journal = self._writer.state, self._journal
        gauges: tuple[tuple[str, str, float], ...] = (
            ("ownkey_open_requests", "Requests begun and not ended", journal.open_requests),
            ("ownkey_usage_pending", "Ended requests that the database has not got", state.pending),
            ("ownkey_usage_oldest_pending_seconds", "How long the oldest of them has waited", state.oldest_pending_s),
            (
                "ownkey_usage_rejected",
                "Requests that the database permanently rejected, stored in a file",
                state.rejected,
            ),
            ("ownkey_usage_lost", "Requests a failing disk gave back damaged", state.lost),
            ("ownkey_usage_writer_failing", "1 while the database accepts no usage", state.failing is not None),
            ("ownkey_journal_failing", "1 while the journal cannot be made durable", journal.failure is not None),
        )
        for name, text, value in gauges:
            yield GaugeMetricFamily(name, text, value=float(value))


class WorkerRegistry(CollectorRegistry):
    """Labels every sample with the worker, where several share a port and a scrape reaches any of them."""

    def __init__(self, worker: int) -> None:
        super().__init__()
        self._worker = str(worker)

    def collect(self) -> Iterable[Metric]:
        for metric in super().collect():
            metric.samples = [
                sample._replace(labels={**sample.labels, "worker": self._worker}) for sample in metric.samples
            ]
            yield metric
