"""The sandbox's own pages, and that they never show a key."""

import json
from hashlib import sha256

from tests.sandbox.raw import call, chat

from ownkey.sandbox import Options, SandboxServer

CHAT = "/openai/v1/chat/completions"
KEY = "sk-canary-31415926535897932384"
DIGEST = sha256(KEY.encode()).hexdigest()[:16]


async def test_the_front_page_says_what_it_is(sandbox: SandboxServer):
    answer = await call(sandbox.url, "/", key=None)
    assert answer.headers["content-type"].startswith("text/html")
    assert b"This is a simulator" in answer.body
    for name in (b"lorem-N", b"error-STATUS", b"invalid", b"x-sandbox-ttft-ms"):
        assert name in answer.body


async def test_every_answer_says_it_is_simulated(sandbox: SandboxServer):
    for path in ("/", "/nowhere", "/openai", "/openai/v1/nowhere", "/__sandbox/stats", "/__sandbox/nowhere"):
        assert (await call(sandbox.url, path)).headers["x-ownkey-sandbox"] == "simulator"
    for body in (chat(), chat(stream=True), chat("error-500")):
        assert (await call(sandbox.url, CHAT, body)).headers["x-ownkey-sandbox"] == "simulator"


async def test_the_log_shows_what_was_received_and_what_became_of_it(sandbox: SandboxServer):
    await call(sandbox.url, CHAT + "?a=1", chat("lorem-3", stream=True), key=KEY, headers={"x-trace": "abc"})
    (entry,) = (await call(sandbox.url, "/__sandbox/requests")).json["requests"]
    assert (entry["method"], entry["path"], entry["query"], entry["provider"]) == ("POST", CHAT, "a=1", "openai")
    assert entry["body"] == chat("lorem-3", stream=True)
    assert entry["headers"]["x-trace"] == "abc"
    assert (entry["status"], entry["outcome"], entry["tokens_sent"]) == (200, "streamed", 3)


async def test_keys_are_shown_as_digests_in_the_header_that_carried_them(sandbox: SandboxServer):
    await call(sandbox.url, CHAT, chat(), key=KEY)
    await call(sandbox.url, CHAT, chat(), key=None, headers={"x-api-key": KEY, "cookie": KEY})
    await call(sandbox.url, f"/openai/v1/models?key={KEY}", headers={"proxy-authorization": f"Basic {KEY}"})
    listed = await call(sandbox.url, "/__sandbox/requests")
    stats = await call(sandbox.url, "/__sandbox/stats")
    assert KEY not in (listed.body + stats.body).decode()
    bearer, header, query = listed.json["requests"]
    assert bearer["key"] == header["key"] == DIGEST
    assert bearer["headers"]["authorization"] == f"Bearer sha256:{DIGEST}"
    assert header["headers"]["x-api-key"] == header["headers"]["cookie"] == f"sha256:{DIGEST}"
    assert query["query"] == f"key=sha256%3A{DIGEST}"
    assert stats.json["by_key"][DIGEST] == 2


async def test_the_log_is_searched_by_key_provider_and_number(sandbox: SandboxServer):
    for number in range(3):
        await call(sandbox.url, CHAT, chat(content=f"{number}"), key=KEY)
        await call(sandbox.url, "/groq/openai/v1/chat/completions", chat(), key=f"gsk-{number}")

    async def found(query: str) -> int:
        return len((await call(sandbox.url, f"/__sandbox/requests?{query}")).json["requests"])

    assert await found(f"key_suffix={KEY[-8:]}") == 3
    assert await found("key_suffix=gsk-1") == 1
    assert await found("key_suffix=absent") == 0
    assert await found(f"key={DIGEST[:8]}") == 3
    assert await found("provider=groq") == 3
    assert await found("limit=2") == 2
    assert await found("limit=0") == 0
    newest = (await call(sandbox.url, f"/__sandbox/requests?key={DIGEST}&limit=1")).json["requests"][0]
    assert newest["body"]["messages"][0]["content"] == "2"


async def test_the_log_is_bounded_in_requests_and_bytes():
    async with SandboxServer(options=Options(recent_requests=4, recent_bytes=100_000)) as server:
        for number in range(6):
            await call(server.url, CHAT, chat(content=f"{number}"))
        listed = (await call(server.url, "/__sandbox/requests")).json["requests"]
        assert [entry["number"] for entry in listed] == [3, 4, 5, 6]
        for _ in range(3):
            await call(server.url, CHAT, chat(content="x" * 60_000))
        listed = (await call(server.url, "/__sandbox/requests")).json["requests"]
        assert len(listed) == 1


async def test_the_log_is_cleared(sandbox: SandboxServer):
    await call(sandbox.url, CHAT, chat())
    await call(sandbox.url, "/__sandbox/requests", method="DELETE")
    assert (await call(sandbox.url, "/__sandbox/requests")).json == {"requests": []}


async def test_the_stats_count_requests_streams_and_statuses(sandbox: SandboxServer):
    await call(sandbox.url, CHAT, chat(stream=True))
    await call(sandbox.url, CHAT, chat("error-503"))
    await call(sandbox.url, CHAT, b"{")
    stats = (await call(sandbox.url, "/__sandbox/stats")).json
    assert (stats["requests"], stats["streams"], stats["open_streams"], stats["abandoned"]) == (3, 1, 0, 0)
    assert stats["by_status"] == {"200": 1, "400": 1, "503": 1}


async def test_bodies_that_are_no_json_are_shown_as_text(sandbox: SandboxServer):
    await call(sandbox.url, CHAT, b"\xff{")
    (entry,) = json.loads((await call(sandbox.url, "/__sandbox/requests")).body)["requests"]
    assert entry["body"] == "\ufffd{"
