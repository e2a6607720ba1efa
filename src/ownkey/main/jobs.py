"""Where durable jobs are kept, and what this process is called among those that carry them out."""

import os
import socket
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from itertools import count
from pathlib import Path

import structlog

from ownkey.domain.ids import new_id
from ownkey.storage.database import Database
from ownkey.storage.engines import create_private_file

_FILE = "jobs.db"
_FOLDER = "executors"
_DAMAGED = "damaged"

log = structlog.get_logger(__name__)


def jobs_url(database: Database, data_dir: Path) -> str:
    """The jobs' database: a file beside SQLite's, or a schema of its own in Postgres. With its password.

    A damaged file is set aside: what runs are and what they have brought is in the server's own database, from which
    those that have not ended are taken up.
    """
    if database.engine == "sqlite":
        path = data_dir.absolute() / _FILE
        if path.exists() and _is_damaged(path):
            _set_aside(path)
        create_private_file(path)
        return f"sqlite:///{path}"
    return database.url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _is_damaged(path: Path) -> bool:
    with closing(sqlite3.connect(path, timeout=1)) as connection:
        try:
            return connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",)
        except sqlite3.OperationalError:
            # Locked by another server, or not readable: that is told by who uses it.
            return False
        except sqlite3.DatabaseError:
            return True


def _set_aside(path: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(path.with_name(f"{path.name}.{_DAMAGED}{ending}"))
    text = "the jobs' database is damaged and was set aside: a new one is made, and open runs are taken up"
    log.error(text, path=f"{path.name}.{_DAMAGED}")


@contextmanager
def executor_name(data_dir: Path) -> Generator[str]:
    """A name that is this process's alone while it lives, and that a process after it takes again.

    What a process leaves open is taken up by the next of its name. Processes that share a data directory take the
    lowest free name, held by a lock that goes with the process; a copied directory on another machine shares none.
    """
    folder = data_dir / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = _take_free(folder)
    try:
        name = os.read(descriptor, 100).decode("ascii", "replace")
        if not name:
            name = new_id("exec")
            os.write(descriptor, name.encode("ascii"))
        yield f"{name}-{socket.gethostname()}"
    finally:
        os.close(descriptor)


def _take_free(folder: Path) -> int:
    for number in count():
        descriptor = os.open(folder / str(number), os.O_RDWR | os.O_CREAT, 0o600)
        with suppress(BlockingIOError):
            flock(descriptor, LOCK_EX | LOCK_NB)
            return descriptor
        os.close(descriptor)
    raise AssertionError
