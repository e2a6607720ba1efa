"""Opening and settling accounts: the journal first, the counters of /metrics beside it."""

from ownkey.gateway.meter import Meter
from ownkey.gateway.metrics import GatewayMetrics
from ownkey.storage.journal import Journal


class Ledger:
    """Writes exactly one opening and one closing record for each exchange."""

    def __init__(self, journal: Journal, metrics: GatewayMetrics) -> None:
        self._journal = journal
        self._metrics = metrics

    def open(self, meter: Meter) -> None:
        """Write the opening record before anything is sent. Raises Unavailable when the disk refuses it."""
        self._journal.start(meter.opening())

    def settle(self, meter: Meter) -> None:
        """Write the closing record, once."""
        if meter.settled:
            return
        meter.settled = True
        record = meter.closing()
        self._journal.settle(record)
        self._metrics.count(record)
