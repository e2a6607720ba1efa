"""`docs/configuration.md` lists every setting with its default, and settings are read as it says."""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.proof.servers import REPOSITORY

from ownkey.config import ConfigurationError, Settings, load_settings
from ownkey.main.gauges import BookGauges

PAGE = (REPOSITORY / "docs" / "configuration.md").read_text()


def _rows(page: str) -> dict[str, str]:
    """Default by setting."""
    found = re.findall(r"^\| `([a-z_]+)` \| (`[^`]*`|none) \| \S.*\|$", page, re.MULTILINE)
    assert len({name for name, _ in found}) == len(found), "a setting is listed twice"
    return {name: default.strip("`") for name, default in found}


def _shown(value: Any) -> str:
    if value in (None, (), {}):
        return "none"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def test_the_page_lists_every_setting_with_its_default() -> None:
    fields = Settings.model_fields
    assert _rows(PAGE) == {name: _shown(field.get_default(call_default_factory=True)) for name, field in fields.items()}


def test_the_page_lists_every_gauge() -> None:
    source = (REPOSITORY / "src" / "ownkey" / "main" / "gauges.py").read_text()
    gauges = set(re.findall(r'"(ownkey_[a-z_]+)"', source))
    assert BookGauges.__name__ in source
    assert gauges <= set(re.findall(r"`(ownkey_[a-z_]+)`", PAGE))


def test_redis_is_not_yet_supported() -> None:
    with pytest.raises(ConfigurationError, match=r"redis_url.*not yet supported"):
        load_settings({"OWNKEY_REDIS_URL": "redis://localhost"})


def test_every_setting_has_its_variable_and_the_file_its_name(tmp_path: Path) -> None:
    file = tmp_path / "ownkey.toml"
    file.write_text(
        'port = 1\nhost = "::1"\nallow_private_endpoints = ["a:1", "b:2"]\n[platform_keys]\nopenai = "sk-1"\n'
    )
    read = load_settings({"OWNKEY_CONFIG": str(file), "OWNKEY_PORT": "2"}, {"workers": 3, "host": None})
    assert (read.port, read.host, read.workers) == (2, "::1", 3)
    assert read.private_endpoints == {("a", 1), ("b", 2)}
    assert read.platform_keys == {"openai": "sk-1"}
    by_variable = {
        "OWNKEY_ALLOW_PRIVATE_ENDPOINTS": "localhost:11434, [::1]:8000",
        "OWNKEY_PROVIDER_OPENAI_BASE_URL": "http://localhost:1/v1",
        "OWNKEY_PLATFORM_KEY_OPENAI": "sk-2",
        "OWNKEY_MASTER_KEY_PREVIOUS": "a,b",
        "OWNKEY_SANDBOX_URL": "http://localhost:8089/",
        "OWNKEY_API_KEY": "ok_of_the_client",
        "OWNKEY_DATA_DIR": "",
    }
    read = load_settings(by_variable)
    assert read.private_endpoints == {("localhost", 11434), ("::1", 8000)}
    assert read.provider_base_urls == {"openai": "http://localhost:1/v1"}
    assert read.platform_keys == {"openai": "sk-2"}
    assert read.master_key_previous == ("a", "b")
    assert read.sandbox_url == "http://localhost:8089"
    assert read.data_dir == Path(".data")


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("OWNKEY_PROT", "1", "did you mean OWNKEY_PORT?"),
        ("OWNKEY_PORT", "http", "port: "),
        ("OWNKEY_PORT", "70000", "port: "),
        ("OWNKEY_WORKERS", "0", "workers: "),
        ("OWNKEY_SHUTDOWN_GRACE", "inf", "shutdown_grace: "),
        ("OWNKEY_CONNECT_TIMEOUT", "nan", "connect_timeout: "),
        ("OWNKEY_CONNECT_TIMEOUT", "0", "connect_timeout: "),
        ("OWNKEY_LOG_FORMAT", "xml", "log_format: "),
        ("OWNKEY_SANDBOX_URL", "localhost:8089", "sandbox_url: "),
        ("OWNKEY_ALLOW_PRIVATE_ENDPOINTS", "localhost", "host:port"),
        ("OWNKEY_CONFIG", "/no/such/file.toml", "does not exist"),
        ("OWNKEY_CONFIG", "/", "cannot be read"),
    ],
)
def test_a_wrong_setting_is_named(variable: str, value: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        load_settings({variable: value})


@pytest.mark.parametrize("content", ["prot = 1\n", "port 1\n", "port = [1]\n", "\xff\xfe"])
def test_a_wrong_file_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"mine\.toml|port"):
        load_settings({}, file=file)


@pytest.mark.parametrize(
    "name", ["master_key", "admin_password", "platform_keys", "master_key_previous", "database_url"]
)
def test_a_secret_setting_does_not_show_itself(name: str) -> None:
    value: Any = {"openai": "sk-shown"} if name == "platform_keys" else "sk-shown"
    assert "sk-shown" not in repr(Settings(**{name: value}))
    with pytest.raises(ConfigurationError) as refused:
        load_settings({}, {name: {"openai": ["sk-shown"]}})
    assert "sk-shown" not in str(refused.value)


def test_settings_are_frozen_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings({}).port = 1  # type: ignore[misc]
