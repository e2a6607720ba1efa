"""No command imports what it does not need: a person waits for each import."""

import json
import subprocess
import sys

LIST = "import json, sys; {}; print(json.dumps(sorted(sys.modules)))"


def imported(statement: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", LIST.format(statement)], capture_output=True, check=True, timeout=60)
    return set(json.loads(done.stdout))


def test_the_command_line_itself_is_light() -> None:
    heavy = {
        "httpx2",
        "rich",
        "pydantic",
        "fastapi",
        "sqlalchemy",
        "cryptography",
        "argon2",
        "alembic",
        "structlog",
        "uvicorn",
        "msgspec",
        "numpy",
    }
    assert not heavy & imported("import ownkey.cli")


def test_a_workbench_run_needs_neither_statistics_nor_durable_jobs() -> None:
    parts = "import ownkey.cli.workbench.start, ownkey.cli.workbench.report, ownkey.cli.bench.execution"
    assert not {"numpy", "scipy", "dbos", "re2", "yaml", "jsonschema_rs", "fastapi"} & imported(parts)


def test_a_server_starts_without_what_it_may_never_need() -> None:
    later = {"httpx2", "typer", "alembic", "argon2", "genai_prices"}
    assert not later & imported("import ownkey.main.server")


def test_a_client_command_needs_no_server_parts() -> None:
    heavy = {"pydantic", "fastapi", "sqlalchemy", "cryptography", "argon2", "uvicorn", "asyncpg"}
    assert not heavy & imported("from ownkey.cli.client import Client; Client('http://127.0.0.1:9')")
