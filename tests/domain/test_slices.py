"""What a process holds of a pool, by a fake clock: when it asks, what it reports, when it stops."""

import pytest

from ownkey.domain.allowance import TAKEN, Pool, Refused, SlidingWindow, Taken, Wait, slice_size
from ownkey.domain.slices import Ask, Grant, Slices, Timing

POOL = Pool("key", 1000)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slices(clock: Clock) -> Slices:
    return Slices(clock, Timing())


def take(slices: Slices, amount: int = 1, pool: Pool = POOL) -> Taken | Refused | Wait:
    return slices.take((pool,), (amount,))


def fill(slices: Slices, clock: Clock, units: int, need: int = 1) -> Ask:
    """Wait for `need` and be granted `units`."""
    slices.expect(Wait(((POOL, need),)))
    (ask,) = slices.asks()
    slices.granted([ask], [Grant(units, ask.keep)], clock.now)
    return ask


def test_what_is_held_is_taken_without_asking(slices: Slices, clock: Clock) -> None:
    assert take(slices) == Wait(((POOL, 1),))
    assert fill(slices, clock, 3) == Ask(POOL, 1, 1, 0, 0, ())
    assert [take(slices), take(slices, 2), take(slices)] == [TAKEN, TAKEN, Wait(((POOL, 1),))]


def test_all_or_nothing(slices: Slices, clock: Clock) -> None:
    fill(slices, clock, 1)
    other = Pool("other", 5)
    assert slices.take((POOL, other), (1, 1)) == Wait(((other, 1),))
    assert take(slices) == TAKEN


def test_what_is_being_asked_for_is_not_dropped_as_idle(slices: Slices, clock: Clock) -> None:
    slices.expect(Wait(((POOL, 1),)))
    (ask,) = slices.asks()
    clock.now += 3
    slices.review(())
    slices.granted([ask], [Grant(1, 0)], clock.now)
    assert take(slices) == TAKEN
    clock.now += 3
    slices.review(())
    slices.granted(slices.asks(), [Grant(0, 0)], clock.now)
    assert not slices.review(())
    assert isinstance(take(slices), Wait)


def test_a_holder_stops_when_it_was_not_renewed_in_time(slices: Slices, clock: Clock) -> None:
    fill(slices, clock, 9)
    clock.now += 59.9
    assert take(slices) == TAKEN
    clock.now += 0.1
    assert take(slices) == Wait(((POOL, 1),))
    # What was spent before is still reported: the store may not have seen the lease expire.
    assert fill(slices, clock, 1).spent == ((pytest.approx(0.1), 1),)


def test_an_answer_counts_from_before_it_was_asked_for(slices: Slices, clock: Clock) -> None:
    slices.expect(Wait(((POOL, 1),)))
    (ask,) = slices.asks()
    clock.now += 60
    slices.granted([ask], [Grant(5, 0)], clock.now - 60)
    assert isinstance(take(slices), Wait)


def test_spending_is_reported_once_by_its_age(slices: Slices, clock: Clock) -> None:
    fill(slices, clock, 5)
    take(slices, 2)
    clock.now += 10
    take(slices)
    clock.now += 1
    ask = fill(slices, clock, 1)
    assert ask.spent == ((11.0, 2), (1.0, 1))
    assert ask.keep == 2
    assert fill(slices, clock, 1).spent == ()


def test_after_a_failed_report_it_is_reported_again(slices: Slices, clock: Clock) -> None:
    fill(slices, clock, 5)
    take(slices, 2)
    slices.expect(Wait(((POOL, 9),)))
    asks = slices.asks()
    slices.failed(asks, clock.now)
    clock.now += 1
    (again,) = slices.asks()
    assert (again.spent, again.need) == (((1.0, 2),), 0)


def test_takes_during_an_exchange_stay_taken(slices: Slices, clock: Clock) -> None:
    fill(slices, clock, 2)
    slices.expect(Wait(((POOL, 1),)))
    (ask,) = slices.asks()
    take(slices, 2)
    slices.granted([ask], [Grant(1, ask.keep)], clock.now)
    assert [take(slices), take(slices)] == [TAKEN, Wait(((POOL, 1),))]


def test_what_the_store_no_longer_knows_is_given_up(slices: Slices, clock: Clock) -> None:
    fill(slices, clock, 3)
    slices.expect(Wait(((POOL, 9),)))
    (ask,) = slices.asks()
    slices.granted([ask], [Grant(1, 0)], clock.now)
    assert [take(slices), take(slices)] == [TAKEN, Wait(((POOL, 1),))]


def test_a_refusal_is_repeated_for_a_second_with_the_time_that_is_left(slices: Slices, clock: Clock) -> None:
    slices.expect(Wait(((POOL, 2),)))
    (ask,) = slices.asks()
    slices.granted([ask], [Grant(0, 0, retry_after=30.0)], clock.now)
    clock.now += 0.5
    assert take(slices, 2) == Refused(POOL, 29.5)
    assert take(slices) == Wait(((POOL, 1),)), "less may still be had"
    assert take(slices, 2, Pool("key", 2000)) == Wait(((Pool("key", 2000), 2),)), "another limit is another question"
    clock.now += 0.5
    assert isinstance(take(slices, 2), Wait)


def test_while_others_hold_some_it_waits_for_them(slices: Slices, clock: Clock) -> None:
    for passed, outcome in ((0.0, Wait(((POOL, 1),))), (0.9, Wait(((POOL, 1),))), (0.1, Refused(POOL, 7.0))):
        clock.now += passed
        slices.expect(Wait(((POOL, 1),)))
        (ask,) = slices.asks()
        slices.granted([ask], [Grant(0, 0, retry_after=7.0, leased=True)], clock.now)
        assert take(slices) == outcome


def test_idle_slices_go_back_and_recalled_ones_at_once(slices: Slices, clock: Clock) -> None:
    fill(slices, clock, 9)
    take(slices)
    clock.now += 1.9
    assert not slices.review(())
    assert slices.review({"key"})
    (ask,) = slices.asks()
    assert (ask.keep, ask.spent) == (0, ((pytest.approx(1.9), 1),))
    assert isinstance(take(slices), Wait)
    slices.granted([ask], [Grant(0, 0)], clock.now)
    fill(slices, clock, 9)
    clock.now += 2
    assert slices.review(())
    (ask,) = slices.asks()
    assert (ask.keep, ask.want) == (0, 0)
    assert not slices.holding


def test_a_busy_slice_is_refilled_before_it_is_empty(slices: Slices, clock: Clock) -> None:
    fill(slices, clock, 8)
    for _ in range(3):
        take(slices)
    assert not slices.hungry
    take(slices)
    assert slices.hungry
    (ask,) = slices.asks()
    assert (ask.need, ask.keep) == (0, 4)


def test_another_limit_makes_what_is_held_void(slices: Slices, clock: Clock) -> None:
    fill(slices, clock, 8)
    lower = Pool("key", 2)
    assert take(slices, 1, lower) == Wait(((lower, 1),))
    slices.expect(Wait(((lower, 1),)))
    assert slices.asks()[0].keep == 0


@pytest.mark.parametrize(
    ("free", "need", "least", "want", "runs", "size"),
    [
        (0, 1, 1, 0, 1, 0),
        (-5, 1, 1, 9, 1, 0),
        (5, 8, 1, 0, 1, 5),
        (5, 8, 6, 0, 1, 0),
        (1000, 1, 1, 0, 1, 1),
        (1000, 1, 1, 50, 1, 51),
        (1000, 1, 1, 900, 1, 500),
        (1000, 1, 1, 900, 4, 125),
        (7, 1, 1, 900, 4, 1),
        (8, 1, 1, 900, 4, 1),
        (16, 1, 1, 900, 4, 2),
        (100, 0, 0, 30, 2, 25),
        (100, 0, 0, 0, 2, 0),
    ],
)
def test_slices_shrink_to_the_need_near_the_end(
    free: int, need: int, least: int, want: int, runs: int, size: int
) -> None:
    assert slice_size(free, need, least, want, runs) == size


def test_a_window_keeps_few_times_exactly_and_many_rounded_up() -> None:
    window = SlidingWindow(60.0)
    for number in range(200):
        window.add(100.0 + number / 10, 1)
    assert len(window.spends) <= 61
    assert window.total(119.9) == 200
    assert window.total(161.0) == 190
    for now in (165.0, 170.3, 179.0):
        assert window.total(now) >= sum(100.0 + number / 10 > now - 60 for number in range(200))
    assert window.total(180.0) == 0


def test_after_a_clock_set_back_spending_counts_as_of_now() -> None:
    window = SlidingWindow(60.0, [(5000.0, 3)])
    assert window.total(1400.0) == 3
    assert window.room_in(0, 1, 1400.0) == 60.0
    assert window.total(1460.0) == 0


def test_a_pool_that_is_named_twice_is_refused_instead_of_waited_for_in_vain() -> None:
    slices = Slices(lambda: 0.0, Timing())
    with pytest.raises(ValueError, match="twice"):
        slices.take((Pool("same", 1000), Pool("same", 10)), (1, 1))
