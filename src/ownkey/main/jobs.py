"""Where durable jobs are kept, and what this process is called among those that carry them out."""

import os
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from itertools import count
from pathlib import Path

from ownkey.domain.ids import new_id
from ownkey.storage.database import Database
from ownkey.storage.engines import create_private_file

_FILE = "jobs.db"
_FOLDER = "executors"


def jobs_url(database: Database, data_dir: Path) -> str:
    """The jobs' database: a file beside SQLite's, or a schema of its own in Postgres. With its password."""
    if database.engine == "sqlite":
        path = data_dir.absolute() / _FILE
        create_private_file(path)
        return f"sqlite:///{path}"
    return database.url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


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
