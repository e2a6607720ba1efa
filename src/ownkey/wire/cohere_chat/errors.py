"""Cohere's error shape: `{"id", "message"}`."""

from ownkey.wire.errors import WireError, read_error


def read(status: int, body: bytes) -> WireError:
    return read_error(status, body)
