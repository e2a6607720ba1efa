"""Allowances over many processes: pools and leases in the database, slices in each process."""

from ownkey.storage.allowances.leased import LeasedAllowance
from ownkey.storage.allowances.pools import Exchange, PoolStore, sweep

__all__ = ["Exchange", "LeasedAllowance", "PoolStore", "sweep"]
