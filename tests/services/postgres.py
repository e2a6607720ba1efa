"""A real Postgres for tests: a private cluster on a Unix socket, one a worker, gone with the worker.

Databases are cloned from a migrated template, which takes a few dozen milliseconds each. Nothing is
flushed to disk: the cluster need not survive anything.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from ownkey.storage import Database

_MISSING = (
    "Postgres' programs (initdb, postgres) are not installed. `make test` installs postgresql and runs every test."
)
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    "max_wal_size": "256MB",
}


@dataclass(frozen=True)
class Cluster:
    """A running cluster. `data` is its data directory."""

    folder: Path
    names: "count[int]" = field(default_factory=count)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    async def execute(self, statement: str) -> None:
        """Run a statement as the superuser, outside of any transaction."""
        conn = await asyncpg.connect(self.url("postgres"))
        try:
            await conn.execute(statement)
        finally:
            await conn.close()

    async def create(self, template: str = "template0") -> str:
        """A new database, a copy of `template`; its name."""
        name = f"test_{next(self.names)}"
        await self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    async def drop(self, name: str) -> None:
        await self.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def postgres_cluster() -> Generator[Cluster]:
    """The worker's cluster. Fails, never skips, without Postgres' programs."""
    programs = _programs()
    # Not below pytest's own folder: the server's user may not enter that when we are root.
    folder = Path(tempfile.mkdtemp(prefix="ownkey-pg-"))
    try:
        cluster = Cluster(folder)
        _hand_over(folder)
        _initialise(programs, cluster)
        with (folder / "log").open("wb") as log:
            server = _start(programs, cluster, log.fileno())
            try:
                _wait_until_ready(cluster, server)
                yield cluster
            finally:
                # At once, without a checkpoint: the data goes, too.
                server.send_signal(signal.SIGQUIT)
                server.wait(30)
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_template(postgres_cluster: Cluster) -> str:
    """The name of a migrated database that nobody is connected to."""

    async def make() -> str:
        name = await postgres_cluster.create()
        database = await Database.open(postgres_cluster.url(name))
        await database.migrate()
        await database.close()
        return name

    return asyncio.run(make())


@pytest.fixture
async def empty_postgres_url(postgres_cluster: Cluster) -> AsyncGenerator[str]:
    """The URL of a new database without any table."""
    name = await postgres_cluster.create()
    yield postgres_cluster.url(name)
    await postgres_cluster.drop(name)


@pytest.fixture
async def postgres_url(postgres_cluster: Cluster, postgres_template: str) -> AsyncGenerator[str]:
    """The URL of a new migrated database."""
    name = await postgres_cluster.create(postgres_template)
    yield postgres_cluster.url(name)
    await postgres_cluster.drop(name)


def _programs() -> Path:
    """The folder of Postgres' programs, which Debian keeps out of the search path."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    found = [*(Path(name).resolve() for name in (shutil.which("initdb"),) if name is not None), *reversed(debian)]
    for initdb in found:
        if (initdb.parent / "postgres").exists():
            return initdb.parent
    pytest.fail(_MISSING, pytrace=False)


def _is_root() -> bool:
    return os.geteuid() == 0


def _hand_over(folder: Path) -> None:
    """Postgres refuses to run as root; Debian's package brings the user `postgres`."""
    if _is_root():
        shutil.chown(folder, "postgres", "postgres")


def _popen(command: Sequence[str | Path], output: int) -> subprocess.Popen[bytes]:
    user = "postgres" if _is_root() else None
    # With LANG unset, or set to a locale that is not installed, initdb would stop.
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        user=user,
        group=user,
        extra_groups=[] if user else None,
        env=environment,
        cwd="/",
    )


def _initialise(programs: Path, cluster: Cluster) -> None:
    options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync", "--no-instructions"]
    with _popen([programs / "initdb", "-D", cluster.data, *options], subprocess.PIPE) as initdb:
        output, _ = initdb.communicate()
    if initdb.returncode != 0:
        pytest.fail(f"initdb failed:\n{output.decode()}", pytrace=False)


def _start(programs: Path, cluster: Cluster, log: int) -> subprocess.Popen[bytes]:
    settings = [f"-c{name}={value}" for name, value in _SETTINGS.items()]
    command: list[str | Path] = [programs / "postgres", "-D", cluster.data, "-k", cluster.folder, *settings]
    if shutil.which("setpriv") is not None:
        # The server ends even when the test process is killed.
        command = ["setpriv", "--pdeathsig=INT", *command]
    return _popen(command, log)


def _wait_until_ready(cluster: Cluster, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            return asyncio.run(cluster.execute("SELECT 1"))
        except (OSError, asyncpg.CannotConnectNowError):
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"Postgres did not start:\n{(cluster.folder / 'log').read_text()}", pytrace=False)
        time.sleep(0.02)
