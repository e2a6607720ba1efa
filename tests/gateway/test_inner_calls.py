"""Model calls from inside the process: the same books, limits and endings as an HTTP client's."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.upstream import DONE, STREAM_HEAD, chat_answer, chunk_event, refusal

from ownkey.config import load_settings
from ownkey.domain.errors import InvalidRequest, Unauthenticated, UpstreamError
from ownkey.domain.ids import ApiKeyId, UserId
from ownkey.domain.tenancy import ApiKeyGrant, KeyScope, Principal, Role, principal_of, user_owner
from ownkey.gateway import Gateway, InnerAnswer
from ownkey.gateway.edge.heads import Heads
from ownkey.gateway.inner import InnerResponder
from ownkey.main.parts import Parts, open_parts
from ownkey.storage import api_keys, usage, users
from ownkey.storage.records import StoredApiKey, User

CHAT = "/v1/chat/completions"
USER = UserId("user_1")
KEY = ApiKeyId("key_1")
Reply = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


class Upstream:
    """Answers the next request with the next of `replies`, and notes which connections the gateway hung up."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.asked = asyncio.Semaphore(0)
        self.lost = asyncio.Semaphore(0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        self.asked.release()
        reply = self.replies.pop(0) if self.replies else chat_answer()
        try:
            if callable(reply):
                await reply(writer)
            else:
                writer.write(reply)
                await writer.drain()
            await reader.read()
        except ConnectionError:
            pass
        finally:
            self.lost.release()
            writer.transport.abort()


def events(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return STREAM_HEAD + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + end


class Inside:
    """A gateway without a socket, whose platform pays for everybody."""

    def __init__(self, parts: Parts, upstream: Upstream) -> None:
        self.parts = parts
        self.gateway: Gateway = parts.gateway
        self.upstream = upstream

    async def ask(self, principal: Principal | None = None, path: str = CHAT, **more: Any) -> InnerAnswer:
        question = {"model": "groq/m", "messages": [{"role": "user", "content": "hi"}]} | more
        who = principal or await self.gateway.principal_for(USER, None)
        return await self.gateway.call(who, path, json.dumps(question).encode())

    async def rows(self) -> list[Any]:
        await self.gateway.flush_usage()
        async with self.parts.database.read() as connection:
            return (await usage.list_page(connection, None)).items


@pytest.fixture
async def inside(tmp_path: Path) -> AsyncIterator[Inside]:
    upstream = Upstream()
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    environment = {
        "OWNKEY_DATA_DIR": str(tmp_path),
        "OWNKEY_PROVIDER_GROQ_BASE_URL": f"http://{host}:{port}",
        "OWNKEY_PLATFORM_KEY_GROQ": "gsk_platform",
    }
    async with open_parts(load_settings(environment, {}, None)) as parts:
        async with parts.database.write() as connection:
            await users.create(connection, User(id=USER, email="a@example.com", password_hash=None, created_at=1.0))
        yield Inside(parts, upstream)
    server.close()


def restricted(**limits: Any) -> Principal:
    """The user by an API key with these limits."""
    rights: dict[str, Any] = {"scopes": frozenset({KeyScope.GATEWAY})} | limits
    grant = ApiKeyGrant(KEY, "key", **rights)
    return principal_of(USER, Role.USER, api_key=grant)


async def store_key(inside: Inside, **more: Any) -> None:
    scopes = frozenset({KeyScope.GATEWAY})
    key = StoredApiKey(id=KEY, user_id=USER, name="k", prefix="ok_", hash=b"h" * 32, scopes=scopes, created_at=1.0)
    async with inside.parts.database.write() as connection:
        await api_keys.create(connection, key)
        await api_keys.update(connection, user_owner(USER), KEY, **more)


async def test_a_whole_answer_has_its_receipt_its_row_and_its_time(inside: Inside) -> None:
    answered = await inside.ask()
    pieces = [piece async for piece in answered.chunks()]
    assert answered.status == 200
    assert json.loads(pieces[0][1])["choices"][0]["message"]["content"] == "hello"
    assert answered.sent_at <= pieces[0][0] <= time.monotonic()
    assert answered.header(b"x-ownkey-provider") == b"groq"
    [row] = await inside.rows()
    assert row.id == answered.header(b"x-ownkey-request-id").decode()  # type: ignore[union-attr]
    assert (row.user_id, row.api_key_id, row.status, row.output_tokens) == (USER, None, "completed", 5)


async def test_a_stream_comes_in_stamped_pieces(inside: Inside) -> None:
    may_go_on = asyncio.Event()

    async def slowly(writer: asyncio.StreamWriter) -> None:
        writer.write(events(chunk_event("one"), end=b""))
        await may_go_on.wait()
        writer.write(events(chunk_event("two"), DONE).removeprefix(STREAM_HEAD))

    inside.upstream.replies.append(slowly)
    answered = await inside.ask(stream=True)
    chunks = answered.chunks()
    first = await anext(chunks)
    between = time.monotonic()
    may_go_on.set()
    rest = [piece async for piece in chunks]
    assert b"one" in first[1]
    assert b"two" in rest[0][1]
    assert answered.sent_at <= first[0] <= between <= rest[0][0]
    assert b"".join(data for _, data in rest).endswith(b"data: [DONE]\n\n")


async def test_a_refusal_is_an_answer(inside: Inside) -> None:
    inside.upstream.replies.append(refusal(400, "too long"))
    answered = await inside.ask()
    assert answered.status == 400
    assert json.loads(await answered.read())["error"]["message"] == "too long"
    assert [row.status for row in await inside.rows()] == ["failed"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("/v1/nothing", b"{}", 404), (CHAT, b"{", 400), (CHAT, b"", 405), ("/v1/models", b"", 200)],
)
async def test_what_http_refuses_is_refused(inside: Inside, path: str, body: bytes, status: int) -> None:
    answered = await inside.gateway.call(restricted(), path, body)
    assert answered.status == status
    assert json.loads(await answered.read())


async def test_a_malformed_target_is_the_callers_mistake(inside: Inside) -> None:
    with pytest.raises(InvalidRequest):
        await inside.gateway.call(restricted(), "/v1/a b", b"{}")


async def test_anthropics_format_is_answered_in_it(inside: Inside) -> None:
    answered = await inside.ask(path="/v1/messages", max_tokens=5)
    assert json.loads(await answered.read())["content"][0]["text"] == "hello"


async def test_giving_up_in_mid_stream_settles_as_cancelled(inside: Inside) -> None:
    async def never_ends(writer: asyncio.StreamWriter) -> None:
        writer.write(events(chunk_event("one"), end=b""))

    inside.upstream.replies.append(never_ends)
    answered = await inside.ask(stream=True)
    chunks = answered.chunks()
    await anext(chunks)
    answered.abort()
    await answered.settled()
    assert [piece async for piece in chunks] == []
    assert [(row.status, row.error) for row in await inside.rows()] == [("cancelled", "cancelled")]
    await asyncio.wait_for(inside.upstream.lost.acquire(), 60)


async def test_cancelling_the_wait_for_the_head_settles_as_cancelled(inside: Inside) -> None:
    async def silent(_: asyncio.StreamWriter) -> None:
        return

    inside.upstream.replies.append(silent)
    asking = asyncio.create_task(inside.ask())
    await inside.upstream.asked.acquire()
    asking.cancel()
    await asyncio.wait([asking])
    await asyncio.wait_for(inside.upstream.lost.acquire(), 60)
    assert [row.status for row in await inside.rows()] == ["cancelled"]


async def test_giving_up_after_the_end_changes_nothing(inside: Inside) -> None:
    answered = await inside.ask()
    answered.abort()
    await answered.settled()
    assert b"hello" in await answered.read()
    assert [row.status for row in await inside.rows()] == ["completed"]


async def test_a_stream_that_the_provider_cuts_ends_with_an_error(inside: Inside) -> None:
    async def cut(writer: asyncio.StreamWriter) -> None:
        writer.write(events(chunk_event("one"), end=b""))
        await writer.drain()
        writer.transport.close()

    inside.upstream.replies.append(cut)
    answered = await inside.ask(stream=True)
    assert b'"error"' in await answered.read()
    assert [row.status for row in await inside.rows()] == ["failed"]


async def test_a_slow_reader_is_held_back(inside: Inside) -> None:
    """The gateway stops writing at 64 KB unread, and reads from the provider no faster than its client."""
    event = chunk_event("x" * 8000)

    async def much(writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD)
        for _ in range(2000):
            writer.write(b"%x\r\n%b\r\n" % (len(event), event))
            await writer.drain()
        writer.write(events(DONE).removeprefix(STREAM_HEAD))

    inside.upstream.replies.append(much)
    answered = await inside.ask(stream=True)
    responder = answered._responder
    while responder._unread <= 64 * 1024:  # noqa: ASYNC110
        await asyncio.sleep(0)
    for _ in range(1000):
        await asyncio.sleep(0)
    assert responder._unread < 1024 * 1024
    assert len(await answered.read()) > 2000 * 8000
    assert [row.status for row in await inside.rows()] == ["completed"]


async def test_stopping_the_server_breaks_off_what_is_under_way(inside: Inside) -> None:
    async def silent(_: asyncio.StreamWriter) -> None:
        return

    inside.upstream.replies.append(silent)
    asking = asyncio.create_task(inside.ask())
    await inside.upstream.asked.acquire()
    await inside.gateway._calls.close()
    assert (await asking).status == 503
    assert [row.status for row in await inside.rows()] == ["interrupted"]


@pytest.mark.parametrize(
    ("limits", "status"),
    [
        ({"models": ("openai/*",)}, 403),
        ({"models": ("groq/*",)}, 200),
        ({"scopes": frozenset({KeyScope.MANAGE})}, 403),
        ({"expires_at": 1.0}, 401),
        ({"allowed_ips": ("192.0.2.0/24",)}, 403),
        ({"requests_per_minute": 0}, 429),
    ],
)
async def test_the_limits_of_the_api_key_hold(inside: Inside, limits: dict[str, Any], status: int) -> None:
    assert (await inside.ask(restricted(**limits))).status == status


async def test_the_address_the_work_was_asked_for_from_counts(inside: Inside) -> None:
    body = json.dumps({"model": "groq/m", "messages": [{"role": "user", "content": "hi"}]}).encode()
    who = restricted(allowed_ips=("192.0.2.0/24",))
    assert (await inside.gateway.call(who, CHAT, body, peer="192.0.2.9")).status == 200


async def test_later_work_has_the_rights_of_its_key(inside: Inside) -> None:
    await store_key(inside, models=("groq/m",))
    who = await inside.gateway.principal_for(USER, KEY)
    assert who.api_key is not None
    assert (who.api_key.id, who.api_key.models) == (KEY, ("groq/m",))
    assert (await inside.ask(who)).status == 200
    assert [row.api_key_id for row in await inside.rows()] == [KEY]


@pytest.mark.parametrize("change", [{"revoked_at": 5.0}, {"expires_at": 5.0}])
async def test_later_work_ends_with_its_key(inside: Inside, change: dict[str, Any]) -> None:
    await store_key(inside, **change)
    with pytest.raises(Unauthenticated):
        await inside.gateway.principal_for(USER, KEY)


@pytest.mark.parametrize(("user_id", "key_id"), [("user_2", None), (USER, "key_9"), ("user_2", KEY)])
async def test_later_work_of_nobody_known_is_refused(inside: Inside, user_id: str, key_id: str | None) -> None:
    await store_key(inside)
    with pytest.raises(Unauthenticated):
        await inside.gateway.principal_for(user_id, key_id)


async def test_later_work_of_a_disabled_user_is_refused(inside: Inside) -> None:
    async with inside.parts.database.write() as connection:
        await users.set_disabled(connection, USER, 5.0)
    with pytest.raises(Unauthenticated):
        await inside.gateway.principal_for(USER, None)


def test_a_header_value_cannot_start_a_new_line() -> None:
    with pytest.raises(ValueError, match="control"):
        InnerResponder(Heads(), CHAT).answer(200, [(b"x-a", b"1\r\nx-b: 2")], b"")


async def test_a_body_shorter_than_announced_is_broken_off() -> None:
    responder = InnerResponder(Heads(), CHAT)
    responder.start(200, [], 5)
    responder.write(b"four")
    responder.end()
    assert (await responder.piece() or (0, b""))[1] == b"four"
    with pytest.raises(UpstreamError):
        await responder.piece()


async def test_an_answer_broken_off_before_its_head_is_told_to_who_waits() -> None:
    responder = InnerResponder(Heads(), CHAT)
    responder.abort()
    with pytest.raises(UpstreamError):
        await responder.head()
