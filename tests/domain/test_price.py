import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownkey.domain.price import FREE, Rates, list_cost
from ownkey.domain.usage import Usage

DOLLAR = 1_000_000_000
RATES = Rates(input=3 * DOLLAR, output=15 * DOLLAR, cached_input=300_000_000, cache_write=3_750_000_000)


@pytest.mark.parametrize(
    ("usage", "nano"),
    [
        (Usage(), 0),
        (Usage(input_tokens=1_000_000), 3 * DOLLAR),
        (Usage(output_tokens=1_000_000), 15 * DOLLAR),
        (Usage(input_tokens=1_000_000, cached_tokens=1_000_000), 300_000_000),
        (Usage(input_tokens=1_000_000, cache_write_tokens=1_000_000), 3_750_000_000),
        (Usage(input_tokens=1000, cached_tokens=400, cache_write_tokens=100), 1_500_000 + 120_000 + 375_000),
        (Usage(output_tokens=100, reasoning_tokens=90), 1_500_000),
    ],
)
def test_each_kind_of_token_has_its_rate(usage: Usage, nano: int):
    assert list_cost(RATES, usage) == nano


def test_cached_tokens_cost_as_input_where_no_rate_is_known():
    usage = Usage(input_tokens=10, cached_tokens=5, cache_write_tokens=5)
    assert list_cost(Rates(input=1_000_000), usage) == 10


def test_counts_that_contradict_each_other_never_give_a_rebate():
    assert list_cost(Rates(input=1_000_000, cached_input=0), Usage(input_tokens=1, cached_tokens=9)) == 0


@pytest.mark.parametrize(
    ("hour", "nano"),
    [
        (0, 10_000 * 3_750 + 30_000 * 3_750),
        (20_000, 20_000 * 3_750 + 20_000 * 6_000),
        (40_000, 40_000 * 6_000),
        (99_999, 40_000 * 6_000),
    ],
)
def test_cache_writes_kept_for_an_hour_cost_twice_the_input(hour: int, nano: int):
    usage = Usage(input_tokens=40_000, cache_write_tokens=40_000, cache_write_hour_tokens=hour)
    assert list_cost(RATES, usage) == nano
    assert list_cost(Rates(input=1_000_000), usage) == 40_000


@pytest.mark.parametrize("rates", [RATES, FREE, Rates(per_request=7)])
def test_what_the_provider_says_it_cost_is_the_cost(rates: Rates):
    assert list_cost(rates, Usage(input_tokens=1000, output_tokens=1000, cost=12_300_000)) == 12_300_000
    assert list_cost(rates, Usage(input_tokens=1000, cost=0)) == 0


def test_fractions_of_a_nano_dollar_are_rounded_up():
    assert list_cost(Rates(input=1), Usage(input_tokens=1)) == 1


def test_a_request_can_have_a_price_of_its_own():
    assert list_cost(Rates(per_request=5_000_000), Usage()) == 5_000_000


@pytest.mark.parametrize(("tokens", "rate"), [(100, 1), (101, 2), (200, 2), (201, 3), (10_000, 3)])
def test_the_highest_tier_that_is_exceeded_prices_everything(tokens: int, rate: int):
    million = 1_000_000
    rates = Rates(input=million, tiers=((100, Rates(input=2 * million)), (200, Rates(input=3 * million))))
    assert list_cost(rates, Usage(input_tokens=tokens)) == tokens * rate


def test_a_tier_keeps_the_price_per_request_that_it_states():
    rates = Rates(per_request=7, tiers=((10, Rates(per_request=7)),))
    assert list_cost(rates, Usage(input_tokens=11)) == 7


def test_free_is_free():
    assert list_cost(FREE, Usage(input_tokens=10**9, output_tokens=10**9)) == 0


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 10**12), st.integers(0, 10**12))
def test_more_tokens_never_cost_less(tokens: int, more: int, input_rate: int, output_rate: int):
    rates = Rates(input=input_rate, output=output_rate)
    few = list_cost(rates, Usage(input_tokens=tokens, output_tokens=tokens))
    many = list_cost(rates, Usage(input_tokens=tokens + more, output_tokens=tokens + more))
    assert 0 <= few <= many
