"""Addresses that the operator answers for: those of the catalogue's providers, wherever these were moved."""

from ownkey.domain.formats import WireFormat
from ownkey.providers import ProviderCatalogue
from ownkey.workbench.endpoint.request import CHAT


def operators_base_urls(catalogue: ProviderCatalogue) -> dict[str, str]:
    """The base URL of each provider that speaks OpenAI's chat completions at an address of its own, with its name."""
    found: dict[str, str] = {}
    for row in catalogue.providers():
        path = row.endpoints.get(WireFormat.OPENAI_CHAT)
        if row.base_url is not None and path is not None and path.endswith(CHAT):
            found[row.base_url.rstrip("/") + path.removesuffix(CHAT)] = row.name
    return found
