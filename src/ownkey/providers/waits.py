"""How long a provider asks to wait, from the headers of its answer."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 3600.0
"""Seconds. After this time the provider can state a longer wait again."""

_ANTHROPIC_LIMITS = ("requests", "tokens", "input-tokens", "output-tokens")
_OPENAI_LIMITS = ("requests", "tokens")


def stated_wait(headers: Iterable[tuple[bytes, bytes]], now: float) -> float | None:
    """Seconds until the provider wants to hear from the key again, at most LONGEST_WAIT; None when it does not say.

    Read in this order: `retry-after-ms`, `retry-after` (seconds or an HTTP date, measured from the answer's
    own `date`), the reset times of exhausted limits as OpenAI, Groq and Anthropic write them, and
    `x-ratelimit-reset` (seconds, or Unix time in seconds or milliseconds). `now` is Unix seconds.
    """
    fields = {name.decode("latin-1").lower(): value.decode("latin-1").strip() for name, value in headers}
    for wait in (_retry_after(fields, now), _exhausted_limits(fields, now)):
        if wait is not None:
            return min(max(wait, 0.0), LONGEST_WAIT)
    reset = fields.get("x-ratelimit-reset")
    return None if reset is None else reset_wait(reset, now)


def reset_wait(text: str, now: float) -> float | None:
    """Seconds until a reset given as seconds from now or as Unix time in seconds or milliseconds."""
    number = _number(text)
    if number is None:
        number = duration(text)
    if number is None:
        return None
    if number > 1e11:
        number = number / 1000 - now
    elif number > 1e9:
        number -= now
    return min(max(number, 0.0), LONGEST_WAIT)


def _retry_after(fields: dict[str, str], now: float) -> float | None:
    milliseconds = _number(fields.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    text = fields.get("retry-after", "")
    seconds = _number(text)
    if seconds is not None:
        return seconds
    until = _http_date(text)
    if until is None:
        return None
    sent = _http_date(fields.get("date", ""))
    return until - (now if sent is None else sent)


def _exhausted_limits(fields: dict[str, str], now: float) -> float | None:
    """The longest reset among the limits that have nothing left."""
    waits: list[float] = []
    for limit in _OPENAI_LIMITS:
        if fields.get(f"x-ratelimit-remaining-{limit}") == "0":
            wait = duration(fields.get(f"x-ratelimit-reset-{limit}", ""))
            if wait is not None:
                waits.append(wait)
    for limit in _ANTHROPIC_LIMITS:
        if fields.get(f"anthropic-ratelimit-{limit}-remaining") == "0":
            until = _rfc3339(fields.get(f"anthropic-ratelimit-{limit}-reset", ""))
            if until is not None:
                waits.append(until - now)
    return max(waits, default=None)


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,15}(?:\.\d{1,9})?", text) else None


_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")


def duration(text: str) -> float | None:
    """`6m0s`, `1.5s`, `20ms` in seconds; None for anything else."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    days, hours, minutes, seconds, milliseconds = (float(part or 0) for part in match.groups())
    return days * 86_400 + hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def _http_date(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _rfc3339(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None
