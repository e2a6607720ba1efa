"""Where durable jobs are kept, and what this process is called among those that carry them out."""

import os
import socket
from pathlib import Path

from sqlalchemy import URL

from ownkey.domain.ids import new_id
from ownkey.storage.database import Database

_FILE = "jobs.db"
_NAME_FILE = "executor"


def jobs_url(database: Database, data_dir: Path) -> str:
    """The jobs' database: a file beside SQLite's, or a schema of its own in Postgres. With its password."""
    if database.engine == "sqlite":
        return f"sqlite:///{data_dir.absolute() / _FILE}"
    url: URL = database.url.set(drivername="postgresql+psycopg")
    return url.render_as_string(hide_password=False)


def executor_name(data_dir: Path, worker: int | None) -> str:
    """A name that this process has again after a restart: of its data directory, and its number where several share
    it. A copied directory would share its name, so the machine's is part of it."""
    path = data_dir / _NAME_FILE
    try:
        name = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        name = new_id("exec")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(name)
    return f"{name}-{socket.gethostname()}-{worker or 0}"
