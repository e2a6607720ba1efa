"""A provider that answers each key as a test tells it to, over real sockets."""

import json
import socket
import socketserver
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs

Conversation = Callable[[socket.socket], None]
Reply = bytes | Conversation


class Seen:
    """One request as it arrived."""

    def __init__(self, head: bytes, body: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        self.path = lines[0].split(" ")[1]
        fields = [line.partition(": ") for line in lines[1:] if line]
        self.headers = {name.lower(): value for name, _, value in fields}
        self.body = body

    @property
    def key(self) -> str:
        """The key, for a signature the access key's id, for a form that exchanges a secret the secret."""
        sent = self.headers.get("authorization", "").removeprefix("Bearer ")
        if sent.startswith("AWS4-"):
            return sent.partition("Credential=")[2].partition("/")[0]
        secret = parse_qs(self.body.decode("latin-1")).get("client_secret") if b"client_secret=" in self.body else None
        carriers = (self.headers.get(name) for name in ("x-api-key", "x-goog-api-key", "api-key"))
        return secret[0] if secret else next(filter(None, carriers), sent)

    def json(self) -> Any:
        return json.loads(self.body)


class ScriptedUpstream:
    """Listens on a free port. The last reply of a script repeats; a key without a script gets a fitting answer."""

    def __init__(self) -> None:
        upstream = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                upstream.serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 128

        self._server = Server(("127.0.0.1", 0), Handler)
        self._scripts: dict[str, deque[Reply]] = {}
        self._seen: list[Seen] = []
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.address}"

    def script(self, key: str, *replies: Reply) -> None:
        """What the requests with this key get, in order."""
        self._scripts[key] = deque(replies)

    def seen(self, key: str) -> list[Seen]:
        """The requests with this key, in order."""
        return [request for request in self._seen if request.key == key]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def serve(self, connection: socket.socket) -> None:
        request = _read(connection)
        if request is None:
            return
        self._seen.append(request)
        script = self._scripts.get(request.key)
        reply: Reply = chat_answer() if not script else script.popleft() if len(script) > 1 else script[0]
        try:
            if callable(reply):
                reply(connection)
            else:
                connection.sendall(reply)
        except OSError:
            return


def _read(connection: socket.socket) -> Seen | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    request = Seen(head, b"")
    length = int(request.headers.get("content-length", "0"))
    while len(body) < length:
        body += connection.recv(65536)
    request.body = body
    return request


def answer(status: int, body: Any, *headers: str, kind: str = "application/json") -> bytes:
    """A whole HTTP answer; `body` is bytes, or anything to be written as JSON."""
    content: bytes = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = [f"HTTP/1.1 {status} X", f"content-length: {len(content)}", "connection: close", *headers]
    if kind:
        fields.append(f"content-type: {kind}")
    return "\r\n".join(fields).encode() + b"\r\n\r\n" + content


def chat_answer(text: str = "hello") -> bytes:
    """A chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    return answer(
        200, {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    )


def refusal(status: int, message: str = "no", *headers: str, **fields: Any) -> bytes:
    """An error in OpenAI's shape."""
    return answer(status, {"error": {"message": message, "type": "some_error", "code": None} | fields}, *headers)


STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def stream(pieces: Sequence[bytes], end: bytes = b"0\r\n\r\n") -> Conversation:
    """A streamed answer, each piece its own packet; without `end` the connection breaks off."""

    def converse(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(STREAM_HEAD)
        for piece in pieces:
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        connection.sendall(end)

    return converse


def chunk_event(text: str = "", **fields: Any) -> bytes:
    """A chat completion chunk as an event."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    body = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]} | fields
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


def message_event(kind: str, **fields: Any) -> bytes:
    """An event of a message stream."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind} | fields)}\n\n".encode()


DONE = b"data: [DONE]\n\n"
