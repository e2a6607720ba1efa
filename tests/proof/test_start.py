"""A server that cannot start says why in one line, ends with a status, and changes nothing."""

import base64
import os
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.proof.servers import Command, Forked, Launcher

Prepare = Callable[[Path], dict[str, str]]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture(scope="module")
def installation(launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a server that ran and was stopped."""
    folder = tmp_path_factory.mktemp("installation") / "data"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Forked(launcher, {"OWNKEY_DATA_DIR": str(folder)}, listener)
        server.wait_until_ready()
        assert server.stop() == 0, server.log
    return folder


def _master_key_gone(folder: Path) -> dict[str, str]:
    (folder / "master.key").unlink()
    return {}


def _another_master_key(folder: Path) -> dict[str, str]:
    return {"OWNKEY_MASTER_KEY": base64.b64encode(os.urandom(32)).decode()}


def _malformed_master_key(folder: Path) -> dict[str, str]:
    return {"OWNKEY_MASTER_KEY": "c2hvcnQ="}


def _master_key_for_everybody(folder: Path) -> dict[str, str]:
    (folder / "master.key").chmod(0o644)
    return {}


def _master_key_of_a_newer_version(folder: Path) -> dict[str, str]:
    path = folder / "master.key"
    path.write_text(path.read_text().replace("format 1", "format 2"))
    return {}


def _master_key_cut_off(folder: Path) -> dict[str, str]:
    path = folder / "master.key"
    path.write_text(path.read_text().removesuffix("end\n"))
    return {}


def _newer_database(folder: Path) -> dict[str, str]:
    with closing(sqlite3.connect(folder / "ownkey.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    return {}


def _no_database_file(folder: Path) -> dict[str, str]:
    for path in folder.glob("ownkey.db*"):
        path.unlink()
    (folder / "ownkey.db").write_bytes(b"this is not a database" * 100)
    return {}


def _misspelt_database_url(folder: Path) -> dict[str, str]:
    return {"OWNKEY_DATABASE_URL": "postgre://me:hunter2secret@db/ownkey"}


def _database_away(folder: Path) -> dict[str, str]:
    return {"OWNKEY_DATABASE_URL": "postgresql://me:hunter2secret@127.0.0.1:1/ownkey"}


def _broken_provider_row(folder: Path) -> dict[str, str]:
    rows = folder / "rows"
    rows.mkdir()
    (rows / "mine.toml").write_text('name = "mine"\nbase_ulr = "https://example.com"\n')
    return {"OWNKEY_PROVIDER_DIRS": str(rows)}


def _data_dir_below_a_file(folder: Path) -> dict[str, str]:
    return {"OWNKEY_DATA_DIR": str(folder / "ownkey.db" / "data")}


def _workers_on_sqlite(folder: Path) -> dict[str, str]:
    return {"OWNKEY_WORKERS": "2"}


def _unknown_variable(folder: Path) -> dict[str, str]:
    return {"OWNKEY_DATADIR": "/somewhere"}


def _weak_operator_password(folder: Path) -> dict[str, str]:
    return {"OWNKEY_ADMIN_EMAIL": "operator@example.com", "OWNKEY_ADMIN_PASSWORD": "short"}


def _platform_key_of_no_provider(folder: Path) -> dict[str, str]:
    return {"OWNKEY_PLATFORM_KEY_NOBODY": "sk-hunter2secret"}


def _proxy_without_a_port(folder: Path) -> dict[str, str]:
    return {"OWNKEY_EGRESS_PROXY": "http://me:hunter2secret@proxy"}


def _exception_that_is_none(folder: Path) -> dict[str, str]:
    return {"OWNKEY_EGRESS_PROXY": "http://me:hunter2secret@proxy:3128", "OWNKEY_EGRESS_PROXY_EXCEPT": "10.0.0.5/8"}


def _no_authorities(folder: Path) -> dict[str, str]:
    return {"OWNKEY_UPSTREAM_CA_FILE": str(folder / "absent.pem")}


def _authorities_that_are_none(folder: Path) -> dict[str, str]:
    return {"OWNKEY_UPSTREAM_CA_FILE": str(folder / "master.key")}


def _two_platform_keys_in_one(folder: Path) -> dict[str, str]:
    return {"OWNKEY_PLATFORM_KEY_GROQ": "gsk_hunter2secret\ngsk_hunter2secret2"}


def _platform_keys_that_differ(folder: Path) -> dict[str, str]:
    return {"OWNKEY_PLATFORM_KEY_GEMINI": "AIzahunter2secret", "OWNKEY_PLATFORM_KEY_GOOGLE": "AIzahunter2secret2"}


@pytest.mark.parametrize(
    ("prepare", "status", "told"),
    [
        (_master_key_gone, 1, "encrypted under the master key"),
        (_another_master_key, 1, "encrypted under the master key"),
        (_malformed_master_key, 1, "OWNKEY_MASTER_KEY"),
        (_master_key_for_everybody, 1, "master.key"),
        (_master_key_of_a_newer_version, 1, "newer Ownkey"),
        (_master_key_cut_off, 1, "cut off"),
        (_newer_database, 1, "newer Ownkey"),
        (_no_database_file, 1, "ownkey.db"),
        (_misspelt_database_url, 2, "postgresql://user:password@host/name"),
        (_database_away, 1, "127.0.0.1:1"),
        (_broken_provider_row, 2, "base_ulr"),
        (_data_dir_below_a_file, 2, "cannot be created"),
        (_workers_on_sqlite, 2, "Postgres"),
        (_unknown_variable, 2, "did you mean OWNKEY_DATA_DIR?"),
        (_weak_operator_password, 2, "10 to 1024 characters"),
        (_platform_key_of_no_provider, 2, "OWNKEY_PLATFORM_KEY_NOBODY"),
        (_proxy_without_a_port, 2, "egress_proxy: Write the proxy as http://host:port"),
        (_exception_that_is_none, 2, "egress_proxy_except: '10.0.0.5/8'"),
        (_no_authorities, 2, "absent.pem cannot be read: No such file or directory"),
        (_authorities_that_are_none, 2, "master.key holds no certificate in PEM"),
        (_two_platform_keys_in_one, 2, "OWNKEY_PLATFORM_KEY_GROQ: The text has 2 lines"),
        (_platform_keys_that_differ, 2, "another key in another variable"),
    ],
)
def test_a_refused_start_is_told_in_one_line(
    launcher: Launcher,
    installation: Path,
    listener: socket.socket,
    tmp_path: Path,
    prepare: Prepare,
    status: int,
    told: str,
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(installation, folder)
    variables = prepare(folder)
    server = Forked(launcher, {"OWNKEY_DATA_DIR": str(folder)} | variables, listener)
    text = server.output.wait_for_end()
    assert (server.wait(), len(text.splitlines())) == (status, 1), text
    assert text.startswith("ownkey: ")
    assert told in text
    assert "hunter2secret" not in text
    assert list((folder / "journal").glob("run-*")) == []


def test_a_taken_port_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = Command("serve", "--port", port, "--data-dir", str(tmp_path / "data"))
        assert command.wait() == 2
    assert command.output.text == f"ownkey: port {port} is taken on 127.0.0.1: choose another with --port\n"
    assert not (tmp_path / "data").exists()


def test_the_command_ends_as_the_server_does(tmp_path: Path) -> None:
    (tmp_path / "master.key").write_text("nothing of ours\n")
    (tmp_path / "master.key").chmod(0o600)
    command = Command("serve", "--port", "0", "--data-dir", str(tmp_path))
    assert command.wait() == 1
    assert command.output.text.startswith("ownkey: ")
    assert len(command.output.text.splitlines()) == 1


def test_a_damaged_library_that_is_needed_later_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("import none_such\n")
    command = Command("serve", "--port", "0", "--data-dir", str(tmp_path / "data"), PYTHONPATH=str(tmp_path))
    assert command.wait() == 1
    told = "a library cannot be loaded: numpy (No module named 'none_such'). Install Ownkey again with its dependencies"
    assert command.output.text == f"ownkey: {told}\n"


def test_a_stop_during_the_start_ends_it_with_status_0(
    launcher: Launcher, listener: socket.socket, tmp_path: Path
) -> None:
    # A database that takes the connection and says nothing.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/ownkey"
        variables = {"OWNKEY_DATA_DIR": str(tmp_path), "OWNKEY_DATABASE_URL": url}
        server = Forked(launcher, variables, listener)
        connected, _ = silent.accept()
        assert server.stop() == 0, server.log
        connected.close()


def test_a_data_directory_that_cannot_be_written_is_told(launcher: Launcher, listener: socket.socket) -> None:
    # Not below tmp_path, whose parents another user may not enter.
    with TemporaryDirectory(prefix="ownkey-unwritable-") as folder:
        Path(folder).chmod(0o555)
        # Root may write everywhere; nobody may not.
        server = Forked(launcher, {"OWNKEY_DATA_DIR": folder}, listener, user=65534 if os.geteuid() == 0 else None)
        text = server.output.wait_for_end()
        assert server.wait() == 2, text
        assert text == f"ownkey: the data directory {folder} cannot be written by this user\n"
