"""Settings: defaults, then `ownkey.toml`, then `OWNKEY_*` variables, then command-line options.

Frozen once read. Unknown keys in the file are refused; unknown `OWNKEY_` variables are refused too,
because a misspelt variable that is silently ignored can leave a server open.
"""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from ownkey.domain.networks import proxy_problem

_PROVIDER_URL = ("OWNKEY_PROVIDER_", "_BASE_URL")
_PLATFORM_KEY = "OWNKEY_PLATFORM_KEY_"
_CLIENT_VARIABLES = frozenset({"OWNKEY_URL", "OWNKEY_API_KEY", "OWNKEY_CONFIG"})


class ConfigurationError(Exception):
    """A setting is unknown or wrong; the text says which and where it was read."""


def _words(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]


class Settings(BaseModel):
    """All of the server's settings. Durations are in seconds, sizes in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    data_dir: Path = Path(".data")
    workers: int = Field(1, ge=1, le=256)
    database_url: str | None = Field(None, repr=False)
    redis_url: str | None = None
    master_key: str | None = Field(None, repr=False)
    master_key_previous: Words = Field((), repr=False)
    admin_email: str | None = None
    admin_password: str | None = Field(None, repr=False)
    sandbox_url: str | None = None
    allow_private_endpoints: Words = ()
    provider_dirs: Words = ()
    provider_base_urls: dict[str, str] = {}
    platform_keys: dict[str, str] = Field({}, repr=False)
    upstream_ca_file: Path | None = None
    egress_proxy: str | None = Field(None, repr=False)
    egress_proxy_except: Words = ()
    public_url: str | None = None
    trusted_proxies: Words = ()
    body_limit: int = Field(32 * 1024 * 1024, ge=1024)
    connect_timeout: float = Field(5.0, gt=0)
    first_byte_timeout: float = Field(300.0, gt=0)
    idle_timeout: float = Field(300.0, gt=0)
    total_timeout: float = Field(3600.0, gt=0)
    stream_ping_interval: float = Field(15.0, gt=0)
    upstream_connections: int = Field(4096, ge=1)
    journal_fsync_interval: float = Field(0.2, ge=0)
    usage_retention_days: int = Field(400, ge=1)
    response_retention_days: int = Field(30, ge=0)
    response_size_limit: int = Field(8 * 1024 * 1024, ge=1024)
    secret_lifetime: float = Field(300.0, gt=0, le=3600)
    shutdown_notice: float = Field(0.0, ge=0)
    shutdown_grace: float = Field(30.0, ge=0)
    workbench_takeover: float = Field(120.0, ge=2)
    log_format: str = Field("text", pattern="^(text|json)$")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$")

    @field_validator("redis_url")
    @classmethod
    def _not_yet(cls, value: str | None) -> None:
        if value is not None:
            raise ValueError("not yet supported: leave it out, limits are kept in the database")

    @field_validator("allow_private_endpoints")
    @classmethod
    def _host_and_port(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            host, colon, port = entry.rpartition(":")
            if not colon or not host or not port.isdigit():
                raise ValueError(f"{entry!r} is not host:port, for example localhost:11434")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            if problem := proxy_problem(entry):
                raise ValueError(problem)
        return value

    @field_validator("sandbox_url", "public_url")
    @classmethod
    def _http_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/") if value else None

    @property
    def database(self) -> str:
        """The database URL; embedded SQLite in the data directory unless one is set."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'ownkey.db'}"

    @property
    def private_endpoints(self) -> frozenset[tuple[str, int]]:
        pairs = (entry.rpartition(":") for entry in self.allow_private_endpoints)
        return frozenset((host.strip("[]").lower(), int(port)) for host, _, port in pairs)


def load_settings(
    environment: Mapping[str, str], overrides: Mapping[str, Any] | None = None, file: Path | None = None
) -> Settings:
    """Read the settings. Raises ConfigurationError with the name of the offending setting."""
    named = environment.get("OWNKEY_CONFIG")
    path = file or (Path(named) if named else None)
    values: dict[str, Any] = _read_file(path) if path else {}
    values |= _read_environment(environment)
    values |= {key: value for key, value in (overrides or {}).items() if value is not None}
    try:
        return Settings(**values)
    except ValidationError as error:
        lines = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_input=False))
        raise ConfigurationError("wrong settings: " + "; ".join(lines)) from None


def _read_file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"the settings file {path} does not exist") from None
    except OSError as error:
        raise ConfigurationError(f"the settings file {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from None
    for key in values:
        if key not in Settings.model_fields:
            raise ConfigurationError(f"{path}: unknown setting {key!r}{_nearest(key, Settings.model_fields)}")
    return values


def _read_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    base_urls: dict[str, str] = {}
    platform_keys: dict[str, str] = {}
    known = {f"OWNKEY_{name.upper()}": name for name in Settings.model_fields}
    for variable, text in environment.items():
        if not variable.startswith("OWNKEY_") or not text:
            continue
        start, end = _PROVIDER_URL
        if variable.startswith(start) and variable.endswith(end):
            base_urls[variable[len(start) : -len(end)].lower()] = text
        elif variable.startswith(_PLATFORM_KEY):
            platform_keys[variable[len(_PLATFORM_KEY) :].lower()] = text
        elif variable in known:
            values[known[variable]] = text
        elif variable not in _CLIENT_VARIABLES:
            raise ConfigurationError(f"unknown variable {variable}{_nearest(variable, known)}")
    if base_urls:
        values["provider_base_urls"] = base_urls
    if platform_keys:
        values["platform_keys"] = platform_keys
    return values


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
