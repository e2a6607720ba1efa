"""What can be wrong with a database as a whole, and where the driver's errors end.

Everything that leaves `Database.read` and `write` is one of the domain's errors or of these:

domain.Unavailable
├── InvalidDatabaseUrl
├── DatabaseTooNew
└── BackupRefused

The public text never quotes the driver: its messages hold table names, values and addresses.
"""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import exc

from ownkey.domain.errors import Conflict, InvalidRequest, Unavailable

RETRY_AFTER_S = 1.0
_UNFIT = "A value cannot be stored as it is: a number is too large or a text has characters that are none."
_COLLIDES = "The change collides with another one, or what it belongs to is gone."


class InvalidDatabaseUrl(Unavailable):
    """Neither `sqlite:///path` nor `postgresql://…`."""


class DatabaseTooNew(Unavailable):
    """A newer Ownkey has migrated this database; running on would damage it."""


class BackupRefused(Unavailable):
    """A backup or restore that would overwrite something, is no backup of ours, or lacks its tool."""


@contextmanager
def database_border(place: str) -> Generator[None]:
    """Turn driver errors inside into Conflict, InvalidRequest or Unavailable; `place` names the database in the log.

    Unavailable means a database that is away, locked, full, slow or damaged.
    """
    try:
        yield
    except exc.DBAPIError as error:
        if _is_unfit_value(error):
            # The driver quotes the value, so its own error must not reach a log.
            raise InvalidRequest(_UNFIT, operator=f"{place}: {type(error.orig).__name__}") from None
        if isinstance(error, exc.IntegrityError):
            raise Conflict(_COLLIDES, operator=f"{place}: {_first_line(error.orig)}") from error
        raise unavailable(place, error.orig) from error
    except (OverflowError, UnicodeEncodeError) as error:
        raise InvalidRequest(_UNFIT, operator=f"{place}: {type(error).__name__}") from None
    except (exc.TimeoutError, OSError, *_postgres_errors()) as error:
        raise unavailable(place, error) from error


def unavailable(place: str, error: BaseException | None) -> Unavailable:
    """The error for a database that cannot serve now, with what the driver said as operator text."""
    text = "The database cannot serve now; try again shortly."
    return Unavailable(text, operator=f"{place}: {_first_line(error)}", retry_after=RETRY_AFTER_S)


def _is_unfit_value(error: exc.DBAPIError) -> bool:
    """Whether the database refuses a value as such. SQLAlchemy has no class of its own for what Postgres (class 22 of
    its codes) rejects, nor for what asyncpg rejects before sending."""
    state = getattr(error.orig, "sqlstate", None) or ""
    cause = None if error.orig is None else error.orig.__cause__
    asyncpg = _asyncpg()
    unfit = asyncpg is not None and isinstance(cause, asyncpg.DataError)
    return isinstance(error, exc.DataError) or state.startswith("22") or unfit


def _postgres_errors() -> tuple[type[Exception], ...]:
    asyncpg = _asyncpg()
    return () if asyncpg is None else (asyncpg.InterfaceError, asyncpg.PostgresError)


def _asyncpg() -> Any:
    """The driver, or None where no engine has loaded it: then none of its errors can have been raised."""
    return sys.modules.get("asyncpg")


def _first_line(error: BaseException | None) -> str:
    """Name and first line: what follows in Postgres' messages (DETAIL) quotes values."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
