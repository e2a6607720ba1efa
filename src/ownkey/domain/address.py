"""Where a key is used: its own address, its provider's, or one built from the key's settings; and in which region.

A setting enters an address only as one label of a host name or as one plain word of a path, so that it cannot lead to
another host.

A provider may have several interfaces below one address. Ollama answers at `http://host:11434` in its own format
below `/api` and in others' below `/v1`, and people write any of the three as its address: the first means all
interfaces, the others one each.
"""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

import msgspec

from ownkey.domain.catalogue import KeyCheck, Paths, Provider
from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat

_FIELD = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?")
_REGION = "region"


def base_url_of(provider: Provider, own: str | None, config: Mapping[str, str]) -> str | None:
    """The address of a key whose own is `own`. None when it needs one and has none.

    Raises InvalidRequest for a setting that is not a label of a host name.
    """
    host = provider.hosts.get(config.get(_REGION, ""))
    fixed = own or (host.base_url if host is not None else provider.base_url)
    if fixed is not None or provider.base_url_template is None:
        return fixed
    wanted = _FIELD.findall(provider.base_url_template)
    if any(not config.get(name) for name in wanted):
        return None
    return _FIELD.sub(lambda match: _label(match[1], config[match[1]].lower()), provider.base_url_template)


def needs_of(provider: Provider) -> str:
    """What a key without an address needs, for people."""
    fields = _FIELD.findall(provider.base_url_template or "")
    if provider.hosts:
        fields.append(_REGION)
    return " or ".join(["base_url", *(f"config.{name}" for name in fields)])


def settings_of(provider: Provider) -> tuple[str, ...]:
    """The names in a key's `config` that mean something to this provider's address, paths and tokens."""
    names = _FIELD.findall(provider.base_url_template or "") + list(provider.paths_with)
    names += provider.token.requires if provider.token is not None else ()
    names += [_REGION] if provider.eu_regions or provider.hosts else []
    return tuple(dict.fromkeys(names))


def is_users_choice(provider: Provider, own: str | None) -> bool:
    """Whether whoever stored the key chose the host it is used at, or a part of its name."""
    return own is not None or (provider.base_url is None and provider.base_url_template is not None)


def with_settings(provider: Provider, config: Mapping[str, str]) -> Provider:
    """The provider as a key with these settings sees it: the paths and the key check they select. Raises InvalidRequest
    for a setting that cannot be part of a path.
    """
    for name, paths in provider.paths_with.items():
        if config.get(name):
            endpoints = {format_: filled(path, {name: config[name]}) for format_, path in paths.endpoints.items()}
            return msgspec.structs.replace(provider, endpoints=endpoints, check=_check(paths, name, config[name]))
    return provider


def _check(paths: Paths, name: str, value: str) -> KeyCheck | None:
    check = paths.check
    return check and msgspec.structs.replace(check, url=filled(check.url, {name: value}))


def filled(text: str, config: Mapping[str, str]) -> str:
    """`text` with the named settings in place, the others left as they are. Raises InvalidRequest."""
    return _FIELD.sub(lambda match: _word(match[1], config[match[1]]) if match[1] in config else match[0], text)


def region_of(provider: Provider, base_url: str | None, config: Mapping[str, str]) -> str | None:
    """The region a key is used in: what the host's name says, else the key's setting."""
    template = provider.base_url_template
    if template is not None and base_url is not None and f"{{{_REGION}}}" in template:
        pattern = _FIELD.sub(lambda match: f"(?P<{match[1]}>{_LABEL.pattern})", _escaped(template))
        match = re.fullmatch(f"{pattern}(?:/.*)?", base_url)
        if match is not None:
            return match[_REGION]
    return config.get(_REGION, "").lower() or None


def outside_eu(
    provider: Provider, model: str, own: str | None, config: Mapping[str, str], *, by_operator: bool = False
) -> str | None:
    """Why a key of a regional provider does not promise processing in the EU; None when it does.

    Of a key's own address nothing is known unless it is one of the provider's, or the operator stored the key
    and answers for it.
    """
    if own is not None and not by_operator and not _is_providers(provider, own):
        return "where the key's own address processes is not known"
    region = region_of(provider, base_url_of(provider, own, config), config)
    if region is None:
        return f"the key names no region of {provider.title} (config.region)"
    if region not in provider.eu_regions:
        return f"the key's region {region} of {provider.title} is not known to lie in the EU"
    if any(fnmatchcase(model, pattern) for pattern in provider.roaming_models):
        return f"{provider.title} may process {model} in other regions than the key's"
    return None


def _is_providers(provider: Provider, own: str) -> bool:
    if provider.base_url_template is None:
        return False
    pattern = _FIELD.sub(lambda _: _LABEL.pattern, _escaped(provider.base_url_template))
    return re.fullmatch(f"{pattern}(?:/.*)?", own) is not None


def _escaped(template: str) -> str:
    """The template as a regular expression, its braces left for the fields."""
    return re.escape(template).replace(r"\{", "{").replace(r"\}", "}")


def _label(name: str, value: str) -> str:
    if _LABEL.fullmatch(value) is None:
        text = f"config.{name} must be one label of a host name: lower-case letters, digits and hyphens."
        raise InvalidRequest(text, param=f"config.{name}")
    return value


def _word(name: str, value: str) -> str:
    if _WORD.fullmatch(value) is None or ".." in value:
        text = f"config.{name} may hold letters, digits, dots, hyphens and underscores only."
        raise InvalidRequest(text, param=f"config.{name}")
    return value


def root_of(provider: Provider, base_url: str) -> str:
    """The address that the paths of `provider.endpoints` and of its key check begin at."""
    return base_url.removesuffix(_end_of(provider, base_url))


def endpoints_at(provider: Provider, base_url: str | None) -> Mapping[WireFormat, str]:
    """The formats served at an address, with their paths below its root."""
    end = "" if base_url is None else _end_of(provider, base_url)
    if not end:
        return provider.endpoints
    served = {format_: path for format_, path in provider.endpoints.items() if path.startswith(f"{end}/")}
    # If a key's settings select other paths altogether, the end of its address says nothing about them.
    return served or provider.endpoints


def _end_of(provider: Provider, base_url: str) -> str:
    return next((end for end in provider.base_url_ends if base_url.endswith(end)), "")
