"""The books as they lie in an embedded database, read beside the server or after it."""

import sqlite3
from contextlib import closing
from pathlib import Path


def statuses(data_dir: Path) -> dict[str, str]:
    """Status by request id."""
    with closing(sqlite3.connect(data_dir / "ownkey.db")) as database:
        return dict(database.execute("SELECT id, status FROM requests").fetchall())


def journal_runs(data_dir: Path) -> list[Path]:
    """The journals of processes, living and dead."""
    return sorted((data_dir / "journal").glob("run-*"))
