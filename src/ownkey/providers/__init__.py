"""Providers as data: who there is, what they serve and ask, how to tell a good key from a bad one."""

from ownkey.providers.catalogue import ProviderCatalogue, load_catalogue
from ownkey.providers.rows import CatalogueError, ProviderRow

__all__ = ["CatalogueError", "ProviderCatalogue", "ProviderRow", "load_catalogue"]
