"""How long providers ask to wait, in every form in which they ask."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownkey.providers.waits import LONGEST_WAIT, duration, stated_wait

NOW = 1_795_000_000.0
"""2026-11-18 11:06:40 UTC."""


def wait(**headers: str) -> float | None:
    return stated_wait([(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()], NOW)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry_after": "7"}, 7),
        ({"Retry_After": " 7 "}, 7),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after": "0"}, 0),
        ({"retry_after": "86400"}, LONGEST_WAIT),
        ({"retry_after": "-3"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": ""}, None),
        ({"retry_after_ms": "250"}, 0.25),
        ({"retry_after_ms": "250", "retry_after": "1"}, 0.25),
        ({"retry_after": "Wed, 18 Nov 2026 11:07:40 GMT"}, 60),
        ({"retry_after": "Wed, 18 Nov 2026 11:00:00 GMT"}, 0),
        ({"retry_after": "Wed, 18 Nov 2026 11:07:40 GMT", "date": "Wed, 18 Nov 2026 11:07:30 GMT"}, 10),
        ({"retry_after": "Wed, 18 Nov 2026 11:07:40 GMT", "date": "nonsense"}, 60),
        ({"x_ratelimit_reset": "12"}, 12),
        ({"x_ratelimit_reset": "1795000030"}, 30),
        ({"x_ratelimit_reset": "1795000030000"}, 30),
        ({"x_ratelimit_reset": "1s"}, 1),
        ({"x_ratelimit_reset": "whenever"}, None),
        ({"x_ratelimit_remaining_requests": "0", "x_ratelimit_reset_requests": "6m0s"}, 360),
        ({"x_ratelimit_remaining_requests": "5", "x_ratelimit_reset_requests": "6m0s"}, None),
        ({"x_ratelimit_reset_requests": "6m0s"}, None),
        (
            {
                "x_ratelimit_remaining_requests": "0",
                "x_ratelimit_reset_requests": "20ms",
                "x_ratelimit_remaining_tokens": "0",
                "x_ratelimit_reset_tokens": "1.5s",
            },
            1.5,
        ),
        (
            {
                "anthropic_ratelimit_input_tokens_remaining": "0",
                "anthropic_ratelimit_input_tokens_reset": "2026-11-18T11:06:55Z",
            },
            15,
        ),
        (
            {
                "anthropic_ratelimit_requests_remaining": "3",
                "anthropic_ratelimit_requests_reset": "2026-11-18T11:06:55Z",
            },
            None,
        ),
        (
            {
                "retry_after": "2",
                "x_ratelimit_remaining_tokens": "0",
                "x_ratelimit_reset_tokens": "9s",
            },
            2,
        ),
    ],
)
def test_every_form_is_understood(headers: dict[str, str], seconds: float | None):
    assert wait(**headers) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1),
        ("6m0s", 360),
        ("1h2m3s", 3723),
        ("2d", 172_800),
        ("20ms", 0.02),
        ("1m30ms", 60.03),
        ("34.07s", 34.07),
        ("", None),
        ("5", None),
        ("s", None),
        ("1s2m", None),
        ("nans", None),
        ("infs", None),
        ("-1s", None),
    ],
)
def test_durations(text: str, seconds: float | None):
    assert duration(text) == pytest.approx(seconds) if seconds is not None else duration(text) is None


NAMES = [
    b"retry-after",
    b"retry-after-ms",
    b"date",
    b"x-ratelimit-reset",
    b"x-ratelimit-remaining-tokens",
    b"x-ratelimit-reset-tokens",
    b"anthropic-ratelimit-tokens-remaining",
    b"anthropic-ratelimit-tokens-reset",
]
VALUES = st.binary(max_size=40) | st.text(alphabet="0123456789.:-TZmshGMTdec ,+", max_size=30).map(str.encode)


@given(st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=6))
def test_nothing_a_server_sends_breaks_it(headers: list[tuple[bytes, bytes]]):
    told = stated_wait(headers, NOW)
    assert told is None or 0 <= told <= LONGEST_WAIT
