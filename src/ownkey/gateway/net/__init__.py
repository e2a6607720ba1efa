"""The upstream HTTP/1.1 client: where a request may go, and how it gets there.

target.py, host.py       a URL, parsed once by one strict parser
addresses.py, guard.py   which addresses it may reach
resolver.py, tls.py      names and certificates
dial.py                  a connection to a checked address
egress.py, tunnel.py     through the operator's proxy
pool.py                  connections kept per origin
connection.py            one exchange at a time on one connection
parsing.py, exchange.py  response bytes into a response
request.py, response.py  what the caller gives and gets
client.py                the whole
"""

from ownkey.gateway.net.client import UpstreamClient
from ownkey.gateway.net.egress import EgressProxy
from ownkey.gateway.net.errors import (
    AddressBlocked,
    ConnectFailed,
    ConnectionLost,
    NetError,
    ProtocolViolation,
    ProxyFailed,
    ResponseTooLarge,
    Stage,
    TimedOut,
    TlsFailed,
)
from ownkey.gateway.net.guard import AddressGuard
from ownkey.gateway.net.request import HeadEncoder, UpstreamRequest
from ownkey.gateway.net.response import UpstreamResponse, Waiter
from ownkey.gateway.net.settings import NetSettings, Timeouts
from ownkey.gateway.net.target import Target

__all__ = [
    "AddressBlocked",
    "AddressGuard",
    "ConnectFailed",
    "ConnectionLost",
    "EgressProxy",
    "HeadEncoder",
    "NetError",
    "NetSettings",
    "ProtocolViolation",
    "ProxyFailed",
    "ResponseTooLarge",
    "Stage",
    "Target",
    "TimedOut",
    "Timeouts",
    "TlsFailed",
    "UpstreamClient",
    "UpstreamRequest",
    "UpstreamResponse",
    "Waiter",
]
