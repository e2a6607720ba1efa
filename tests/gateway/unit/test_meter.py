"""The meter by itself: what an answer counts for, however it ended."""

from typing import Any

import pytest
from msgspec import structs
from tests.domain.values import CATALOGUE, MODEL, NOW, a_key, platform_key

from ownkey.domain.credential import Credential, Holdings
from ownkey.domain.formats import WireFormat
from ownkey.domain.ids import UserId
from ownkey.domain.plan import PlanRequest, make_plan
from ownkey.domain.price import Rates, list_cost
from ownkey.domain.tenancy import Role, principal_of
from ownkey.domain.usage import RequestStatus, Usage
from ownkey.gateway.meter import Meter
from ownkey.gateway.read import Ask
from ownkey.wire import ErrorKind, WireError

BODY = b'{"model":"maker/model-1","messages":[]}' + b" " * 61
REPORTED = Usage(input_tokens=7, output_tokens=3)


class Watching:
    """A stream as it was seen."""

    def __init__(self, usage: Usage | None = None, ended: bool = False, error: WireError | None = None) -> None:
        self.usage = usage
        self.ended = ended
        self.error = error
        self.first_content = True


RATES = Rates(input=3_000_000_000, output=15_000_000_000)


def a_meter(credential: Credential) -> Meter:
    ask = Ask(WireFormat.OPENAI_CHAT, MODEL, True, False, 50, None, BODY, {})
    plan = make_plan(
        PlanRequest(model=MODEL, client_format=WireFormat.OPENAI_CHAT, now=NOW),
        Holdings((credential,)),
        CATALOGUE,
        {},
    )
    return Meter("req_1", NOW, 0.0, principal_of(UserId("user_1"), Role.USER, ()), ask, plan)


@pytest.fixture
def meter() -> Meter:
    return a_meter(a_key("mine"))


@pytest.fixture
def platform_meter() -> Meter:
    """A request that the platform's key serves, at `RATES`."""
    meter = a_meter(platform_key())
    assert meter.attempt is not None
    meter.attempt = structs.replace(meter.attempt, rates=RATES)
    return meter


def stream(meter: Meter, events: int, **seen: Any) -> None:
    watched: Any = Watching(**seen)
    meter.watched = watched
    meter.events = events
    meter.first_content()


def test_a_complete_answer_counts_what_was_reported(meter: Meter) -> None:
    stream(meter, 90, usage=REPORTED, ended=True)
    meter.stream_ended("upstream_error")
    assert (meter.status, meter.counted()) == (RequestStatus.COMPLETED, REPORTED)


def test_a_cut_stream_counts_at_least_what_passed(meter: Meter) -> None:
    """A provider that reports usage as it goes has told of the beginning only."""
    stream(meter, 90, usage=REPORTED)
    meter.stream_ended("upstream_error")
    counted = meter.counted()
    assert (meter.status, counted.input_tokens, counted.output_tokens) == (RequestStatus.FAILED, 7, 90)
    assert not counted.reported


def test_a_cut_stream_counts_what_was_reported_where_that_is_more(meter: Meter) -> None:
    stream(meter, 2, usage=REPORTED)
    meter.stream_ended("upstream_error")
    assert meter.counted().output_tokens == 3


def test_a_cut_stream_without_a_report_is_estimated(meter: Meter) -> None:
    stream(meter, 4)
    meter.stream_ended("upstream_error")
    assert meter.counted() == Usage(len(BODY) // 4, 4, reported=False)


@pytest.mark.parametrize(("usage", "charged"), [(None, 0), (REPORTED, list_cost(RATES, REPORTED))])
def test_a_failed_answer_is_charged_for_what_was_reported_and_no_more(
    platform_meter: Meter, usage: Usage | None, charged: int
) -> None:
    """What passed is estimated for limits; a platform key's user does not pay for an estimate."""
    stream(platform_meter, 90, usage=usage, error=WireError(ErrorKind.SERVER, "late", 502))
    platform_meter.stream_ended("upstream_error")
    platform_meter.opening()
    record = platform_meter.closing()
    assert record.charged == charged
    assert record.output_tokens == 90
    assert record.list_cost == record.counted > charged


def test_a_client_that_leaves_is_charged_for_the_estimate(platform_meter: Meter) -> None:
    stream(platform_meter, 90)
    platform_meter.cancelled(RequestStatus.CANCELLED)
    platform_meter.opening()
    record = platform_meter.closing()
    assert record.charged == record.list_cost > 0


def test_a_failure_before_any_content_counts_nothing(meter: Meter) -> None:
    meter.failed(502, "upstream_error")
    assert meter.counted() == Usage(reported=False)


def test_a_client_that_leaves_before_any_content_counts_its_input(meter: Meter) -> None:
    meter.cancelled(RequestStatus.CANCELLED)
    assert meter.counted() == Usage(len(BODY) // 4, 0, reported=False)


def test_a_client_that_leaves_after_the_end_changes_nothing(meter: Meter) -> None:
    stream(meter, 2, usage=REPORTED, ended=True)
    meter.cancelled(RequestStatus.CANCELLED)
    assert (meter.status, meter.error) == (RequestStatus.COMPLETED, None)


@pytest.mark.parametrize(
    ("kind", "code"), [(ErrorKind.SERVER, "upstream_error"), (ErrorKind.RATE_LIMIT, ErrorKind.RATE_LIMIT.value)]
)
def test_an_error_inside_a_stream_is_the_requests_error(meter: Meter, kind: ErrorKind, code: str) -> None:
    stream(meter, 1, error=WireError(kind, "no", 200))
    meter.stream_ended("cut")
    assert (meter.status, meter.error) == (RequestStatus.FAILED, code)


def test_the_first_content_is_timed_once(meter: Meter) -> None:
    meter.first_content()
    first = meter.ttft_ms
    meter.first_content()
    assert first is not None
    assert meter.ttft_ms == first
