"""Where the driver's errors end: everything that leaves `Database.read` and `write` is the domain's.

The public text never quotes the driver: its messages hold table names, values and addresses.
"""

from collections.abc import Generator
from contextlib import contextmanager

import asyncpg
from sqlalchemy import exc

from ownkey.domain.errors import Conflict, InvalidRequest, Unavailable

RETRY_AFTER_S = 1.0


@contextmanager
def database_border(place: str) -> Generator[None]:
    """Turn driver errors inside into Conflict, InvalidRequest or Unavailable; `place` names the database in the log.

    Unavailable stands for a database that is away, locked, full, slow or damaged.
    """
    try:
        yield
    except exc.IntegrityError as error:
        text = "The change collides with another one, or what it belongs to is gone."
        raise Conflict(text, operator=f"{place}: {_first_line(error.orig)}") from error
    except exc.DataError as error:
        text = "A value cannot be stored as it is."
        # The driver quotes the value; so the original error must not reach a log.
        raise InvalidRequest(text, operator=f"{place}: {type(error.orig).__name__}") from None
    except exc.DBAPIError as error:
        raise unavailable(place, error.orig) from error
    except (exc.TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError, OSError) as error:
        raise unavailable(place, error) from error


def unavailable(place: str, error: BaseException | None) -> Unavailable:
    """The error for a database that cannot serve now, with what the driver said as operator text."""
    text = "The database cannot serve now; try again shortly."
    return Unavailable(text, operator=f"{place}: {_first_line(error)}", retry_after=RETRY_AFTER_S)


def _first_line(error: BaseException | None) -> str:
    """Name and first line: what follows in Postgres' messages (DETAIL) quotes values."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
