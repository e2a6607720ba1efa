"""Providers as data: which exist, what they serve and cost, how to tell a good key from a bad one."""

from ownkey.providers.catalogue import ProviderCatalogue, load_catalogue
from ownkey.providers.rows import CatalogueError, ProviderRow

OWN_ENDPOINT = "custom"
"""The row of endpoints that are nobody's but their user's: OpenAI's format at a base URL of the credential's own."""

__all__ = ["OWN_ENDPOINT", "CatalogueError", "ProviderCatalogue", "ProviderRow", "load_catalogue"]
