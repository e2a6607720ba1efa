"""Money as integer nano-dollars (10⁻⁹ USD): sums never drift and compare exactly."""

from decimal import Decimal, InvalidOperation
from typing import NewType

Nano = NewType("Nano", int)
"""An amount in nano-dollars."""

ZERO = Nano(0)
_PER_DOLLAR = 1_000_000_000


def parse_usd(text: str) -> Nano:
    """Read a decimal string in USD. Raises ValueError when it is no finite number or finer than a nano-dollar."""
    try:
        nano = Decimal(text) * _PER_DOLLAR
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is not an amount in USD") from error
    if not nano.is_finite() or nano != nano.to_integral_value():
        raise ValueError(f"{text!r} is not an amount in USD with at most nine decimals")
    return Nano(int(nano))


def format_usd(amount: int) -> str:
    """A decimal string in USD without exponent or superfluous zeros: `0.000165`."""
    if amount == 0:
        return "0"
    sign, amount = ("-", -amount) if amount < 0 else ("", amount)
    whole, fraction = divmod(amount, _PER_DOLLAR)
    decimals = f"{fraction:09d}".rstrip("0")
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"
