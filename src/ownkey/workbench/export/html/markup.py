"""Text made safe for HTML, and figures as people read them.

Everything that comes from a person, a model or an endpoint goes through `text` or `quoted`.
"""

import html
import math
import re

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_UNITS = {"share": "", "score": "", "": ""}


def text(raw: str) -> str:
    """Escaped for text and attributes; characters that HTML cannot hold become U+FFFD."""
    return html.escape(_CONTROL.sub("\ufffd", raw.replace("\r\n", "\n")))


def quoted(raw: str) -> str:
    """Inline text of somebody else's: its direction cannot turn what stands around it."""
    return f"<bdi>{text(raw)}</bdi>"


def shortened(raw: str, length: int) -> str:
    """At most `length` characters, its middle left out; the ends of an id tell more than its middle."""
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


def duration(ms: float) -> str:
    if abs(ms) >= 1000:
        return f"{number(ms / 1000)} s"
    return f"{number(ms)} ms"


def dollars(value: float) -> str:
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
    """`97.5 %`; never 100 % for what is not all, nor 0 % for what is not none."""
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
