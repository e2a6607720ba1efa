"""A catalogue answers from the price list in the data directory, from the moment it lies there."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from ownkey.main.prices import follow_prices, read_prices
from ownkey.providers import ProviderCatalogue, load_catalogue
from ownkey.providers.price_list import PriceList
from ownkey.providers.price_store import FILE_NAME, read_bundled, write_stored


def halved() -> PriceList:
    """Our own list with every text price of OpenAI's models at half."""
    prices = read_bundled()
    for model in prices.tables["openai"].models:
        for number, season in enumerate(model.seasons):
            if season.rates is not None:
                rates = msgspec.structs.replace(season.rates, input=season.rates.input // 2)
                model.seasons[number] = msgspec.structs.replace(season, rates=rates)
    return prices


def price(catalogue: ProviderCatalogue) -> int:
    (offer,) = [offer for offer in catalogue.offers("openai/gpt-5-mini") if offer.provider.name == "openai"]
    return offer.rates.input


async def test_a_new_list_is_taken_over_and_a_damaged_or_absent_one_gives_way_to_ours(tmp_path: Path) -> None:
    catalogue = load_catalogue()
    assert price(catalogue) == 250_000_000
    seen: asyncio.Queue[int] = asyncio.Queue()

    def use(prices: PriceList | None) -> None:
        catalogue.use_prices(prices)
        seen.put_nowait(price(catalogue))

    following = asyncio.create_task(follow_prices(tmp_path, use, 0.005))
    try:
        async with asyncio.timeout(60):
            await asyncio.sleep(0)  # it has looked at the empty folder
            write_stored(tmp_path, halved(), "a test")
            assert await seen.get() == 125_000_000
            # In one step: a file that is opened for writing is empty for a moment, which would be one change more.
            (tmp_path / "damaged").write_bytes(b"{")
            (tmp_path / "damaged").replace(tmp_path / FILE_NAME)
            assert await seen.get() == 250_000_000
            write_stored(tmp_path, halved(), "a test")
            assert await seen.get() == 125_000_000
            (tmp_path / FILE_NAME).unlink()
            assert await seen.get() == 250_000_000
        assert not following.done()
    finally:
        following.cancel()


def test_the_list_is_read_at_the_start_and_a_damaged_one_does_not_hinder_it(tmp_path: Path) -> None:
    assert read_prices(tmp_path) is None
    write_stored(tmp_path, halved(), "a test")
    assert price(load_catalogue(prices=read_prices(tmp_path))) == 125_000_000
    (tmp_path / FILE_NAME).write_bytes(b"not a list")
    assert read_prices(tmp_path) is None


def test_names_mean_the_same_after_a_renewal() -> None:
    catalogue = load_catalogue()
    before = [catalogue.resolve(name) for name in ("moonshotai/kimi-k9", "gpt-99", "groq/x", "nothing/at-all")]
    catalogue.use_prices(halved())
    assert [catalogue.resolve(name) for name in ("moonshotai/kimi-k9", "gpt-99", "groq/x", "nothing/at-all")] == before


@pytest.mark.parametrize("junk", ["", "{}", "[]"])
def test_a_damaged_list_is_never_half_used(tmp_path: Path, junk: str) -> None:
    (tmp_path / FILE_NAME).write_text(junk)
    assert read_prices(tmp_path) is None
