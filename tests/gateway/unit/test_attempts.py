"""Attempts by themselves: after which outcomes the next one is made."""

import pytest

from ownkey.gateway.attempts import _may_be_billed, accepts
from ownkey.gateway.net import ConnectFailed, ConnectionLost, NetError, ProtocolViolation, Stage, TimedOut, TlsFailed

AT = "https://provider.test:443"


@pytest.mark.parametrize(
    ("error", "billed"),
    [
        (TimedOut(Stage.FIRST_BYTE, origin=AT, sent=True), True),
        (TimedOut(Stage.IDLE, origin=AT, sent=True), True),
        (TimedOut(Stage.CONNECT, origin=AT), False),
        (TimedOut(Stage.QUEUE, origin=AT), False),
        (ConnectionLost("lost", origin=AT, sent=True, answered=True), True),
        (ConnectionLost("lost", origin=AT, sent=True), False),
        (ConnectionLost("lost", origin=AT), False),
        (ConnectFailed("no", origin=AT), False),
        (TlsFailed("no", origin=AT), False),
        (ProtocolViolation("no", origin=AT, sent=True), False),
    ],
)
def test_what_may_be_billed_is_not_sent_again(error: NetError, billed: bool) -> None:
    assert _may_be_billed(error) is billed


class Answer:
    def __init__(self, status: int, kind: bytes | None) -> None:
        self.status = status
        self._kind = kind

    def header(self, name: bytes) -> bytes | None:
        assert name == b"content-type"
        return self._kind


@pytest.mark.parametrize(
    ("status", "kind", "accepted"),
    [
        (200, b"application/json", True),
        (200, None, True),
        (204, None, True),
        (200, b"Text/HTML; charset=utf-8", False),
        (302, b"application/json", False),
        (500, b"application/json", False),
        (199, None, False),
    ],
)
def test_a_page_is_no_answer_of_a_model(status: int, kind: bytes | None, accepted: bool) -> None:
    answer: object = Answer(status, kind)
    assert accepts(answer) is accepted  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
