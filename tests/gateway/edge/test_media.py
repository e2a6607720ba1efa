"""Which announced bodies are read."""

import pytest

from ownkey.domain.errors import UnsupportedMediaType
from ownkey.gateway.edge.exchange import Request
from ownkey.gateway.edge.media import check_json_body


def request(*fields: tuple[bytes, bytes]) -> Request:
    return Request("POST", "/v1/x", b"", fields, b"{}", "127.0.0.1", 0.0, 0.0)


@pytest.mark.parametrize(
    "kind",
    [
        b"application/json",
        b"Application/JSON",
        b"application/json; charset=utf-8",
        b'application/json;charset="UTF-8"',
        b"application/json ; charset = utf8",
        b"application/json;",
        b"application/vnd.api+json",
        b"application/problem+json; charset=UTF-8",
    ],
)
def test_json_in_utf_8_is_read(kind: bytes) -> None:
    check_json_body(request((b"content-type", kind)))


@pytest.mark.parametrize(
    "kind",
    [
        b"",
        b"application/x-www-form-urlencoded",
        b"text/plain",
        b"text/json",
        b"application/jsonp",
        b"application/jsonl",
        b"application/json; charset=latin-1",
        b"application/json; charset=utf-16",
        b"application/json, text/plain",
        b"multipart/form-data; boundary=application/json",
        b"text/plain; a=application/json",
        b"+json",
    ],
)
def test_anything_else_is_told_what_to_send(kind: bytes) -> None:
    with pytest.raises(UnsupportedMediaType, match="content-type: application/json"):
        check_json_body(request((b"content-type", kind)))


def test_a_missing_content_type_is_told_what_to_send() -> None:
    with pytest.raises(UnsupportedMediaType, match="send `content-type: application/json`"):
        check_json_body(request())


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"identity, gzip", b"deflate", b"zstd"])
def test_compressed_bodies_are_refused(encoding: bytes) -> None:
    with pytest.raises(UnsupportedMediaType, match="Compressed"):
        check_json_body(request((b"content-type", b"application/json"), (b"content-encoding", encoding)))


def test_identity_is_no_compression() -> None:
    check_json_body(request((b"content-type", b"application/json"), (b"content-encoding", b"Identity")))
