"""The price list in the data directory: read at the start, and again whenever `ownkey models refresh` replaced it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from ownkey.logs import outline
from ownkey.providers.price_list import PriceList
from ownkey.providers.price_source import PriceFileError
from ownkey.providers.price_store import FILE_NAME, read_stored

_INTERVAL = 5.0
"""Seconds between two looks at the file's time stamp."""

log = structlog.get_logger(__name__)


def read_prices(folder: Path) -> PriceList | None:
    """The stored list; None when those that came with Ownkey are to be used. A damaged file is logged, not obeyed."""
    try:
        stored = read_stored(folder)
    except PriceFileError as error:
        log.warning("the stored prices cannot be used: run `ownkey models refresh`", reason=outline(error))
        return None
    return None if stored is None else stored.prices


async def follow_prices(folder: Path, use: Callable[[PriceList | None], None], interval: float = _INTERVAL) -> None:
    """Hand each new list to `use`, until cancelled; None when those that came with Ownkey are to be used again."""
    seen = _stamp(folder)
    while True:
        await asyncio.sleep(interval)
        stamp = _stamp(folder)
        if stamp != seen:
            seen = stamp
            use(await asyncio.to_thread(read_prices, folder))
            log.info("the price list was replaced")


def _stamp(folder: Path) -> tuple[int, int] | None:
    try:
        state = (folder / FILE_NAME).stat()
    except OSError:
        return None
    return state.st_ino, state.st_mtime_ns
