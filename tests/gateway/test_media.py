"""Forms, sound and images on their way through: what is sent, what comes back, and what is refused."""

import json
import socket
import threading
from typing import Any

import httpx2
import pytest
from tests.gateway.conftest import Workshop, until
from tests.gateway.upstream import Conversation, answer, chunk_event, refusal, stream
from tests.services.stack import User

SPEECH, TRANSCRIPTIONS, EDITS = "/v1/audio/speech", "/v1/audio/transcriptions", "/v1/images/edits"
SPOKEN = {"model": "custom/m", "input": "hi", "voice": "alloy"}
FORM = {"content-type": "multipart/form-data; boundary=cut"}
FILE = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n\x00\xff\r\n--cu\r\n'
MODEL = b'--cut\r\nContent-Disposition: form-data; name="model"\r\n\r\ncustom/m\r\n'
END = b"--cut--\r\n"


@pytest.fixture
def key(workshop: Workshop, user: User, new_key: str) -> str:
    """A key at the scripted provider."""
    user.add_key("custom", new_key, base_url=workshop.upstream.url + "/v1")
    return new_key


def form(user: User, body: bytes = FILE + MODEL + END, path: str = TRANSCRIPTIONS) -> httpx2.Response:
    return user.gateway.post(path, content=body, headers=FORM)


def test_a_form_passes_byte_for_byte_but_for_the_models_name(workshop: Workshop, user: User, key: str) -> None:
    workshop.upstream.script(key, answer(200, {"text": "hello"}))
    assert form(user).json() == {"text": "hello"}
    seen = workshop.upstream.seen(key)[-1]
    assert seen.path == "/v1/audio/transcriptions"
    assert seen.body == FILE + MODEL.replace(b"custom/m", b"m") + END
    assert seen.headers["content-type"] == FORM["content-type"]
    assert seen.headers["accept"] == "*/*"
    assert user.key not in str(seen.headers)


def test_a_form_may_come_as_json_where_a_provider_takes_it(workshop: Workshop, user: User, key: str) -> None:
    workshop.upstream.script(key, answer(200, {"data": []}))
    body = {"model": "custom/m", "prompt": "x", "image": {"url": "https://x.invalid/a.png"}}
    assert user.gateway.post(EDITS, json=body).status_code == 200
    assert workshop.upstream.seen(key)[-1].json() == body | {"model": "m"}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (FILE + MODEL + END, {"content-type": "multipart/form-data"}, 400),
        (FILE + MODEL, FORM, 400),
        (FILE + MODEL + MODEL + END, FORM, 400),
        (FILE + END, FORM, 400),
        (FILE + MODEL.replace(b"custom/m", b"") + END, FORM, 400),
        (FILE + MODEL + MODEL.replace(b"model", b"stream") + END, FORM, 400),
        (FILE + MODEL + END, {"content-type": "application/x-www-form-urlencoded"}, 415),
        (FILE + MODEL + END, FORM | {"content-encoding": "gzip"}, 415),
        (FILE + MODEL + END, {}, 415),
    ],
    ids=["no boundary", "cut off", "two models", "no model", "empty", "odd stream", "urlencoded", "gzip", "untyped"],
)
def test_a_bad_form_is_refused_before_anything_is_sent(
    workshop: Workshop, user: User, key: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    refused = user.gateway.post(TRANSCRIPTIONS, content=body, headers=headers)
    assert refused.status_code == status, refused.text
    assert refused.json()["error"]["message"]
    assert not workshop.upstream.seen(key)


def test_a_form_is_no_chat(user: User, key: str) -> None:
    assert user.gateway.post("/v1/chat/completions", content=MODEL + END, headers=FORM).status_code == 415


def sound_then_wait(pieces: list[bytes], go_on: threading.Event) -> Conversation:
    """A streamed answer whose later pieces come only when the reader has had the first."""

    def converse(connection: socket.socket) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ntransfer-encoding: chunked\r\n\r\n"
        connection.sendall(head)
        for number, piece in enumerate(pieces):
            if number:
                assert go_on.wait(20)
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")

    return converse


def test_sound_passes_as_it_comes(workshop: Workshop, user: User, key: str) -> None:
    go_on = threading.Event()
    workshop.upstream.script(key, sound_then_wait([b"\xff\xfb1", b"\x00\xff2", b"3"], go_on))
    with user.gateway.stream("POST", SPEECH, json=SPOKEN) as answered:
        assert answered.headers["content-type"] == "audio/mpeg"
        assert answered.headers["x-content-type-options"] == "nosniff"
        assert answered.headers["x-ownkey-model"] == "m"
        pieces = answered.iter_raw()
        assert next(pieces) == b"\xff\xfb1"
        go_on.set()
        assert b"".join(pieces) == b"\x00\xff23"
    receipt = user.receipt(answered)
    assert (receipt["status"], receipt["usage_reported"]) == ("completed", False)
    assert receipt["ttft_ms"] > 0


def test_a_slow_listener_slows_the_provider_down(workshop: Workshop, user: User, key: str) -> None:
    total, sent, stalled = 64 * 1024 * 1024, [0], threading.Event()

    def converse(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: audio/pcm\r\ncontent-length: %d\r\n\r\n" % total)
        connection.settimeout(0.5)
        piece = bytes(64 * 1024)
        while sent[0] < total:
            try:
                sent[0] += connection.send(piece[: total - sent[0]])
            except TimeoutError:
                stalled.set()

    workshop.upstream.script(key, converse)
    with user.gateway.stream("POST", SPEECH, json=SPOKEN) as answered:
        pieces = answered.iter_raw()
        got = len(next(pieces))
        assert stalled.wait(20)
        assert sent[0] < total // 2
        got += sum(map(len, pieces))
    assert got == total
    assert user.receipt(answered)["status"] == "completed"


def test_a_listener_that_leaves_ends_the_providers_work(workshop: Workshop, user: User, key: str) -> None:
    gone = threading.Event()

    def converse(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: audio/pcm\r\ncontent-length: 1000\r\n\r\nabc")
        if not connection.recv(1):
            gone.set()

    workshop.upstream.script(key, converse)
    with user.gateway.stream("POST", SPEECH, json=SPOKEN) as answered:
        assert next(answered.iter_raw()) == b"abc"
    assert gone.wait(20)
    until(lambda: user.receipt(answered)["status"] == "cancelled", "the account")


def test_a_large_file_passes_whole(workshop: Workshop, user: User, key: str) -> None:
    workshop.upstream.script(key, answer(200, {"text": "long"}))
    recorded = FILE[:-2] + bytes(range(256)) * 40_000 + b"\r\n"
    assert form(user, recorded + MODEL + END).json() == {"text": "long"}
    assert workshop.upstream.seen(key)[-1].body == recorded + MODEL.replace(b"custom/m", b"m") + END


@pytest.mark.parametrize("kind", ["text/plain; charset=utf-8", "text/vtt", "application/x-subrip", "audio/x-wav"])
def test_kinds_of_media_pass(workshop: Workshop, user: User, key: str, kind: str) -> None:
    workshop.upstream.script(key, answer(200, b"1\n00:00 --> 00:01\nhi\n", kind=kind))
    answered = form(user)
    assert (answered.status_code, answered.headers["content-type"]) == (200, kind)
    assert answered.content == b"1\n00:00 --> 00:01\nhi\n"


def test_bytes_of_no_kind_are_bytes(workshop: Workshop, user: User, key: str) -> None:
    workshop.upstream.script(key, answer(200, b"\x00\x01", kind=""))
    answered = user.gateway.post(SPEECH, json=SPOKEN)
    assert (answered.content, answered.headers["content-type"]) == (b"\x00\x01", "application/octet-stream")


@pytest.mark.parametrize("kind", ["text/html", "application/zip", "text/javascript", "image/svg+xml"])
def test_other_kinds_are_no_answer(workshop: Workshop, user: User, key: str, kind: str) -> None:
    workshop.upstream.script(key, answer(200, b"<script>", kind=kind))
    answered = user.gateway.post(SPEECH, json=SPOKEN)
    assert answered.status_code == 502
    assert answered.json()["error"]["code"] == "upstream_error"
    assert user.receipt(answered)["status"] == "failed"


def test_sound_that_breaks_off_has_no_proper_end(workshop: Workshop, user: User, key: str) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 100\r\n\r\n"
    workshop.upstream.script(key, head + b"half")
    with user.gateway.stream("POST", SPEECH, json=SPOKEN) as answered:
        pieces: list[bytes] = []
        with pytest.raises(httpx2.RemoteProtocolError):
            pieces.extend(answered.iter_raw())
    assert b"".join(pieces) == b"half"
    assert user.receipt(answered)["status"] == "failed"


def test_an_error_in_an_accepted_answer_is_told(workshop: Workshop, user: User, key: str) -> None:
    workshop.upstream.script(key, answer(200, {"error": {"message": f"bad {key}", "type": "server_error"}}))
    answered = form(user)
    assert answered.status_code == 502
    assert answered.json()["error"]["message"] == "bad [redacted]"


@pytest.mark.parametrize("path", [SPEECH, TRANSCRIPTIONS])
def test_the_next_key_takes_over(workshop: Workshop, user: User, new_key: str, path: str) -> None:
    url = workshop.upstream.url + "/v1"
    first, second = f"{new_key}-first", f"{new_key}-second"
    user.add_key("custom", first, base_url=url, label="first", priority=1)
    user.add_key("custom", second, base_url=url, label="second", priority=2)
    workshop.upstream.script(first, refusal(503))
    workshop.upstream.script(second, answer(200, b"sound", kind="audio/mpeg"))
    answered = user.gateway.post(SPEECH, json=SPOKEN) if path == SPEECH else form(user)
    assert (answered.content, answered.headers["x-ownkey-attempts"]) == (b"sound", "2")
    assert workshop.upstream.seen(first)[-1].body == workshop.upstream.seen(second)[-1].body


def image_event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind} | fields)}\n\n".encode()


IMAGE = {"model": "custom/m", "prompt": "x", "stream": True}
DONE = image_event(
    "image_generation.completed", b64_json="QQ==", usage={"input_tokens": 3, "output_tokens": 9, "total_tokens": 12}
)


def test_whole_images_pass_in_events_however_large(workshop: Workshop, user: User, key: str) -> None:
    large = image_event("image_generation.completed", b64_json="A" * 12_000_000, usage={"input_tokens": 3})
    partial = image_event("image_generation.partial_image", b64_json="QQ==")
    sent = partial + large
    cuts = [sent[at : at + 1_000_000] for at in range(0, len(sent), 1_000_000)]
    workshop.upstream.script(key, stream(cuts))
    answered = user.gateway.post("/v1/images/generations", json=IMAGE)
    assert answered.content == sent
    receipt = user.receipt(answered)
    assert (receipt["status"], receipt["input_tokens"], receipt["usage_reported"]) == ("completed", 3, True)


def test_a_stream_of_images_that_breaks_off_ends_in_an_error(workshop: Workshop, user: User, key: str) -> None:
    partial = image_event("image_generation.partial_image", b64_json="QQ==")
    workshop.upstream.script(key, stream([partial, DONE[:30]], end=b""))
    answered = user.gateway.post("/v1/images/generations", json=IMAGE)
    assert answered.content.startswith(partial + b'data: {"error":')
    assert user.receipt(answered)["status"] == "failed"


def test_an_error_instead_of_the_first_event_keeps_its_status(workshop: Workshop, user: User, key: str) -> None:
    failed = b'event: error\ndata: {"type":"error","error":{"message":"no","code":"rate_limit_exceeded"}}\n\n'
    workshop.upstream.script(key, stream([failed]))
    assert user.gateway.post("/v1/images/generations", json=IMAGE).status_code == 429


def test_a_provider_may_answer_whole_where_a_stream_was_asked_for(workshop: Workshop, user: User, key: str) -> None:
    workshop.upstream.script(key, answer(200, {"created": 1, "data": [], "usage": {"input_tokens": 1}}))
    answered = user.gateway.post("/v1/images/generations", json=IMAGE)
    assert answered.json()["created"] == 1
    assert answered.headers["content-type"] == "application/json"


def test_completions_pass_and_their_usage_is_asked_for_and_kept_back(workshop: Workshop, user: User, key: str) -> None:
    text = chunk_event(object="text_completion", choices=[{"index": 0, "text": "hi", "finish_reason": None}])
    usage = chunk_event(object="text_completion", choices=[], usage={"prompt_tokens": 2, "completion_tokens": 1})
    workshop.upstream.script(key, stream([text, usage, b"data: [DONE]\n\n"]))
    body = {"model": "custom/m", "prompt": ["a", "b"], "suffix": "x", "stream": True}
    answered = user.gateway.post("/v1/completions", json=body)
    assert answered.content == text + b"data: [DONE]\n\n"
    sent = workshop.upstream.seen(key)[-1]
    assert sent.path == "/v1/completions"
    assert sent.json() == body | {"model": "m", "stream_options": {"include_usage": True}}
    assert user.receipt(answered)["output_tokens"] == 1


def test_moderations_without_a_model_pass_as_they_are(workshop: Workshop, user: User, new_key: str) -> None:
    user.add_key("openai", new_key, base_url=workshop.upstream.url + "/v1")
    workshop.upstream.script(new_key, answer(200, {"id": "modr-1", "model": "m", "results": []}))
    answered = user.gateway.post(
        "/v1/moderations", content=b'{"input": "x"}', headers={"content-type": "application/json"}
    )
    assert answered.status_code == 200
    assert answered.headers["x-ownkey-model"] == "omni-moderation-latest"
    assert workshop.upstream.seen(new_key)[-1].body == b'{"input": "x"}'
    assert user.receipt(answered)["list_cost_usd"] in ("0", "0.00")
