"""Where requests may go, proved through the client: a canary on loopback must not hear of it."""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from tests.net.hostile import SHORT, HostileServer, Peer, ask, canary, client_of, sized

from ownkey.domain.errors import InvalidRequest
from ownkey.gateway.net import (
    AddressBlocked,
    AddressGuard,
    ConnectFailed,
    NetError,
    NetSettings,
    Target,
    UpstreamClient,
    UpstreamRequest,
    UpstreamResponse,
)
from ownkey.gateway.net.addresses import Reach, embedded, reach


async def loopback(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


LOOPBACK_NOTATIONS = [
    # Canonical, and every number format that some resolver reads as 127.0.0.1 or 0.0.0.0.
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.0.0.01",
    "127.0.0.001",
    "0177.0.0.1",
    "0177.0.0.01",
    "0177.1",
    "017700000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0x7F.0x0.0x0.0x1",
    "0x7f000001",
    "0X7F000001",
    "127.0.0.0x1",
    "127.0.0x1",
    "2130706433",
    "02130706433",
    "4294967297",
    "127.0.0.1.",
    "127.0.0.257",
    "127.0.0.1.0",
    "127.255.255.254",
    "127.0.0.2",
    "0",
    "00",
    "0x0",
    "0x",
    "0.0",
    "0.0.0.0",
    "0.0.0.1",
    "0.1.2.3",
    "000.000.000.000",
    # Look-alike digits and dots that IDNA mappings turn into ASCII.
    "１２７.0.0.1",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "127．0．0．1",
    "127｡0｡0｡1",
    "𝟏𝟐𝟕.𝟎.𝟎.𝟏",
    "१२७.०.०.१",
    "１27.1",
    "127%2e0%2e0%2e1",
    "%31%32%37.0.0.1",
    "127.0.0.1%00.example.com",
    "127.0.0.1%20",
    "127.0.0.1\u00ad",
    "127.0.0.1\u200b",
    # Names for this machine.
    "localhost",
    "LOCALHOST",
    "localhost.",
    "LocalHost.LocalDomain.",
    "foo.localhost",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "ｌｏｃａｌｈｏｓｔ",
    "loc\u00adalhost",
    # IPv6 loopback and everything that carries 127.0.0.1.
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::]",
    "[::0]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::ffff:127.0.0.1]",
    "[::FFFF:7F00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::ffff:0.0.0.0]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::127.0.0.1]",
    "[64:ff9b:1:7f00:0:100::]",
    "[2002:7f00:1::]",
    "[2002:7f00:1::1]",
    "[2001:0:7f00:1::]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[2400:cb00::5efe:7f00:1]",
    "[2400:cb00::200:5efe:7f00:1]",
    "[fe80::5efe:127.0.0.1]",
    "[::1%lo]",
    "[::1%25lo]",
    "[::1%1]",
    "[fe80::1%eth0]",
    "[::ffff:127.1]",
    "[::ffff:0177.0.0.1]",
    "[127.0.0.1]",
    "::1",
    "[::1",
    "[]",
    "[v1.127.0.0.1]",
]

PRIVATE_NOTATIONS = [
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "0xA9FEA9FE",
    "2852039166",
    "0251.0376.0251.0376",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "[fdff:ffff::1]",
    "[fe80::1]",
    "[febf::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[100::1]",
    "[100:0:0:1::1]",
    "[2001:db8::1]",
    "[2001:2::1]",
    "[2001:10::1]",
    "[2001:20::1]",
    "[2002:a9fe:a9fe::1]",
    "[3ffe::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[4000::1]",
    "[::2]",
    "[::ffff:169.254.169.254]",
    "[::ffff:10.0.0.1]",
    "[::169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b:1::8.8.8.8]",
    "[64:ff9b:1:a9fe:a9:fe00::]",
    "[2620:4f:8000::1]",
    "[2606:4700::5efe:10.0.0.1]",
    "[2001:0:a9fe:a9fe::1]",
    "[1::1]",
    "[::ffff:0:10.0.0.1]",
]

ODD_URLS = [
    "http://user@127.0.0.1:{port}/",
    "http://user:password@127.0.0.1:{port}/",
    "http://example.com@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}@example.com/",
    "http://example.com#@127.0.0.1:{port}/",
    "http://example.com\\@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@example.com/",
    "http://127.0.0.1:{port}#/",
    "http:/127.0.0.1:{port}/",
    "http:127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "http:////127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "127.0.0.1:{port}",
    "\thttp://127.0.0.1:{port}/",
    " http://127.0.0.1:{port}/",
    "http://127.0.0.1:{port}/ ",
    "http://127.0.0.1:{port}/\r\nx: y",
    "ht\ntp://127.0.0.1:{port}/",
    "http://127.0.\t0.1:{port}/",
    "http://127.0.0.1\x00:{port}/",
    "http://127.0.0.1 :{port}/",
    "http://127.0.0.1: {port}/",
    "http://127.0.0.1:+{port}/",
    "http://127.0.0.1:0{port}/",
    "http://127.0.0.1:{port}.0/",
    "http://127.0.0.1:{port}:{port}/",
    "http://[::1]{port}/",
    "http://[::ffff:127.0.0.1]x:{port}/",
    "http://x[::1]:{port}/",
    "ftp://127.0.0.1:{port}/",
    "file://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/",
    "unix:/run/docker.sock",
    "javascript:alert(1)",
    "",
]


def test_the_tables_are_as_long_as_promised_and_hold_nothing_twice() -> None:
    notations = LOOPBACK_NOTATIONS + PRIVATE_NOTATIONS
    assert len(notations) == len(set(notations)) >= 140


async def send(client: UpstreamClient, url: str) -> UpstreamResponse:
    return await client.send(UpstreamRequest(b"POST", Target.parse(url), [(b"authorization", b"secret")]))


@pytest.mark.parametrize("host", LOOPBACK_NOTATIONS + PRIVATE_NOTATIONS)
async def test_no_notation_of_a_private_address_reaches_it(host: str) -> None:
    async with canary() as heard, client_of(resolver=loopback) as client:
        with pytest.raises((InvalidRequest, AddressBlocked)) as refused:
            await send(client, f"http://{host}:{heard.port}/")
        if isinstance(refused.value, AddressBlocked):
            assert not refused.value.sent
            assert host.strip("[]") not in refused.value.public


@pytest.mark.parametrize("url", ODD_URLS)
async def test_no_odd_url_reaches_the_canary(url: str) -> None:
    async with canary() as heard, client_of() as client:
        with pytest.raises(InvalidRequest):
            await send(client, url.format(port=heard.port))


ANSWERS = [
    ["127.0.0.1"],
    ["0.0.0.0"],
    ["::1"],
    ["::"],
    ["::ffff:127.0.0.1"],
    ["::127.0.0.1"],
    ["64:ff9b::7f00:1"],
    ["2002:7f00:1::1"],
    ["10.0.0.1"],
    ["169.254.169.254"],
    ["fe80::1"],
    ["fe80::1%1"],
    ["::1%lo"],
    ["fd00:ec2::254"],
    ["8.8.8.8", "127.0.0.1"],
    ["127.0.0.1", "8.8.8.8"],
    ["2606:4700::1111", "::ffff:127.0.0.1"],
    ["not an address"],
    ["0x7f000001"],
    ["127.1"],
    [""],
]


@pytest.mark.parametrize("answer", ANSWERS, ids="+".join)
async def test_no_dns_answer_reaches_the_canary(answer: list[str]) -> None:
    async def resolver(host: str, port: int) -> Sequence[str]:
        return answer

    async with canary() as heard, client_of(resolver=resolver) as client:
        with pytest.raises(AddressBlocked):
            await client.send(ask(heard, host="api.example.com", trusted=False))


async def test_name_without_an_address_is_connect_failed() -> None:
    async def nothing(host: str, port: int) -> Sequence[str]:
        return []

    async def unknown(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    for resolver in (nothing, unknown):
        async with canary() as heard, client_of(resolver=resolver) as client:
            with pytest.raises(ConnectFailed):
                await client.send(ask(heard, host="api.example.com"))


async def test_system_resolver_is_checked_like_any_other() -> None:
    async with canary() as heard, client_of() as client:
        with pytest.raises(AddressBlocked):
            await client.send(ask(heard, host="localhost", trusted=False))


async def test_one_resolution_serves_check_and_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that changes its mind after the check gains nothing: it is not asked again."""
    answers = [["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]]
    asked = 0
    dialled: list[tuple[str, int]] = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        nonlocal asked
        asked += 1
        return answers[asked - 1]

    async def unreachable(loop: object, address: IPv4Address | IPv6Address, port: int) -> socket.socket:
        # Stands where packets would leave the machine; the address is the one the kernel would get.
        dialled.append((str(address), port))
        raise ConnectionRefusedError

    monkeypatch.setattr("ownkey.gateway.net.dial._open_socket", unreachable)
    async with canary() as heard, client_of(resolver=rebinding) as client:
        request = ask(heard, host="rebind.example.com", trusted=False)
        with pytest.raises(ConnectFailed):
            await client.send(request)
        assert asked == 1
        with pytest.raises(AddressBlocked):
            await client.send(request)
        assert dialled == [("93.184.216.34", heard.port)]


async def test_every_connection_is_checked_anew_when_a_name_rebinds() -> None:
    answers = iter([["127.0.0.1"], ["0.0.0.0"], ["169.254.169.254"], ["::ffff:0.0.0.0"]])

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return next(answers)

    async def script(peer: Peer) -> None:
        await peer.answer(sized(b"", b"connection: close"))

    async with HostileServer(script) as server:
        guard = AddressGuard(frozenset({("mine.example.com", server.port)}))
        async with client_of(guard, resolver=rebinding) as client:
            request = ask(server, host="mine.example.com", trusted=False)
            await (await client.send(request)).read(0)
            for _ in range(3):
                with pytest.raises(AddressBlocked):
                    await client.send(request)
            assert server.connections == 1


async def hello(peer: Peer) -> None:
    while True:
        await peer.answer(sized(b"hello"))


async def test_allow_list_opens_exactly_its_host_and_port() -> None:
    async with canary() as other, HostileServer(hello) as server:
        guard = AddressGuard.of([f"127.0.0.1:{server.port}", f"Model.Example.com:{server.port}"])
        async with client_of(guard, resolver=loopback) as client:
            for host in ("127.0.0.1", "model.example.com", "MODEL.example.COM"):
                response = await client.send(ask(server, host=host, trusted=False))
                assert await response.read(10) == b"hello"
            for host in ("127.0.0.2", "localhost", "xmodel.example.com", "model.example.com.evil.com", "[::1]"):
                with pytest.raises(AddressBlocked):
                    await client.send(ask(server, host=host, trusted=False))
            for host in ("127.0.0.1", "model.example.com"):
                with pytest.raises(AddressBlocked):
                    await client.send(ask(other, host=host, trusted=False))


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "[::]", "169.254.169.254", "[fd00:ec2::254]", "[::ffff:0.0.0.0]", "224.0.0.1"]
)
async def test_neither_trust_nor_allow_list_opens_a_forbidden_address(host: str) -> None:
    async with (
        canary() as heard,
        client_of(AddressGuard(frozenset({(host.strip("[]"), heard.port)}))) as client,
    ):
        for trusted in (True, False):
            with pytest.raises(AddressBlocked):
                await client.send(ask(heard, host=host, trusted=trusted))


async def test_trusted_request_reaches_a_private_address_by_literal_and_by_name() -> None:
    async with HostileServer(hello) as server, client_of(resolver=loopback) as client:
        for host in ("127.0.0.1", "api.example.com"):
            assert await (await client.send(ask(server, host=host))).read(10) == b"hello"
        with pytest.raises(AddressBlocked):
            await client.send(ask(server, host="api.example.com", trusted=False))


async def test_redirect_to_the_canary_is_not_followed() -> None:
    async with canary() as heard:

        async def script(peer: Peer) -> None:
            await peer.answer(sized(b"", b"location: " + heard.url().encode(), status=b"307 Temporary Redirect"))

        async with HostileServer(script) as server, client_of() as client:
            response = await client.send(ask(server))
            assert (response.status, await response.read(10)) == (307, b"")


async def test_proxy_variables_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with canary() as heard:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{heard.port}")
        async with HostileServer(hello) as server, client_of() as client:
            assert await (await client.send(ask(server))).read(10) == b"hello"


async def test_next_address_is_tried_when_the_first_refuses() -> None:
    async def two(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.9", "127.0.0.1"]

    async with HostileServer(hello) as server, client_of(resolver=two) as client:
        assert await (await client.send(ask(server, host="api.example.com"))).read(10) == b"hello"


async def test_slow_resolver_counts_towards_the_connect_time() -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    async with (
        canary() as heard,
        client_of(settings=NetSettings(connect_timeout=SHORT), resolver=never) as client,
    ):
        with pytest.raises(NetError) as failed:
            await client.send(ask(heard, host="api.example.com"))
    assert failed.value.status == 504


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8.8.8.8", Reach.PUBLIC),
        ("9.255.255.255", Reach.PUBLIC),
        ("11.0.0.0", Reach.PUBLIC),
        ("100.63.255.255", Reach.PUBLIC),
        ("100.128.0.0", Reach.PUBLIC),
        ("126.255.255.255", Reach.PUBLIC),
        ("128.0.0.0", Reach.PUBLIC),
        ("168.63.129.15", Reach.PUBLIC),
        ("169.253.255.255", Reach.PUBLIC),
        ("169.255.0.0", Reach.PUBLIC),
        ("172.15.255.255", Reach.PUBLIC),
        ("172.32.0.0", Reach.PUBLIC),
        ("192.0.1.0", Reach.PUBLIC),
        ("192.167.255.255", Reach.PUBLIC),
        ("198.17.255.255", Reach.PUBLIC),
        ("198.20.0.0", Reach.PUBLIC),
        ("223.255.255.255", Reach.PUBLIC),
        ("2606:4700:4700::1111", Reach.PUBLIC),
        ("2a00:1450:4001::200e", Reach.PUBLIC),
        ("64:ff9b::8.8.8.8", Reach.PUBLIC),
        ("::ffff:8.8.8.8", Reach.PUBLIC),
        ("2400:cb00::5efe:8.8.8.8", Reach.PUBLIC),
        ("::1", Reach.PRIVATE),
        ("127.0.0.1", Reach.PRIVATE),
        ("::ffff:127.0.0.1", Reach.PRIVATE),
        ("fd12:3456::1", Reach.PRIVATE),
        ("2002:808:808::1", Reach.PRIVATE),
        ("::8.8.8.8", Reach.PRIVATE),
        ("64:ff9b:1::8.8.8.8", Reach.PRIVATE),
        ("0.0.0.0", Reach.FORBIDDEN),
        ("169.254.169.254", Reach.FORBIDDEN),
        ("64:ff9b::a9fe:a9fe", Reach.FORBIDDEN),
        ("64:ff9b:1:a9fe:a9:fe00::", Reach.FORBIDDEN),
        ("64:ff9b:1:a9:fe:a9fe::", Reach.FORBIDDEN),
        ("64:ff9b:1:0:a9:fea9:fe00:0", Reach.FORBIDDEN),
        ("64:ff9b:1::a9fe:a9fe", Reach.FORBIDDEN),
        ("2002:a9fe:a9fe::1", Reach.FORBIDDEN),
        ("2001:0:a9fe:a9fe::1", Reach.FORBIDDEN),
        ("2001::5601:5601", Reach.FORBIDDEN),
        ("::ffff:0:a9fe:a9fe", Reach.FORBIDDEN),
        ("2606:4700::5efe:a9fe:a9fe", Reach.FORBIDDEN),
        ("fe80::1", Reach.FORBIDDEN),
        ("ff02::1", Reach.FORBIDDEN),
    ],
)
def test_reach_of_an_address(text: str, expected: Reach) -> None:
    assert reach(ip_address(text)) is expected


def test_embedded_addresses_are_found_where_the_standards_put_them() -> None:
    inner = IPv4Address("192.0.2.33")
    for text in (
        "::192.0.2.33",
        "::ffff:192.0.2.33",
        "::ffff:0:192.0.2.33",
        "64:ff9b::192.0.2.33",
        "64:ff9b:1:c000:2:2100::",
        "64:ff9b:1:c0:0:221::",
        "64:ff9b:1:0:c0:2:2100:0",
        "64:ff9b:1::192.0.2.33",
        "2002:c000:221::1",
        "2001:0:c000:221::1",
        "2001::3fff:fdde",
        "2400:cb00::5efe:c000:221",
        "2400:cb00::200:5efe:c000:221",
    ):
        assert inner in set(embedded(IPv6Address(text))), text
    assert not list(embedded(IPv6Address("2606:4700:4700::1111")))
