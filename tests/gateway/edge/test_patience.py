"""How long a client may take, with a clock of its own: phase by phase, and what is no progress."""

from math import inf

import pytest

from ownkey.gateway.edge.head import HeadTooLarge, TargetTooLong
from ownkey.gateway.edge.limits import Limits
from ownkey.gateway.edge.patience import BODY, HEAD, IDLE, REFUSED, Patience

LIMITS = Limits(head_seconds=15, body_seconds=30, body_rate=1000, head=100, target=50)


@pytest.fixture
def patience() -> Patience:
    patience = Patience(LIMITS)
    patience.begin()
    return patience


def deadline(patience: Patience, phase: int, size: int = 0, now: float = 0.0, **owed: bool) -> float:
    return patience.deadline(phase, size, now, held=owed.get("held", False), answering=owed.get("answering", False))


def test_a_head_has_its_seconds_from_its_first_byte_however_it_trickles(patience: Patience) -> None:
    assert patience.more(HEAD, 1, 0, 100.0) == 115.0
    assert patience.more(HEAD, 1, 0, 114.0) is None
    assert deadline(patience, HEAD) == 115.0


def test_a_body_gains_a_second_for_each_unit_of_the_slowest_rate(patience: Patience) -> None:
    patience.body_begins()
    assert patience.more(BODY, 500, 0, 100.0) == 130.0
    assert deadline(patience, BODY, size=500) == 130.5
    assert deadline(patience, BODY, size=10_000) == 140.0


def test_a_body_that_nobody_reads_is_not_late(patience: Patience) -> None:
    patience.more(BODY, 1, 0, 100.0)
    assert deadline(patience, BODY, size=1000, now=500.0, held=True) == 531.0


@pytest.mark.parametrize(
    ("phase", "answering", "until"),
    [(IDLE, True, inf), (IDLE, False, 75.0), (REFUSED, False, 75.0), (HEAD, True, 75.0)],
)
def test_a_client_that_waits_for_its_answer_owes_nothing(
    patience: Patience, phase: int, answering: bool, until: float
) -> None:
    patience.wait(0.0, 75.0)
    assert deadline(patience, phase, answering=answering) == until


def test_a_head_without_end_is_refused_and_its_target_first(patience: Patience) -> None:
    patience.more(HEAD, 60, 0, 1.0)
    assert patience.excess(HEAD, 50) is None
    assert isinstance(patience.excess(HEAD, 51), TargetTooLong)
    patience.more(HEAD, 101, 0, 2.0)
    assert isinstance(patience.excess(HEAD, 50), HeadTooLarge)
    assert isinstance(patience.excess(BODY, 51), HeadTooLarge)


def test_framing_without_content_is_no_progress_and_content_is(patience: Patience) -> None:
    patience.body_begins()
    patience.more(BODY, 10, 5, 1.0)
    patience.more(BODY, 90, 5, 2.0)
    assert patience.seen == 90
    patience.more(BODY, 90, 6, 3.0)
    assert patience.seen == 0


@pytest.mark.parametrize(("phase", "part"), [(HEAD, "headers"), (BODY, "body")])
def test_the_error_names_what_did_not_arrive(phase: int, part: str) -> None:
    assert part in Patience.overdue(phase).public
