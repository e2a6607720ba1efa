"""The prices of the installed genai-prices. `python -m ownkey.providers.price_snapshot` makes `prices.json` of them.

The package's own data takes a second and 70 MB to import, which a gateway does not spend at every start;
`prices.json` holds the same prices for the providers we know and loads in milliseconds. A test compares
it with the installed package, so that the two never drift apart.

Only this module imports genai-prices; a server never imports this module.
"""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from genai_prices import types as source
from genai_prices.data_snapshot import get_snapshot

from ownkey.providers.price_list import PriceList
from ownkey.providers.price_source import INCLUDED, convert_prices
from ownkey.providers.price_store import encode


def build() -> PriceList:
    """The price list of the installed genai-prices. Raises PriceFileError."""
    return convert_prices([_provider(provider) for provider in get_snapshot().providers if provider.id in INCLUDED])


def installed() -> str:
    """Name and version of the package."""
    return f"genai-prices {version('genai-prices')}"


def _provider(provider: source.Provider) -> dict[str, Any]:
    """The provider as the package's published file says it."""
    return {
        "id": provider.id,
        "models": [_model(model) for model in provider.models],
        "fallback_model_providers": list(provider.fallback_model_providers or ()),
    }


def _model(model: source.ModelInfo) -> dict[str, Any]:
    prices = model.prices
    return {
        "id": model.id,
        "match": _clause(model.match),
        "prices": [_conditional(each) for each in prices] if isinstance(prices, list) else _prices(prices),
        "context_window": model.context_window,
    }


def _clause(clause: object) -> dict[str, Any]:
    match clause:
        case source.ClauseOr(or_=clauses):
            return {"or": [_clause(inner) for inner in clauses]}
        case source.ClauseAnd(and_=clauses):
            return {"and": [_clause(inner) for inner in clauses]}
        case _:
            return vars(clause)


def _conditional(price: source.ConditionalPrice) -> dict[str, Any]:
    return {"prices": _prices(price.prices), "constraint": vars(price.constraint) if price.constraint else None}


def _prices(prices: source.ModelPrice) -> dict[str, Any]:
    asked: dict[str, Any] = {key: price for key, price in vars(prices).items() if price is not None}
    return {
        key: {"base": price.base, "tiers": [vars(tier) for tier in price.tiers]}
        if isinstance(price, source.TieredPrices)
        else price
        for key, price in asked.items()
    }


def main() -> None:
    """Write the snapshot beside this module."""
    target = Path(__file__).with_name("prices.json")
    target.write_bytes(encode(build()))
    sys.stdout.write(f"{target.name} written\n")


if __name__ == "__main__":
    main()
