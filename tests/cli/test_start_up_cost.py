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
    assert not {"numpy", "scipy", "ownkey.jobs", "re2", "yaml", "jsonschema_rs", "fastapi"} & imported(parts)


def test_a_server_starts_without_what_it_may_never_need() -> None:
    # What a request path or a background task needs is loaded before the server is ready, as an import may fail when
    # descriptors run out. These wait: the other engine's driver, a migration before readiness, the first password,
    # and what only work on the workbench needs, where a failure ends that piece of work. `main/libraries.py` has loaded
    # the last two in another process by then.
    driver_and_migrations = {"asyncpg", "psycopg", "alembic"}
    one_password = {"argon2"}
    workbench = {"numpy", "scipy", "re2", "yaml", "jsonschema_rs", "jinja2", "dbos"}
    commands = {"httpx2", "typer", "genai_prices"}
    later = driver_and_migrations | one_password | workbench | commands
    assert not later & imported("import ownkey.main.server")


def test_a_client_command_needs_no_server_parts() -> None:
    heavy = {"pydantic", "fastapi", "sqlalchemy", "cryptography", "argon2", "uvicorn", "asyncpg"}
    assert not heavy & imported("from ownkey.cli.client import Client; Client('http://127.0.0.1:9')")
