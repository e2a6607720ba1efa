"""What `ownkey models refresh` does, on the library itself: read, check, compare, and only then replace."""

import time
from pathlib import Path
from typing import Any

from ownkey.cli.failures import CommandFailed
from ownkey.domain.money import format_usd
from ownkey.domain.price import Rates
from ownkey.providers.price_list import PriceChange, PriceList, compare
from ownkey.providers.price_source import PriceFileError, read_prices
from ownkey.providers.price_store import FILE_NAME, read_bounded, read_bundled, read_stored, write_stored


def refresh_prices(folder: Path, file: Path | None) -> dict[str, Any]:
    """Renew the prices in the data directory `folder` from a file, or from the installed genai-prices.

    The report is ready to be printed as JSON, prices in USD per million tokens. Raises CommandFailed for prices
    that cannot be used and OSError; either way nothing is changed.
    """
    if not folder.is_dir():
        raise CommandFailed(f"there is no data directory {folder}: see --data-dir")
    prices, source = _from_package() if file is None else (_from_file(file), str(file))
    changes = compare(_present(folder), prices, time.time())
    write_stored(folder, prices, source)
    return {
        "source": source,
        "file": str(folder / FILE_NAME),
        "models": sum(len(table.models) for table in prices.tables.values()),
        "new": [_show(change) for change in changes.new],
        "raised": [_show(change) for change in changes.raised],
        "lowered": [_show(change) for change in changes.lowered],
        "gone": [_show(change) for change in changes.gone],
        "context_windows": [
            {"provider": table, "model": model, "before": before, "after": after}
            for table, model, before, after in changes.windows
        ],
    }


def _from_package() -> tuple[PriceList, str]:
    from ownkey.providers.price_snapshot import build, installed  # a second and 70 MB, for this command only

    try:
        return build(), installed()
    except PriceFileError as error:
        raise CommandFailed(f"{installed()}: {error}; nothing was changed") from None


def _from_file(file: Path) -> PriceList:
    try:
        return read_prices(read_bounded(file))
    except PriceFileError as error:
        raise CommandFailed(f"{file}: {error}; nothing was changed") from None


def _present(folder: Path) -> PriceList:
    """The prices in use. A damaged file is not in use, so it may be replaced."""
    try:
        stored = read_stored(folder)
    except PriceFileError:
        stored = None
    return read_bundled() if stored is None else stored.prices


def _show(change: PriceChange) -> dict[str, Any]:
    return {
        "provider": change.table,
        "model": change.model,
        "before": _rates(change.before),
        "after": _rates(change.after),
    }


def _rates(rates: Rates | None) -> dict[str, Any] | None:
    if rates is None:
        return None
    return {
        "input": format_usd(rates.input),
        "output": format_usd(rates.output),
        "cached_input": None if rates.cached_input is None else format_usd(rates.cached_input),
        "cache_write": None if rates.cache_write is None else format_usd(rates.cache_write),
        "tiers": len(rates.tiers),
    }
