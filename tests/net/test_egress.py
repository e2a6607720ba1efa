"""Connections through the operator's egress proxy, and the address rules that hold there too."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import pytest
import trustme
from msgspec.structs import replace
from tests.net.connect_proxy import ConnectProxy
from tests.net.hostile import QUICK, SHORT, HostileServer, Peer, ask, canary, client_of, sized

from ownkey.domain.errors import InvalidRequest
from ownkey.gateway.net import (
    AddressBlocked,
    ConnectFailed,
    EgressProxy,
    NetSettings,
    ProxyFailed,
    Target,
    TimedOut,
    TlsFailed,
)
from ownkey.gateway.net.tls import client_context

NAME = "api.example.com"


def through(proxy: HostileServer, user: str = "", *exceptions: str, connect_timeout: float = 60) -> NetSettings:
    url = f"http://{user}{'@' if user else ''}127.0.0.1:{proxy.port}"
    return replace(QUICK, egress_proxy=EgressProxy.of(url, exceptions), connect_timeout=connect_timeout)


async def hello(peer: Peer) -> None:
    while True:
        await peer.answer(sized(b"hello"))


async def unresolved(host: str, port: int) -> list[str]:
    raise OSError("this network knows no names")


async def public(host: str, port: int) -> list[str]:
    return ["2606:4700::1111", "1.1.1.1"]


async def test_the_operators_addresses_go_by_name_and_need_no_resolver_here() -> None:
    async with (
        HostileServer(hello) as server,
        ConnectProxy({f"{NAME}:{server.port}": server.port}) as proxy,
        client_of(settings=through(proxy), resolver=unresolved) as client,
    ):
        for _ in range(3):
            assert await (await client.send(ask(server, host=NAME))).read(10) == b"hello"
        assert proxy.asked == [f"{NAME}:{server.port}"], "the connection is kept"
        assert b"proxy-authorization" not in proxy.heads[0]


async def test_tls_runs_inside_the_tunnel_and_verifies_the_providers_name() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(context)
    trusting = client_context()
    authority.configure_trust(trusting)
    async with HostileServer(hello, context) as server:
        places = {f"{NAME}:{server.port}": server.port, f"other.example.com:{server.port}": server.port}
        async with (
            ConnectProxy(places) as proxy,
            client_of(settings=through(proxy), resolver=unresolved, tls=trusting) as client,
        ):
            assert await (await client.send(ask(server, host=NAME))).read(10) == b"hello"
            with pytest.raises(TlsFailed):
                await client.send(ask(server, host="other.example.com"))
            assert b"hello" not in b"".join(proxy.heads)


async def test_credentials_are_sent_to_the_proxy_and_not_to_the_provider() -> None:
    heard: list[bytes] = []

    async def listen(peer: Peer) -> None:
        heard.append(await peer.answer(sized(b"hello")))

    async with (
        HostileServer(listen) as server,
        ConnectProxy({f"{NAME}:{server.port}": server.port}, user="us er:p@ss:canary/ü") as proxy,
        client_of(settings=through(proxy, "us%20er:p%40ss:canary%2F%C3%BC"), resolver=unresolved) as client,
    ):
        assert await (await client.send(ask(server, host=NAME))).read(10) == b"hello"
    assert b"proxy-authorization" not in heard[0].lower()


async def test_a_users_address_is_resolved_and_checked_here_and_goes_by_number() -> None:
    async with (
        HostileServer(hello) as server,
        ConnectProxy({f"1.1.1.1:{server.port}": server.port}) as proxy,
        client_of(settings=through(proxy), resolver=public) as client,
    ):
        answer = await client.send(ask(server, host=NAME, trusted=False))
        assert await answer.read(10) == b"hello"
        asked = [f"[2606:4700::1111]:{server.port}", f"1.1.1.1:{server.port}"]
        assert proxy.asked == asked, "an address that the proxy does not reach is followed by the next"


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe"]
)
async def test_a_users_name_for_a_private_address_reaches_no_proxy(address: str) -> None:
    async def private(host: str, port: int) -> list[str]:
        return ["1.1.1.1", address]

    async with canary() as proxy, client_of(settings=through(proxy), resolver=private) as client:
        with pytest.raises(AddressBlocked):
            await client.send(ask(proxy, host=NAME, trusted=False))


async def test_a_users_name_that_resolves_nowhere_here_is_not_left_to_the_proxy() -> None:
    async with canary() as proxy, client_of(settings=through(proxy), resolver=unresolved) as client:
        with pytest.raises(ConnectFailed):
            await client.send(ask(proxy, host=NAME, trusted=False))


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "[fe80::1]"])
async def test_a_forbidden_address_reaches_no_proxy_for_the_operator_either(host: str) -> None:
    async with canary() as proxy, client_of(settings=through(proxy)) as client:
        with pytest.raises(AddressBlocked):
            await client.send(ask(proxy, host=host))


async def test_exceptions_are_reached_directly() -> None:
    async with (
        HostileServer(hello) as server,
        canary() as proxy,
        client_of(settings=through(proxy, "", "127.0.0.0/8")) as client,
    ):
        assert await (await client.send(ask(server))).read(10) == b"hello"


def answering(*pieces: bytes) -> Callable[[Peer], Awaitable[None]]:
    async def script(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.send(*pieces)

    return script


_SPLIT = [bytes([byte]) for byte in b"HTTP/1.1 403 Forbidden\r\n\r\n"]


@pytest.mark.parametrize(
    ("user", "pieces", "told"),
    [
        ("", [b"HTTP/1.1 407 Nope\r\n\r\n"], "asks for a user name and password (407)"),
        ("me:canary", [b"HTTP/1.0 407 Nope\r\n\r\n"], "does not accept its user name and password (407)"),
        ("", [b"HTTP/1.1 403 Forbidden\r\ncontent-length: 6\r\n\r\nCANARY"], f"refused to connect to {NAME}:"),
        ("", _SPLIT, f"refused to connect to {NAME}:"),
        ("", [b"HTTP/1.1 302 Found\r\nlocation: http://login.example\r\n\r\n"], "refused to connect"),
        ("", [b"HTTP/1.1 503 Busy\r\n\r\n"], f"could not connect to {NAME}:"),
        ("", [b"SSH-2.0-canary\r\n"], "did not answer as an HTTP proxy does"),
        ("", [b"HTTP/1.1 canary\r\n\r\n"], "did not answer as an HTTP proxy does"),
        ("", [b"HTTP/1.1 100 Continue\r\n\r\n"], "did not answer as an HTTP proxy does"),
        ("", [b"HTTP/1.1 200 OK\r\n\r\ncanary"], "did not answer as an HTTP proxy does"),
        ("", [b"HTTP/1.1 200 OK\r\nx: " + b"y" * 20_000], "did not answer as an HTTP proxy does"),
        ("", [b"HTTP/1.1 200 OK\r\n"], "did not answer as an HTTP proxy does"),
        ("", [], "did not answer as an HTTP proxy does"),
    ],
)
async def test_what_the_proxy_does_wrong_is_told_with_its_name(user: str, pieces: list[bytes], told: str) -> None:
    async with (
        HostileServer(answering(*pieces)) as proxy,
        client_of(settings=through(proxy, user), resolver=unresolved) as client,
    ):
        with pytest.raises(ProxyFailed) as failed:
            await client.send(ask(proxy, host=NAME))
    text = f"{failed.value.public} {failed.value.operator}"
    assert told in failed.value.public
    assert f"The egress proxy 127.0.0.1:{proxy.port} " in failed.value.public
    assert "canary" not in text.lower()
    assert not failed.value.sent


async def test_a_proxy_that_is_not_there_is_told() -> None:
    async with canary() as gone:
        pass
    async with client_of(settings=through(gone), resolver=unresolved) as client:
        with pytest.raises(ProxyFailed, match=f"The egress proxy 127.0.0.1:{gone.port} could not be reached"):
            await client.send(ask(gone, host=NAME))


async def test_a_proxy_whose_name_does_not_resolve_is_told() -> None:
    settings = replace(QUICK, egress_proxy=EgressProxy.of("proxy.corp:3128"))
    async with canary() as server, client_of(settings=settings, resolver=unresolved) as client:
        with pytest.raises(ProxyFailed, match=r"The egress proxy proxy\.corp:3128 could not be reached"):
            await client.send(ask(server, host=NAME))


async def test_a_silent_proxy_runs_into_the_connect_time_by_name() -> None:
    heard = asyncio.Event()

    async def silent(peer: Peer) -> None:
        heard.set()
        await peer.closed()

    async with (
        HostileServer(silent) as proxy,
        client_of(settings=through(proxy, connect_timeout=SHORT), resolver=unresolved) as client,
    ):
        with pytest.raises(TimedOut, match=f"The egress proxy 127.0.0.1:{proxy.port} did not answer in time"):
            await client.send(ask(proxy, host=NAME))


@pytest.mark.parametrize(
    ("entry", "url", "exempt"),
    [
        ("models.internal", "http://models.internal:8000/", True),
        ("models.internal", "http://a.models.internal/", True),
        ("models.internal", "http://mymodels.internal/", False),
        (".internal", "https://models.internal/", True),
        ("*.internal", "https://models.internal/", True),
        ("Models.Internal", "https://models.internal/", True),
        ("models.internal:8000", "http://models.internal:8000/", True),
        ("models.internal:8000", "http://models.internal/", False),
        ("localhost", "http://localhost:11434/", True),
        ("10.0.0.0/8", "http://10.1.2.3/", True),
        ("10.0.0.0/8", "http://[::ffff:10.1.2.3]/", True),
        ("10.0.0.0/8", "http://11.1.2.3/", False),
        ("10.0.0.0/8", "http://models.internal/", False),
        ("10.1.2.3", "http://10.1.2.3:9/", True),
        ("10.1.2.3:9", "http://10.1.2.3:9/", True),
        ("10.1.2.3:9", "http://10.1.2.3:8/", False),
        ("fd00::/8", "http://[fd00::1]/", True),
        ("[fd00::1]", "http://[fd00::1]/", True),
        ("[fd00::1]:9", "http://[fd00::1]:8/", False),
    ],
)
def test_exceptions(entry: str, url: str, exempt: bool) -> None:
    assert EgressProxy.of("proxy:3128", [entry]).serves(Target.parse(url)) is not exempt


@pytest.mark.parametrize("entry", ["*", "", "10.0.0.5/8", "a b", "http://a", "a:0", "a:99999", "a/b", "-a", "::g"])
def test_an_exception_that_is_none_is_rejected(entry: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        EgressProxy.of("proxy:3128", [entry])
    assert refused.value.param == "egress_proxy_except"


@pytest.mark.parametrize(
    ("url", "label"),
    [
        ("http://proxy.corp:3128", "proxy.corp:3128"),
        ("HTTP://Proxy.Corp:3128/", "proxy.corp:3128"),
        ("proxy:3128", "proxy:3128"),
        ("http://user:canary@10.0.0.1:8080", "10.0.0.1:8080"),
        ("user:canary@[fd00::1]:8080", "[fd00::1]:8080"),
        ("http://user:can@ary:1@proxy:3128", "proxy:3128"),
        ("http://user:@proxy:3128", "proxy:3128"),
    ],
)
def test_a_proxy_is_read_and_shown_without_its_password(url: str, label: str) -> None:
    proxy = EgressProxy.of(url)
    assert proxy.label == label
    assert f"{proxy} {proxy!r} {NetSettings(egress_proxy=proxy)}".count("EgressProxy(" + label) == 3


@pytest.mark.parametrize(
    "url",
    [
        "https://user:canary@proxy:3128",
        "socks5://user:canary@proxy:1080",
        "http://user:canary@proxy",
        "http://user:canary@proxy:0",
        "http://user:canary@proxy:99999",
        "http://canary@proxy:3128",
        "http://:canary@proxy:3128",
        "http://us%3Aer:canary@proxy:3128",
        "http://user:canary@pro xy:3128",
        "http://user:canary@proxy:3128/path",
        "http://user:canary@proxy:3128?x=1",
        "http://user:canary@256.1.1.1:3128",
        "canary",
        "",
    ],
)
def test_a_proxy_that_is_none_is_rejected_without_being_quoted(url: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        EgressProxy.of(url)
    assert refused.value.param == "egress_proxy"
    assert "canary" not in refused.value.public
