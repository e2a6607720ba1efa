import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownkey.domain.money import format_usd, parse_usd


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("0", 0),
        ("1", 1_000_000_000),
        ("0.000000001", 1),
        ("12.50", 12_500_000_000),
        ("-3.5", -3_500_000_000),
        ("1e-9", 1),
        ("1E+3", 1_000_000_000_000),
    ],
)
def test_decimal_strings_are_read_exactly(text: str, nano: int):
    assert parse_usd(text) == nano


@pytest.mark.parametrize("text", ["", "abc", "1,5", "NaN", "Infinity", "-inf", "0.0000000001", "1.0000000005"])
def test_what_is_no_amount_is_refused(text: str):
    with pytest.raises(ValueError, match="is not an amount in USD"):
        parse_usd(text)


@pytest.mark.parametrize(
    ("nano", "text"),
    [(0, "0"), (165_000, "0.000165"), (1_000_000_000, "1"), (-1, "-0.000000001"), (2_500_000_000, "2.5")],
)
def test_amounts_are_written_without_exponent_or_superfluous_zeros(nano: int, text: str):
    assert format_usd(nano) == text


@given(st.integers(-(10**20), 10**20))
def test_writing_and_reading_gives_the_amount_back(nano: int):
    assert parse_usd(format_usd(nano)) == nano
