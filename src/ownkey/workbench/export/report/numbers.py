"""Figures as people read them: at most three significant digits, and units."""

import math

_UNITS = {"share": "", "score": "", "": ""}


def shortened(raw: str, length: int) -> str:
    """At most `length` characters, its middle left out; the ends of an id say more than its middle."""
    if len(raw) <= length:
        return raw
    head = (length - 1) // 2
    return f"{raw[:head]}…{raw[len(raw) - (length - 1 - head) :]}"


def figure(value: float | None, unit: str) -> str:
    """A number with its unit: `812 ms`, `1.24 s`, `$0.000165`, `143 tokens`; an em dash for None."""
    if value is None or not math.isfinite(value):
        return "—"
    if unit == "ms":
        return duration(value)
    if unit == "USD":
        return dollars(value)
    name = _UNITS.get(unit, f" {unit}")
    return f"{number(value)}{name}"


def signed(value: float, unit: str) -> str:
    """A difference with its sign; shares in percentage points."""
    shown = f"{number(abs(value) * 100)} points" if unit == "share" else figure(abs(value), unit)
    return f"{'−' if value < 0 else '+'}{shown}"


def duration(ms: float) -> str:
    """Milliseconds as `812 ms` or `1.24 s`."""
    if abs(ms) >= 1000:
        return f"{number(ms / 1000)} s"
    return f"{number(ms)} ms"


def dollars(value: float) -> str:
    """US dollars: whole from $100, cents from $0.10, three significant digits below."""
    sign = "−" if value < 0 else ""
    value = abs(value)
    if value >= 100:
        return f"{sign}${value:,.0f}"
    if value >= 0.1 or value == 0:
        return f"{sign}${value:.2f}"
    return f"{sign}${_significant(value, 3)}"


def number(value: float) -> str:
    """Three significant digits, and whole numbers whole; a thin space between thousands."""
    sign = "−" if value < 0 else ""
    value = abs(value)
    if value == int(value) or value >= 100:
        return sign + f"{round(value):,}".replace(",", "\u202f")
    return sign + _significant(value, 3)


def percent(share: float) -> str:
    """`97.5 %`; never 100 % for less than all, nor 0 % for more than none."""
    shown = f"{share * 100:.1f}".removesuffix(".0")
    if shown == "100" and share < 1:
        shown = "99.9"
    if shown == "0" and share > 0:
        shown = "0.1"
    return f"{shown} %"


def _significant(value: float, digits: int) -> str:
    if value < 1e-9:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(value)))
    fixed = f"{value:.{decimals}f}"
    return fixed.rstrip("0").rstrip(".") if "." in fixed else fixed
