"""Counts of tokens for models whose provider does not count: our estimate."""

import msgspec

from ownkey.domain.formats import WireFormat
from ownkey.domain.plan import Plan
from ownkey.domain.usage import Usage
from ownkey.gateway.edge.exchange import Responder
from ownkey.gateway.ledger import Ledger
from ownkey.gateway.meter import Meter
from ownkey.gateway.read import Ask
from ownkey.gateway.receipt import receipt_headers

_JSON = (b"content-type", b"application/json")
_ESTIMATED = (b"x-ownkey-estimated", b"true")


def counts_itself(plan: Plan, format_: WireFormat) -> Plan:
    """The plan with those attempts alone whose provider counts tokens in the client's format."""
    attempts = tuple(attempt for attempt in plan.attempts if attempt.format is format_)
    return msgspec.structs.replace(plan, attempts=attempts)


def answer_estimate(body: bytes, ask: Ask, responder: Responder, meter: Meter, ledger: Ledger) -> None:
    """Answer with `body` without sending anything. Recorded with zero tokens and no cost."""
    meter.attempt = None
    meter.usage = Usage()
    meter.completed(200)
    ledger.settle(meter)
    headers = receipt_headers(ask.format, meter.request_id, None, meter.attempts, [_JSON, _ESTIMATED])
    responder.answer(200, headers, body)
