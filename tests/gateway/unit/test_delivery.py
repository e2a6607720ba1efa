"""A delivery by itself: whichever way an answer ends, its account is settled before the client can see that end."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.domain.values import CATALOGUE, MODEL, NOW, a_key

from ownkey.domain.credential import Holdings
from ownkey.domain.errors import Unavailable, UpstreamError
from ownkey.domain.formats import WireFormat
from ownkey.domain.ids import UserId
from ownkey.domain.plan import PlanRequest, make_plan
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import Role, principal_of
from ownkey.domain.usage import RequestStatus, Usage
from ownkey.gateway.delivery import Delivery
from ownkey.gateway.meter import Meter
from ownkey.gateway.outcomes import Answered
from ownkey.gateway.read import Ask
from ownkey.wire import ErrorKind, WireError


class Book:
    """Notes what a ledger and a responder are told, in one order."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.gone = False

    def open(self, meter: Meter) -> None:
        meter.opening()
        self.log.append("open")

    def settle(self, meter: Meter) -> None:
        if not meter.settled:
            meter.settled = True
            meter.closing()
            self.log.append(f"settle {meter.status.value}")

    def answer(self, status: int, headers: Any, body: bytes) -> None:
        self.log.append(f"answer {status}")

    def start(self, status: int, headers: Any, length: int | None) -> None:
        self.log.append(f"start {status}")

    def write(self, data: bytes) -> None:
        self.log.append("write")

    def end(self) -> None:
        self.log.append("end")

    def abort(self) -> None:
        self.log.append("abort")


class Response:
    status = 200


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def delivery(book: Book) -> Delivery:
    ask = Ask(WireFormat.OPENAI_CHAT, MODEL, True, False, 50, None, b"{}", {})
    asked = PlanRequest(model=MODEL, client_format=WireFormat.OPENAI_CHAT, now=NOW)
    plan = make_plan(asked, Holdings((a_key("mine"),)), CATALOGUE, {})
    meter = Meter("req_1", NOW, 0.0, principal_of(UserId("user_1"), Role.USER, ()), ask, plan)
    both: Any = book
    made = Delivery(both, both, ask, meter, both)
    response: Any = Response()
    made.accept(Answered(plan.attempts[0], response, Secret("sk-0123456789")))
    meter.usage = Usage(1, 1)
    return made


def streaming(delivery: Delivery) -> None:
    delivery.start([])
    delivery.meter.completed(200)


@pytest.mark.parametrize(
    ("finish", "log"),
    [
        (lambda each: each.answer([], b"{}"), ["settle completed", "answer 200"]),
        (lambda each: each.answer_ours([], b"{}"), ["settle completed", "answer 200"]),
        (lambda each: each.refuse(429, [], b"{}"), ["settle failed", "answer 429"]),
        (lambda each: each.report(WireError(ErrorKind.SERVER, "no", 500)), ["settle failed", "answer 500"]),
        (lambda each: each.fail(UpstreamError("no")), ["settle failed", "answer 502"]),
        (lambda each: each.fail(Unavailable("no")), ["settle failed", "answer 503"]),
    ],
)
def test_an_answer_as_a_whole_is_settled_first(
    delivery: Delivery, book: Book, finish: Callable[[Delivery], None], log: list[str]
) -> None:
    finish(delivery)
    delivery.close()
    assert book.log == ["open", *log]


@pytest.mark.parametrize(
    ("finish", "log"),
    [
        (lambda each: each.end(b"last"), ["settle completed", "write", "end"]),
        (lambda each: each.abort(), ["settle completed", "abort"]),
        (lambda each: each.fail(UpstreamError("no")), ["settle failed", "abort"]),
    ],
)
def test_an_answer_in_pieces_is_settled_before_its_end(
    delivery: Delivery, book: Book, finish: Callable[[Delivery], None], log: list[str]
) -> None:
    streaming(delivery)
    finish(delivery)
    delivery.close()
    assert book.log == ["open", "start 200", *log]


@pytest.mark.parametrize(("gone", "status"), [(True, "cancelled"), (False, "interrupted")])
def test_what_is_broken_off_is_settled_as_by_whom(delivery: Delivery, book: Book, gone: bool, status: str) -> None:
    book.gone = gone
    delivery.break_off()
    delivery.close()
    assert book.log == ["open", f"settle {status}"]


def test_what_nothing_has_ended_is_settled_as_failed(delivery: Delivery, book: Book) -> None:
    delivery.close()
    delivery.close()
    assert book.log == ["open", f"settle {RequestStatus.FAILED.value}"]
