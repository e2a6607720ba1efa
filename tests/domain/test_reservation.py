"""The bound of a request is a bound."""

import json

import pytest

from ownkey.domain.price import Rates, list_cost
from ownkey.domain.reservation import holds_media, input_bound, output_bound, price_bound
from ownkey.domain.usage import Usage

MILLION = 1_000_000


@pytest.mark.parametrize(
    ("text", "media", "window", "bound"),
    [
        (0, False, None, 1024),
        (100, False, 128_000, 1124),
        (500_000, False, 128_000, 128_000),
        (100, True, 128_000, 128_000),
        (100, True, None, None),
    ],
)
def test_input_is_bounded_by_bytes_and_window(text: int, media: bool, window: int | None, bound: int | None) -> None:
    assert input_bound(text, media, window) == bound


@pytest.mark.parametrize(
    ("limit", "choices", "window", "bound"),
    [(100, 1, 8000, 100), (None, 1, 8000, 8000), (None, 1, None, None), (100, 4, 8000, 400), (100, 0, None, 100)],
)
def test_output_is_bounded_by_what_is_sent(limit: int | None, choices: int, window: int | None, bound: int) -> None:
    assert output_bound(limit, choices, window) == bound


@pytest.mark.parametrize(
    ("body", "media"),
    [
        ({"messages": [{"role": "user", "content": "draw an image of a file"}]}, False),
        ({"messages": [{"content": "é\n"}]}, False),
        ({"messages": [{"content": [{"type": "image_url", "image_url": {"url": "https://x"}}]}]}, True),
        ({"input": [{"type": "input_file", "file_id": "f"}]}, True),
        ({"contents": [{"parts": [{"inlineData": {}}]}]}, True),
        ({"previous_response_id": "resp_1"}, True),
    ],
)
def test_media_and_references_are_found(body: object, media: bool) -> None:
    assert holds_media(json.dumps(body, ensure_ascii=False).encode()) is media


def test_a_name_written_as_escapes_hides_nothing() -> None:
    assert holds_media(b'{"\\u0069mage_url": 1}')
    assert not holds_media(b'{"content": "caf\\u00e9"}')


def test_the_dearest_attempt_tier_and_rate_counts() -> None:
    cheap = Rates(input=1 * MILLION, output=2 * MILLION)
    dear = Rates(input=2 * MILLION, output=5 * MILLION, reasoning=6 * MILLION, per_request=7)
    assert price_bound([cheap, dear], 10, 10) == 10 * 2 + 10 * 6 + 7
    assert price_bound([Rates(input=MILLION, cache_write=MILLION + 250_000)], 10, 0) == 20
    tiered = Rates(input=MILLION, tiers=((100, Rates(input=3 * MILLION)),))
    assert price_bound([tiered], 100, 0) == 100
    assert price_bound([tiered], 101, 0) == 303
    assert price_bound([Rates(input=1)], 1, 0) == 1
    assert price_bound([], 10, 10) == 0


@pytest.mark.parametrize("usage", [Usage(50, 9), Usage(100, 9, 40, 30, 9), Usage(1, 0, reported=False)])
def test_no_usage_within_the_bounds_costs_more(usage: Usage) -> None:
    rates = Rates(input=3, output=15, cached_input=1, cache_write=4, reasoning=17, per_request=2)
    assert list_cost(rates, usage) <= price_bound([rates], 100, 9)
