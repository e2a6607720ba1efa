"""Servers for these tests. One launcher serves all tests of a worker."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.proof.servers import ForkedStack, Launcher, TwoWorkers
from tests.services.postgres import Cluster
from tests.services.stack import Process


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    """A process that forks servers."""
    launcher = Launcher()
    yield launcher
    launcher.close()


@pytest.fixture(scope="session")
def paced_sandbox() -> Iterator[Process]:
    """Providers that send four hundred tokens a second, so that streams can be met under way."""
    process = Process(["sandbox", "--port", "0", "--tokens-per-second", "400"])
    yield process
    process.stop()


@pytest.fixture
def forked(launcher: Launcher, sandbox: Process, tmp_path: Path) -> Iterator[ForkedStack]:
    """A server of the test's own, which it may kill and start again."""
    running = ForkedStack(launcher, tmp_path / "data", sandbox)
    yield running
    running.close()


@pytest.fixture(scope="module")
def module_postgres_url(postgres_cluster: Cluster, postgres_template: str) -> Iterator[str]:
    """A new migrated database for all tests of a module."""
    name = asyncio.run(postgres_cluster.create(postgres_template))
    yield postgres_cluster.url(name)
    asyncio.run(postgres_cluster.drop(name))


@pytest.fixture(scope="module")
def two_workers(
    sandbox: Process, tmp_path_factory: pytest.TempPathFactory, module_postgres_url: str
) -> Iterator[TwoWorkers]:
    """Two processes on Postgres behind one port."""
    running = TwoWorkers(tmp_path_factory.mktemp("workers"), sandbox, OWNKEY_DATABASE_URL=module_postgres_url)
    yield running
    assert running.stop() == 0, running.log


@pytest.fixture
def forked_json(launcher: Launcher, sandbox: Process, tmp_path: Path) -> Iterator[ForkedStack]:
    """As `forked`, with everything logged, as JSON."""
    variables = {"OWNKEY_LOG_FORMAT": "json", "OWNKEY_LOG_LEVEL": "debug"}
    running = ForkedStack(launcher, tmp_path / "data", sandbox, **variables)
    yield running
    running.close()
