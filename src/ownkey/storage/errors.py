"""What can be wrong with a database as a whole. The aggregates raise the domain's own errors.

domain.Unavailable
├── InvalidDatabaseUrl
├── DatabaseTooNew
└── BackupRefused
"""

from ownkey.domain.errors import Unavailable


class InvalidDatabaseUrl(Unavailable):
    """Neither `sqlite:///path` nor `postgresql://…`."""


class DatabaseTooNew(Unavailable):
    """A newer Ownkey has migrated this database; running on would damage it."""


class BackupRefused(Unavailable):
    """A backup or restore that would overwrite something, is no backup of ours, or lacks its tool."""
