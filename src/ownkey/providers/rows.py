"""Reading the catalogue's TOML files: provider rows, models and price overrides; and rows moved to another address.

Errors name the file and the field, so that an operator who adds a row finds the error at start-up.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources.abc import Traversable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, structs

from ownkey.domain.address import filled
from ownkey.domain.catalogue import KeyCheck, Model, Provider
from ownkey.domain.facts import FactRow, FactsError, check_rows
from ownkey.domain.formats import WireFormat

T = TypeVar("T")

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class CatalogueError(ValueError):
    """A catalogue file cannot be used; the text names the file and the field."""


class ProviderRow(Provider, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A provider as its file describes it. `example_base_url` shows the address that a key needs where `base_url` is
    None.

    `facts_from` names providers that serve the same models: their facts hold here too.
    """

    base_url: str | None = None
    example_base_url: str | None = None
    facts: tuple[FactRow, ...] = ()
    facts_from: tuple[str, ...] = ()


class ModelRow(Model, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A curated model. An empty string in `upstream_ids` says that this provider does not serve it."""


class OverrideTier(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The prices of an override for inputs of more than `above` tokens."""

    above: int
    input: str
    output: str
    cached_input: str | None = None
    cache_write: str | None = None


class PriceOverride(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price that replaces the price list's, in USD per million tokens as decimal strings.

    `model` is a pattern (fnmatch) of the provider's own model ids; `reason` says why the list is not followed.
    """

    provider: str
    model: str
    reason: str
    input: str
    output: str
    cached_input: str | None = None
    cache_write: str | None = None
    tiers: list[OverrideTier] = []


class ModelFile(Struct, frozen=True, forbid_unknown_fields=True):
    """models.toml."""

    models: list[ModelRow]


class OverrideFile(Struct, frozen=True, forbid_unknown_fields=True):
    """price_overrides.toml."""

    overrides: list[PriceOverride] = []


def read_providers(folder: Traversable) -> list[ProviderRow]:
    """All provider rows of a folder, by name. Raises CatalogueError."""
    if not folder.is_dir():
        raise CatalogueError(f"{folder} is not a folder of provider files")
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name)
    return [read_provider(file) for file in files]


def read_provider(file: Traversable) -> ProviderRow:
    """One provider row. Raises CatalogueError naming the file and the field."""
    row = read_toml(file, ProviderRow)
    for field, name in (("name", row.name), *(("aliases", alias) for alias in row.aliases)):
        if not _NAME.fullmatch(name):
            raise CatalogueError(f"{file}: {field}: {name!r} must be lower-case letters, digits, - and _")
    _check_addresses(file, row)
    for end in row.base_url_ends:
        if not end.startswith("/"):
            raise CatalogueError(f"{file}: base_url_ends: {end!r} must start with a slash")
    for where, endpoints in _all_endpoints(row):
        for format_, path in endpoints.items():
            if not path.startswith("/"):
                raise CatalogueError(f"{file}: {where}.{format_.value}: {path!r} must start with a slash")
    if "" in row.key_prefixes:
        raise CatalogueError(f"{file}: key_prefixes: a prefix must not be empty")
    try:
        re.compile(row.key_pattern)
    except re.error as error:
        raise CatalogueError(f"{file}: key_pattern: {error}") from error
    try:
        check_rows(row.facts)
    except FactsError as error:
        raise CatalogueError(f"{file}: {error}") from error
    return row


def _check_addresses(file: Traversable, row: ProviderRow) -> None:
    if row.base_url is not None:
        _require_url(file, "base_url", row.base_url)
    if row.check is not None and "://" in row.check.url:
        _require_url(file, "check.url", row.check.url)
    for region, host in row.hosts.items():
        _require_url(file, f"hosts.{region}.base_url", host.base_url)
        if host.surcharge_percent < 0:
            raise CatalogueError(f"{file}: hosts.{region}.surcharge_percent: must not be negative")
    for end in row.base_url_ends:
        if not any(path.startswith(f"{end}/") for path in row.endpoints.values()):
            raise CatalogueError(f"{file}: base_url_ends: no endpoint begins with {end!r}")
    if row.base_url_template is not None:
        _require_url(file, "base_url_template", filled(row.base_url_template, _Anything()))
    if row.token is not None:
        _require_url(file, "token.url", filled(row.token.url, _Anything()))


class _Anything(dict[str, str]):
    """Settings of every name, to look at a template with."""

    def __contains__(self, _name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return "x"


def _all_endpoints(row: Provider) -> Iterator[tuple[str, dict[WireFormat, str]]]:
    yield "endpoints", row.endpoints
    for name, paths in row.paths_with.items():
        yield f"paths_with.{name}.endpoints", paths.endpoints


def read_toml(file: Traversable, type_: type[T]) -> T:
    """The file's content as `type_`. Raises CatalogueError."""
    try:
        content: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        return msgspec.convert(content, type_)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise CatalogueError(f"{file}: {error}") from error
    except msgspec.ValidationError as error:
        raise CatalogueError(f"{file}: {error}") from error


def unique_by_name(rows: Iterable[ProviderRow]) -> dict[str, ProviderRow]:
    """Rows by name; a later row replaces an earlier one, so that an operator's file can correct ours.

    A row that states no facts keeps those of the row it replaces.
    """
    found: dict[str, ProviderRow] = {}
    for row in rows:
        former = found.get(row.name)
        if former is None or row.facts:
            found[row.name] = row
        else:
            found[row.name] = structs.replace(row, facts=former.facts, facts_from=former.facts_from)
    return found


def names_by_alias(rows: Mapping[str, ProviderRow]) -> dict[str, str]:
    """Alias → provider's name. A provider of that very name comes first. Raises CatalogueError for one alias of two."""
    found: dict[str, str] = {}
    for row in rows.values():
        for alias in row.aliases:
            if alias in found:
                raise CatalogueError(f"{row.name}: aliases: {alias!r} is an alias of {found[alias]!r} already")
            if alias not in rows:
                found[alias] = row.name
    return found


def all_facts(rows: Mapping[str, ProviderRow]) -> dict[str, tuple[FactRow, ...]]:
    """Each provider's facts, with those it has from others. Raises CatalogueError."""
    found: dict[str, tuple[FactRow, ...]] = {}
    for name, row in rows.items():
        facts = row.facts
        for other in row.facts_from:
            if other not in rows:
                raise CatalogueError(f"{name}: facts_from: there is no provider {other!r}")
            facts += rows[other].facts
        if row.facts_from:
            try:
                check_rows(facts)
            except FactsError as error:
                raise CatalogueError(f"{name} with the facts of {', '.join(row.facts_from)}: {error}") from error
        found[name] = facts
    return found


def _require_url(file: Traversable, field: str, url: str) -> None:
    problem = url_problem(url)
    if problem:
        raise CatalogueError(f"{file}: {field}: {problem}")


_URL = re.compile(r"https?://(?P<authority>[^/?#\s]+)(?P<path>/[^?#\s]*)?")


def url_problem(url: str) -> str | None:
    """Why `url` cannot be a provider's address, or None when it can. It must be absolute, without query or userinfo."""
    match = _URL.fullmatch(url)
    if match is None:
        return f"{url!r} must be an http or https address without query and fragment"
    if "@" in match["authority"]:
        return "an address carries no user name or password"
    return None


def join_url(base_url: str, relative: str) -> str:
    """`relative` below `base_url`; each leading `../` leaves one segment of the base's path, never the host."""
    scheme, _, rest = base_url.rstrip("/").partition("://")
    segments = rest.split("/")
    while relative.startswith("../"):
        relative = relative[3:]
        if len(segments) > 1:
            segments.pop()
    return f"{scheme}://{'/'.join(segments)}/{relative.lstrip('/')}"


def check_url(check: KeyCheck, base_url: str) -> str:
    """The absolute address of a key check for a key used at `base_url`."""
    return check.url if is_absolute(check.url) else join_url(base_url, check.url)


def is_absolute(url: str) -> bool:
    return "://" in url


def moved_to(row: ProviderRow, base_url: str) -> ProviderRow:
    """The provider at an address the operator chose. Its regions' addresses and a check on another host are left out:
    the key goes only there."""
    check = row.check
    if check is not None and is_absolute(check.url):
        check = None
    return structs.replace(row, base_url=base_url.rstrip("/"), check=check, hosts={})


def moved_to_sandbox(row: ProviderRow, sandbox_url: str) -> ProviderRow:
    """The provider as the sandbox serves it: `<sandbox>/<name>` and the path of the provider's real address.

    An address in a region has the region's name between the two.
    """
    root = f"{sandbox_url.rstrip('/')}/{row.name}"
    real = row.base_url or row.example_base_url or "https://example.com/v1"
    check = row.check
    if check is not None and is_absolute(check.url):
        check = structs.replace(check, url=root + urlsplit(check.url).path)
    hosts = {
        region: structs.replace(host, base_url=f"{root}/{region}{urlsplit(host.base_url).path.rstrip('/')}")
        for region, host in row.hosts.items()
    }
    token = row.token
    if token is not None:
        token = structs.replace(token, url=root + urlsplit(token.url).path)
    return structs.replace(row, base_url=root + urlsplit(real).path.rstrip("/"), check=check, hosts=hosts, token=token)
