"""The way out to the providers, as the operator's settings describe it."""

import ssl
from collections.abc import Mapping

from ownkey.config import ConfigurationError, Settings
from ownkey.domain.errors import InvalidRequest
from ownkey.gateway.net import AddressGuard, EgressProxy, NetSettings, UpstreamClient
from ownkey.gateway.net.tls import client_context

_PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def open_client(settings: Settings, guard: AddressGuard) -> UpstreamClient:
    """The upstream client with the operator's limits, proxy and authorities. Raises ConfigurationError."""
    net = NetSettings(
        connect_timeout=settings.connect_timeout,
        first_byte_timeout=settings.first_byte_timeout,
        idle_timeout=settings.idle_timeout,
        total_timeout=settings.total_timeout,
        max_connections_per_origin=settings.upstream_connections,
        egress_proxy=egress_proxy(settings),
    )
    return UpstreamClient(guard, net, tls=_tls(settings))


def egress_proxy(settings: Settings) -> EgressProxy | None:
    """The proxy that is set. Raises ConfigurationError, which does not quote it."""
    if not settings.egress_proxy:
        if settings.egress_proxy_except:
            raise ConfigurationError(
                "egress_proxy_except: there is no egress_proxy to make exceptions from: set it too"
            )
        return None
    try:
        return EgressProxy.of(settings.egress_proxy, settings.egress_proxy_except)
    except InvalidRequest as error:
        raise ConfigurationError(f"{error.param}: {error.public}") from None


def network_lines(settings: Settings, environment: Mapping[str, str]) -> list[str]:
    """What the start-up text says of the way out."""
    proxy = egress_proxy(settings)
    if proxy is not None:
        return [f"Providers are reached through the egress proxy {proxy.label}."]
    ignored = [name for name in _PROXY_VARIABLES if environment.get(name) or environment.get(name.lower())]
    if not ignored:
        return []
    names = ", ".join(ignored)
    return [f"{names} of the environment is not used: set OWNKEY_EGRESS_PROXY to reach providers through a proxy."]


def _tls(settings: Settings) -> ssl.SSLContext:
    try:
        return client_context(settings.upstream_ca_file)
    except ssl.SSLError:
        raise ConfigurationError(f"upstream_ca_file: {settings.upstream_ca_file} holds no certificate in PEM") from None
    except OSError as error:
        text = f"upstream_ca_file: {settings.upstream_ca_file} cannot be read: {error.strerror}"
        raise ConfigurationError(text) from None
