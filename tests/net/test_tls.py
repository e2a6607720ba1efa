"""Certificates, names, and ends of TLS connections."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from tests.net.hostile import HostileServer, Peer, ask, client_of, sized

from ownkey.gateway.net import ConnectionLost, Stage, TimedOut, Timeouts, TlsFailed, UpstreamClient
from ownkey.gateway.net.tls import client_context

NAME = "api.example.com"


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = client_context()
    authority.configure_trust(context)
    return context


def serving_as(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2", "http/1.1"])
    certificate.configure_cert(context)
    return context


async def loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


async def hello(peer: Peer) -> None:
    while True:
        await peer.answer(sized(b"hello"))


async def fetch(client: UpstreamClient, server: HostileServer, host: str = NAME) -> bytes:
    return await (await client.send(ask(server, host=host))).read(1000)


async def test_name_of_the_url_is_sent_and_verified(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    asked: list[str | None] = []
    context = serving_as(authority.issue_cert(NAME))
    context.sni_callback = lambda _, name, __: asked.append(name)
    alpn: list[str | None] = []

    async def script(peer: Peer) -> None:
        alpn.append(peer.writer.get_extra_info("ssl_object").selected_alpn_protocol())
        await hello(peer)

    async with HostileServer(script, context) as server, client_of(resolver=loopback, tls=trusting) as client:
        for _ in range(3):
            assert await fetch(client, server) == b"hello"
        assert server.connections == 1
    assert asked == [NAME]
    assert alpn == ["http/1.1"]


async def test_address_is_verified_against_an_address_certificate(
    authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    async with (
        HostileServer(hello, serving_as(authority.issue_cert("127.0.0.1"))) as server,
        client_of(tls=trusting) as client,
    ):
        assert await fetch(client, server, "127.0.0.1") == b"hello"


@pytest.mark.parametrize("fault", ["wrong name", "unknown authority", "self-signed", "expired", "not yet valid", "ip"])
async def test_bad_certificate_is_refused_before_a_byte_is_sent(
    fault: str, authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    now = datetime.now(UTC)
    day = timedelta(days=1)
    certificate = {
        "wrong name": lambda: authority.issue_cert("api.example.org"),
        "unknown authority": lambda: trustme.CA().issue_cert(NAME),
        "self-signed": lambda: trustme.CA(organization_name=NAME).issue_cert(NAME),
        "expired": lambda: authority.issue_cert(NAME, not_before=now - 2 * day, not_after=now - day),
        "not yet valid": lambda: authority.issue_cert(NAME, not_before=now + day, not_after=now + 2 * day),
        "ip": lambda: authority.issue_cert("127.0.0.1"),
    }[fault]()
    heard: list[bytes] = []

    async def script(peer: Peer) -> None:
        heard.append(await peer.reader.read(100))

    async with (
        HostileServer(script, serving_as(certificate)) as server,
        client_of(resolver=loopback, tls=trusting) as client,
    ):
        with pytest.raises(TlsFailed) as failed:
            await fetch(client, server)
    assert not failed.value.sent
    assert not b"".join(heard)


async def test_extra_authority_file_is_trusted_beside_the_system(authority: trustme.CA, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    async with (
        HostileServer(hello, serving_as(authority.issue_cert(NAME))) as server,
        client_of(resolver=loopback, tls=client_context(file)) as client,
    ):
        assert await fetch(client, server) == b"hello"
        async with client_of(resolver=loopback) as stranger:
            with pytest.raises(TlsFailed):
                await fetch(stranger, server)


async def test_plain_answer_on_a_tls_port_is_refused(trusting: ssl.SSLContext) -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.read(1)
        await peer.send(sized(b"plain"))
        await peer.closed()

    async with HostileServer(script) as plain, client_of(resolver=loopback, tls=trusting) as client:
        request = ask(plain, host=NAME)
        secure = type(request.target).parse(f"https://{NAME}:{plain.port}/")
        with pytest.raises(TlsFailed) as failed:
            await client.send(type(request)(b"GET", secure, [], trusted=True))
    assert not failed.value.sent


@pytest.mark.parametrize("how", ["reset", "close", "stall"])
async def test_handshake_that_never_completes_is_not_sent(how: str, trusting: ssl.SSLContext) -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.read(1)
        if how == "reset":
            peer.reset()
        elif how == "stall":
            await peer.closed()

    async with HostileServer(script) as plain, client_of(resolver=loopback, tls=trusting) as client:
        request = ask(plain, host=NAME, timeouts=Timeouts(connect=0.3 if how == "stall" else 5))
        secure = type(request.target).parse(f"https://{NAME}:{plain.port}/")
        with pytest.raises(TimedOut if how == "stall" else TlsFailed) as failed:
            await client.send(type(request)(b"GET", secure, [], trusted=True, timeouts=request.timeouts))
    assert not failed.value.sent
    if isinstance(failed.value, TimedOut):
        assert failed.value.stage is Stage.CONNECT


@pytest.mark.parametrize("clean", [True, False])
async def test_body_that_ends_with_the_connection_needs_a_close_notify(
    clean: bool, authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    """Without it, anybody on the path could cut the body short."""
    read = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 200 OK\r\n\r\nhello")
        await read.wait()
        if clean:
            peer.writer.close()
            await peer.closed()
        else:
            peer.cut()

    async with (
        HostileServer(script, serving_as(authority.issue_cert(NAME))) as server,
        client_of(resolver=loopback, tls=trusting) as client,
    ):
        response = await client.send(ask(server, host=NAME))
        assert await response.chunk() == b"hello"
        read.set()
        if clean:
            assert await response.chunk() == b""
        else:
            with pytest.raises(ConnectionLost):
                await response.chunk()


async def test_large_bodies_pass_both_ways(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    body = bytes(range(256)) * 20_000

    async def script(peer: Peer) -> None:
        asked = await peer.request()
        await peer.send(sized(asked.partition(b"\r\n\r\n")[2]))
        await peer.closed()

    async with (
        HostileServer(script, serving_as(authority.issue_cert(NAME))) as server,
        client_of(resolver=loopback, tls=trusting) as client,
    ):
        response = await client.send(ask(server, host=NAME, body=body))
        assert await response.read(len(body)) == body


async def test_old_protocol_versions_and_key_logging_are_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    context = client_context()
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.keylog_filename is None
