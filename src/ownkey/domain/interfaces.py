"""A provider with several interfaces below one address, and addresses that name one of them.

Ollama answers at `http://host:11434` in its own format below `/api` and in others' below `/v1`. People
write any of the three as its address: the first means all interfaces, the others mean one.
"""

from collections.abc import Mapping

from ownkey.domain.catalogue import Provider
from ownkey.domain.formats import WireFormat


def root_of(provider: Provider, base_url: str) -> str:
    """The address that the paths of `provider.endpoints` and of its key check begin at."""
    return base_url.removesuffix(_end_of(provider, base_url))


def endpoints_at(provider: Provider, base_url: str | None) -> Mapping[WireFormat, str]:
    """The formats served at an address, with their paths below its root."""
    end = "" if base_url is None else _end_of(provider, base_url)
    if not end:
        return provider.endpoints
    served = {format_: path for format_, path in provider.endpoints.items() if path.startswith(f"{end}/")}
    # Where a key's settings ask for other paths altogether, the end of its address says nothing of them.
    return served or provider.endpoints


def _end_of(provider: Provider, base_url: str) -> str:
    return next((end for end in provider.base_url_ends if base_url.endswith(end)), "")
