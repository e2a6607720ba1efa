"""Prices from a file: what is read, and that nothing odd or hostile gets through."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownkey.domain.price import Rates
from ownkey.providers.price_list import PriceIndex, compare
from ownkey.providers.price_source import LARGEST, PriceFileError, read_prices
from ownkey.providers.price_store import FILE_NAME, read_bounded, read_bundled, read_stored, write_stored

NOW = 1_795_000_000.0


def model(id_: str = "m-1", prices: Any = None, **fields: Any) -> dict[str, Any]:
    asked = {"input_mtok": 1, "output_mtok": 2} if prices is None else prices
    return {"id": id_, "match": {"equals": id_}, "prices": asked} | fields


def source(*models: dict[str, Any], **fields: Any) -> bytes:
    return json.dumps(
        [{"id": "vendor", "name": "Vendor", "api_pattern": "x", "models": list(models)} | fields]
    ).encode()


def read(*models: dict[str, Any]) -> Any:
    return read_prices(source(*models), ["vendor"]).tables["vendor"].models


def rates_of(prices: Any) -> Rates:
    (found,) = read(model(prices=prices))
    rates = found.season(NOW).rates
    assert rates is not None
    return rates


def test_rates_are_read_to_the_nano_dollar():
    prices = {"input_mtok": 0.29, "output_mtok": "1.5", "cache_read_mtok": 0.0285, "cache_write_mtok": 3.75}
    assert rates_of(prices | {"output_reasoning_mtok": 3, "requests_kcount": 5, "web_searches_kcount": 10}) == Rates(
        input=290_000_000,
        output=1_500_000_000,
        cached_input=28_500_000,
        cache_write=3_750_000_000,
        reasoning=3_000_000_000,
        per_request=5_000_000,
    )


def test_tiers_hold_every_rate_above_their_start():
    tiered = {"base": 1, "tiers": [{"start": 200_000, "price": 3}, {"start": 100_000, "price": 2}]}
    rates = rates_of({"input_mtok": tiered, "output_mtok": 8})
    assert (rates.input, rates.output) == (1_000_000_000, 8_000_000_000)
    assert [(start, tier.input, tier.output) for start, tier in rates.tiers] == [
        (100_000, 2_000_000_000, 8_000_000_000),
        (200_000, 3_000_000_000, 8_000_000_000),
    ]


def test_seasons_start_on_a_day_or_come_back_each_day():
    seasons = [
        {"prices": {"input_mtok": 1}},
        {"constraint": {"start_date": "2026-06-01"}, "prices": {"input_mtok": 2}},
        {"constraint": {"start_time": "16:30:00Z", "end_time": "00:30:00Z"}, "prices": {"input_mtok": 3}},
    ]
    (found,) = read(model(prices=seasons))
    assert [season.daily for season in found.seasons] == [None, None, (59_400, 1800)]
    assert found.seasons[1].starts_at == 1_780_272_000


def test_a_model_sold_by_anything_but_text_has_no_rates():
    (found,) = read(model(prices={"audio_hours": 1}))
    assert found.season(NOW).rates is None


def test_rules_find_models_as_the_source_means_them():
    rule = {
        "or": [{"starts_with": "Big-"}, {"and": [{"contains": "mid"}, {"ends_with": "-x"}]}, {"regex": "^s\\d{2}$"}]
    }
    index = PriceIndex(read_prices(source(model(match=rule)), ["vendor"]))
    found = [name for name in ("big-1", "amid-x", "amid-y", "s12", "s1") if index.find("vendor", name)]
    assert found == ["big-1", "amid-x", "s12"]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "nested too deeply|not JSON"),
        (b'[{"id":"vendor","models":' + b'{"or":[' * 5000 + b"]}" * 5000 + b"}]", "nested|format|JSON"),
        (b"{}", "not in the format"),
        (b"[]", "no prices of vendor"),
        (b'[{"id":"vendor","models":[]}]', "no prices of vendor"),
        (b'[{"id":"vendor"}]', "models"),
        (source({"id": "m"}), "match"),
        (source(model(id_="")), "id"),
        (source(model(id_="m" * 300)), "id"),
        (source(model(match={})), "m-1: match"),
        (source(model(match={"equals": "a", "regex": "b"})), "m-1: match"),
        (source(model(match={"regex": "("})), "match.regex"),
        (source(model(match={"regex": "(a+)+$"})), "match.regex"),
        (source(model(match={"regex": "(a|aa)*$"})), "match.regex"),
        (source(model(match={"regex": "(?:a{1,9}){1,9}$"})), "match.regex"),
        (source(model(match={"regex": "^.*.*.*x$"})), "match.regex"),
        (source(model(match={"regex": "a" * 300})), "match.regex"),
        (source(model(prices={"input_mtok": -1})), "vendor: m-1: prices.input_mtok: -1"),
        (source(model(prices={"input_mtok": 1, "output_mtok": -0.5})), "prices.output_mtok"),
        (source(model(prices={"input_mtok": "NaN"})), "prices.input_mtok"),
        (source(model(prices={"input_mtok": "Infinity"})), "prices.input_mtok"),
        (source(model(prices={"input_mtok": 1e30})), "prices.input_mtok"),
        (source(model(prices={"input_mtok": True})), "format"),
        (source(model(prices={"input_mtok": [1]})), "format"),
        (source(model(prices={"input_mtok": {"base": 1, "tiers": [{"start": -1, "price": 2}]}})), "start"),
        (source(model(prices={"input_mtok": {"base": 1, "tiers": [{"start": 5, "price": -2}]}})), "prices.input_mtok"),
        (source(model(prices=[])), "prices"),
        (source(model(prices=[{"constraint": {}, "prices": {"input_mtok": 1}}])), "constraint"),
        (source(model(context_window=-5)), "context_window"),
        (source(model(context_window="many")), "context_window"),
        (b" " * (LARGEST + 1), "larger than 32 MiB"),
    ],
)
def test_what_cannot_be_a_price_list_is_refused_with_its_place(data: bytes, complaint: str):
    with pytest.raises(PriceFileError, match=complaint):
        read_prices(data, ["vendor"])


def test_a_rule_inside_rules_without_end_is_refused():
    rule: dict[str, Any] = {"equals": "m"}
    for _ in range(20):
        rule = {"or": [rule]}
    with pytest.raises(PriceFileError, match="nested too deeply"):
        read(model(match=rule))


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["id", "models", "match", "prices", "or"]), inner)
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_bytes_do_more_than_be_refused(data: bytes):
    with pytest.raises(PriceFileError):
        read_prices(data, ["vendor"])


def test_no_pattern_that_is_accepted_takes_long_on_a_long_name():
    for pattern in ("^(?!.*-[tT][tT][sS](?:$|-))", "^x-ai/grok-4\\.3-\\d{8}$", ".*a.*b$", "^a+b+$"):
        (found,) = read(model(match={"regex": pattern}))
        began = time.process_time()
        found.match.matches("a" * 256)
        assert time.process_time() - began < 1


def test_a_list_is_stored_whole_and_read_back(tmp_path: Path):
    prices = read_prices(source(model()), ["vendor"])
    write_stored(tmp_path, prices, "a test")
    stored = read_stored(tmp_path)
    assert stored is not None
    assert (stored.prices, stored.source) == (prices, "a test")
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == [FILE_NAME]


def test_a_list_from_before_an_upgrade_no_longer_counts(tmp_path: Path):
    write_stored(tmp_path, read_bundled(), "a test")
    file = tmp_path / FILE_NAME
    content = json.loads(file.read_bytes())
    file.write_text(json.dumps(content | {"replaces": "0" * 64}))
    assert read_stored(tmp_path) is None


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"source":"x","replaces":"y","prices":{"tables":[]}}', b"\xff"]
)
def test_a_damaged_list_is_told_and_not_used(tmp_path: Path, content: bytes):
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(PriceFileError, match="damaged"):
        read_stored(tmp_path)


def test_only_files_of_a_sensible_size_are_read(tmp_path: Path):
    with pytest.raises(PriceFileError, match="not a file"):
        read_bounded(Path("/dev/zero"))
    with pytest.raises(PriceFileError, match="not a file"):
        read_bounded(tmp_path)
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(500 * 1024 * 1024)
    with pytest.raises(PriceFileError, match="larger than 32 MiB"):
        read_bounded(huge)


def changes(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> dict[str, list[str]]:
    old, new = (read_prices(source(model("same"), *models), ["vendor"]) for models in (before, after))
    found = compare(old, new, NOW)
    kinds = {"new": found.new, "raised": found.raised, "lowered": found.lowered, "gone": found.gone}
    told = {kind: [change.model for change in each] for kind, each in kinds.items() if each}
    return told | ({"windows": [name for _, name, _, _ in found.windows]} if found.windows else {})


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([], [], {}),
        ([], [model("a")], {"new": ["a"]}),
        ([model("a")], [], {"gone": ["a"]}),
        ([model("a")], [model("a", {"input_mtok": 1, "output_mtok": 3})], {"raised": ["a"]}),
        ([model("a")], [model("a", {"input_mtok": 0.5, "output_mtok": 2})], {"lowered": ["a"]}),
        ([model("a")], [model("a", {"input_mtok": 0.5, "output_mtok": 3})], {"raised": ["a"]}),
        ([model("a")], [model("a", {"input_mtok": 1, "output_mtok": 2, "cache_read_mtok": 0.1})], {"lowered": ["a"]}),
        (
            [model("a")],
            [model("a", {"input_mtok": {"base": 1, "tiers": [{"start": 9, "price": 2}]}, "output_mtok": 2})],
            {"raised": ["a"]},
        ),
        ([model("a")], [model("a", {"audio_hours": 1})], {"gone": ["a"]}),
        ([model("a", {"audio_hours": 1})], [model("a")], {"new": ["a"]}),
        ([model("a")], [model("a", context_window=8)], {"windows": ["a"]}),
        (
            [model("a", [{"prices": {"input_mtok": 1}}])],
            [model("a", [{"prices": {"input_mtok": 1}}, {"constraint": {"start_date": "2099-01-01"}, "prices": {}}])],
            {},
        ),
    ],
)
def test_a_renewal_tells_what_it_changes(
    before: list[dict[str, Any]], after: list[dict[str, Any]], told: dict[str, list[str]]
):
    assert changes(before, after) == told
