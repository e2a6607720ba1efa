"""Where requests to a provider go: joining paths, the operator's overrides, and the sandbox's map of addresses."""

from urllib.parse import urlsplit

import msgspec

from ownkey.domain.catalogue import KeyCheck
from ownkey.providers.rows import ProviderRow


def join_url(base_url: str, relative: str) -> str:
    """`relative` below `base_url`; each leading `../` leaves one segment of the base's path, never the host."""
    scheme, _, rest = base_url.rstrip("/").partition("://")
    segments = rest.split("/")
    while relative.startswith("../"):
        relative = relative[3:]
        if len(segments) > 1:
            segments.pop()
    return f"{scheme}://{'/'.join(segments)}/{relative.lstrip('/')}"


def check_url(check: KeyCheck, base_url: str) -> str:
    """The absolute address of a key check for a key used at `base_url`."""
    return check.url if is_absolute(check.url) else join_url(base_url, check.url)


def is_absolute(url: str) -> bool:
    return "://" in url


def moved_to(row: ProviderRow, base_url: str) -> ProviderRow:
    """The provider at an address the operator chose. Its regions' addresses and a check on another host are left out:
    the key goes only there."""
    check = row.check
    if check is not None and is_absolute(check.url):
        check = None
    return msgspec.structs.replace(row, base_url=base_url.rstrip("/"), check=check, hosts={})


def moved_to_sandbox(row: ProviderRow, sandbox_url: str) -> ProviderRow:
    """The provider as the sandbox serves it: `<sandbox>/<name>` and the path of the provider's real address.

    An address in a region has the region's name between the two.
    """
    root = f"{sandbox_url.rstrip('/')}/{row.name}"
    real = row.base_url or row.example_base_url or "https://example.com/v1"
    check = row.check
    if check is not None and is_absolute(check.url):
        check = msgspec.structs.replace(check, url=root + urlsplit(check.url).path)
    hosts = {
        region: msgspec.structs.replace(host, base_url=f"{root}/{region}{urlsplit(host.base_url).path.rstrip('/')}")
        for region, host in row.hosts.items()
    }
    token = row.token
    if token is not None:
        token = msgspec.structs.replace(token, url=root + urlsplit(token.url).path)
    return msgspec.structs.replace(
        row, base_url=root + urlsplit(real).path.rstrip("/"), check=check, hosts=hosts, token=token
    )
