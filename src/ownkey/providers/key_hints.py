"""Whose keys begin as this one does: a hint for a person who may have chosen the wrong provider. It never rejects."""

from collections.abc import Iterable

from ownkey.domain.catalogue import Provider
from ownkey.domain.secret import Secret


def key_hint(rows: Iterable[Provider], provider: Provider, secret: Secret, own_address: str | None) -> str | None:
    """A sentence when the key begins as other providers' keys do and this one's do not; the longest beginning counts.

    None for a key used at an `own_address` besides the provider's: what is asked there, nobody here knows.
    """
    if not provider.key_pattern or (own_address is not None and provider.base_url is not None):
        return None
    text = secret.reveal()
    begins = [(len(prefix), row) for row in rows for prefix in row.key_prefixes if text.startswith(prefix)]
    longest = max((length for length, _ in begins), default=0)
    owners = [row for length, row in begins if length == longest]
    if not owners or any(row.name == provider.name for row in owners):
        return None
    titles = " or ".join(row.title for row in owners)
    return f"This key begins like a key of {titles}, not of {provider.title}. Check that the provider is right."
