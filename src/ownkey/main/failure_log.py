"""A line in the log for each request that failed: which one, by which key, and why. Never what it said."""

import time

import structlog

from ownkey.domain.errors import Unavailable
from ownkey.domain.usage import RequestStatus
from ownkey.gateway.ledger import Ledger
from ownkey.gateway.meter import Meter
from ownkey.gateway.metrics import GatewayMetrics
from ownkey.storage.journal import Journal

_LINES_A_SECOND = 20
"""A provider that fails under load must not fill the disk; the number of omitted lines is logged."""
_REFUSAL_STANDS = 10.0
"""Seconds for which a refusal of the journal counts. A server that gets no requests learns nothing newer."""

log = structlog.get_logger(__name__)


class LoggedLedger(Ledger):
    """A ledger that also logs failures and knows whether the journal takes new requests."""

    def __init__(self, journal: Journal, metrics: GatewayMetrics) -> None:
        super().__init__(journal, metrics)
        self._own_journal = journal
        self._refused_at: float | None = None
        self._second = 0
        self._written = 0
        self._suppressed = 0

    def open(self, meter: Meter) -> None:
        """As the ledger's; a refusal is logged."""
        try:
            super().open(meter)
        except Unavailable as error:
            self._refused_at = time.monotonic()
            self._tell("request refused", meter, status=error.status, code=error.code, operator=error.operator)
            raise
        self._refused_at = None

    def settle(self, meter: Meter) -> None:
        """As the ledger's; a failure is logged, once."""
        if meter.settled:
            return
        super().settle(meter)
        if meter.status is RequestStatus.FAILED:
            self._tell("request failed", meter, status=meter.http_status, code=meter.error)

    def journal_fails(self, now: float) -> bool:
        """Whether the journal refuses requests; `now` is the monotonic time in seconds."""
        refused = self._refused_at is not None and now - self._refused_at < _REFUSAL_STANDS
        return refused or self._own_journal.failure is not None

    def _tell(self, event: str, meter: Meter, **more: object) -> None:
        if not self._may_write():
            return
        attempt = meter.attempt
        log.warning(
            event,
            request_id=meter.request_id,
            user_id=meter.principal.user_id,
            credential_id=attempt.credential.id if attempt else None,
            provider=attempt.provider.name if attempt else None,
            count=meter.attempts,
            **more,
        )

    def _may_write(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            if self._suppressed:
                log.warning("failures left out of the log", suppressed=self._suppressed)
            self._second, self._written, self._suppressed = second, 0, 0
        if self._written >= _LINES_A_SECOND:
            self._suppressed += 1
            return False
        self._written += 1
        return True
