"""The response parser alone: every cut of an answer gives the same result or the same refusal."""

import pytest
from tests.net.hostile import chunked, sized

from ownkey.gateway.net.exchange import Exchange
from ownkey.gateway.net.parsing import Malformed, ResponseParser
from ownkey.gateway.net.settings import NetSettings

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"


def parse(*pieces: bytes, limits: NetSettings | None = None) -> tuple[ResponseParser, Exchange]:
    parser, exchange = ResponseParser(limits or NetSettings()), Exchange()
    parser.begin(exchange, head_only=False)
    for piece in pieces:
        parser.feed(piece)
    return parser, exchange


def feed_until_refused(parser: ResponseParser, piece: bytes, limit: int) -> None:
    for _ in range(limit // len(piece) + 1):
        parser.feed(piece)


def cuts(data: bytes) -> list[tuple[bytes, ...]]:
    """Whole, in two at every byte, and byte by byte."""
    return [
        (data,),
        *((data[:i], data[i:]) for i in range(1, len(data))),
        tuple(data[i : i + 1] for i in range(len(data))),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        sized(b"hello", b"a: b"),
        chunked(b"h", b"ello", trailer=b"t: 1\r\n"),
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: x\r\n\r\n" + sized(b"hello"),
    ],
)
def test_every_cut_gives_the_same_message(answer: bytes) -> None:
    for pieces in cuts(answer):
        parser, exchange = parse(*pieces)
        assert exchange.complete
        assert parser.reusable
        assert not parser.until_close
        assert b"".join(exchange.pieces) == b"hello"
        assert b"link" not in dict(exchange.headers)


MALFORMED = {
    "no status line": b"hello\r\n\r\n",
    "a request": b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
    "lower-case protocol": b"http/1.1 200 OK\r\n\r\n",
    "HTTP/0.9": b"HTTP/0.9 200 OK\r\n\r\n",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\n\r\n",
    "HTTP/11.1": b"HTTP/11.1 200 OK\r\n\r\n",
    "two spaces": b"HTTP/1.1  200 OK\r\n\r\n",
    "status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "status zero": b"HTTP/1.1 000 OK\r\n\r\n",
    "status below 100": b"HTTP/1.1 099 OK\r\n\r\n",
    "status above 599": b"HTTP/1.1 600 OK\r\n\r\n",
    "status not a number": b"HTTP/1.1 2x0 OK\r\n\r\n",
    "negative status": b"HTTP/1.1 -20 OK\r\n\r\n",
    "upgrade": b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
    "101 alone": b"HTTP/1.1 101 Switching\r\n\r\n",
    "bare LF after status": b"HTTP/1.1 200 OK\ncontent-length: 0\n\n",
    "bare CR after status": b"HTTP/1.1 200 OK\rX: 1\r\n\r\n",
    "no colon": OK + b"header\r\n\r\n",
    "space before colon": OK + b"content-length : 0\r\n\r\n",
    "no name": OK + b": 1\r\n\r\n",
    "name beyond ASCII": OK + b"\xc3\xa9: 1\r\n\r\n",
    "NUL in name": OK + b"a\0: 1\r\n\r\n",
    "NUL in value": OK + b"a: \0\r\n\r\n",
    "control in value": OK + b"a: \x01\r\n\r\n",
    "DEL in value": OK + b"a: \x7f\r\n\r\n",
    "folded line": OK + b"a: 1\r\n 2\r\n\r\n",
    "tab-folded line": OK + b"a: 1\r\n\t2\r\n\r\n",
    "line beginning with space": OK + b" a: 1\r\n\r\n",
    "bare LF in head": OK + b"a: 1\nb: 2\r\n\r\n",
    "bare CR in head": OK + b"a: 1\rb: 2\r\n\r\n",
    "length negative": OK + b"content-length: -1\r\n\r\n",
    "length with plus": OK + b"content-length: +1\r\n\r\n",
    "length hexadecimal": OK + b"content-length: 0x1\r\n\r\n",
    "length with a fraction": OK + b"content-length: 1.0\r\n\r\n",
    "length empty": OK + b"content-length: \r\n\r\n",
    "length list": OK + b"content-length: 1, 1\r\n\r\n",
    "length of two numbers": OK + b"content-length: 1 1\r\n\r\n",
    "length overflow": OK + b"content-length: 18446744073709551616\r\n\r\n",
    "length beyond 18 digits": OK + b"content-length: 1000000000000000000\r\n\r\n",
    "length twice, equal": OK + b"content-length: 1\r\ncontent-length: 1\r\n\r\n",
    "length twice, different": OK + b"content-length: 1\r\nContent-Length: 2\r\n\r\n",
    "length then coding": OK + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
    "coding then length": OK + b"transfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n",
    "identity coding and length": OK + b"transfer-encoding: identity\r\ncontent-length: 1\r\n\r\n",
    "coding gzip": OK + b"transfer-encoding: gzip\r\n\r\n",
    "coding gzip, chunked": OK + b"transfer-encoding: gzip, chunked\r\n\r\n",
    "coding chunked, identity": OK + b"transfer-encoding: chunked, identity\r\n\r\n",
    "coding chunked, chunked": OK + b"transfer-encoding: chunked, chunked\r\n\r\n",
    "coding twice": OK + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
    "coding xchunked": OK + b"transfer-encoding: xchunked\r\n\r\n",
    "coding empty": OK + b"transfer-encoding: \r\n\r\n",
    "coding in HTTP/1.0": b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    "chunk size negative": CHUNKED + b"-1\r\n",
    "chunk size not hexadecimal": CHUNKED + b"g\r\n",
    "chunk size with prefix": CHUNKED + b"0x5\r\nhello\r\n",
    "chunk size empty": CHUNKED + b"\r\n",
    "chunk size after space": CHUNKED + b" 5\r\nhello\r\n",
    "chunk size before space": CHUNKED + b"5 \r\nhello\r\n",
    "chunk size overflow": CHUNKED + b"1ffffffffffffffff\r\n",
    "chunk longer than its size": CHUNKED + b"4\r\nhello\r\n",
    "chunk without line end": CHUNKED + b"5\r\nhello0\r\n\r\n",
    "chunk size with bare LF": CHUNKED + b"5\nhello\r\n",
    "trailer without colon": CHUNKED + b"0\r\ntrailer\r\n\r\n",
    "gzip content": OK + b"content-encoding: gzip\r\n\r\n",
}


@pytest.mark.parametrize("answer", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_answer_is_refused_in_every_cut(answer: bytes) -> None:
    for pieces in cuts(answer):
        with pytest.raises(Malformed):
            parse(*pieces)


SURPLUS = {
    "text": b"x",
    "another response": OK + b"content-length: 0\r\n\r\n",
    "begin of another": b"H",
    "blank lines and another": b"\r\n\r\nHTTP/1.1 200 OK\r\n",
}


@pytest.mark.parametrize("surplus", SURPLUS.values(), ids=SURPLUS.keys())
@pytest.mark.parametrize("answer", [sized(b"hello"), sized(b""), chunked(b"hello"), sized(b"", status=b"204 No")])
def test_bytes_after_the_end_leave_the_message_and_spoil_the_connection(answer: bytes, surplus: bytes) -> None:
    parser, exchange = parse(answer + surplus)
    assert exchange.complete
    assert not parser.reusable
    assert b"".join(exchange.pieces) in (b"hello", b"")


@pytest.mark.parametrize(
    ("answer", "reusable"),
    [
        (sized(b"x"), True),
        (sized(b"x", b"connection: keep-alive"), True),
        (sized(b"x", b"Connection: Close"), False),
        (sized(b"x", b"connection: x, close"), False),
        (sized(b"x", b"connection: keep-alive, close"), False),
        (sized(b"x").replace(b"1.1", b"1.0"), False),
        (sized(b"x", b"connection: keep-alive").replace(b"1.1", b"1.0"), False),
        (b"HTTP/1.1 204 No\r\n\r\n", True),
        (b"HTTP/1.1 204 No\r\ncontent-length: 3\r\n\r\n", True),
        (chunked(b"x"), True),
    ],
)
def test_connection_is_reusable_only_when_both_sides_agree(answer: bytes, reusable: bool) -> None:
    parser, exchange = parse(answer)
    assert exchange.complete
    assert parser.reusable is reusable


def test_limits_hold_exactly_and_in_every_cut() -> None:
    limits = NetSettings(max_head_bytes=100, max_headers=4, max_header_line=40)
    fits = OK + b"a: " + b"x" * 39 + b"\r\nb: " + b"x" * 28 + b"\r\n\r\n"
    assert len(fits) == 96
    body = b"y" * 1000
    for answer in (fits, fits.replace(b"OK", b"OK++++")):
        assert parse(answer + body, limits=limits)[1].size == 1000
    for pieces in cuts(fits.replace(b"OK", b"OK+++++")):
        with pytest.raises(Malformed):
            parse(*pieces, limits=limits)
    for answer in (OK + b"a: 1\r\n" * 5 + b"\r\n", OK + b"a: " + b"x" * 40 + b"\r\n\r\n"):
        for pieces in cuts(answer):
            with pytest.raises(Malformed):
                parse(*pieces, limits=limits)


@pytest.mark.parametrize(
    "endless",
    [
        b"a: b\r\n",  # headers
        b"x",  # one line
        b"\r\nHTTP/1.1 100 Continue\r\n",  # interim responses
    ],
)
def test_endless_head_is_refused_at_the_limit(endless: bytes) -> None:
    parser, exchange = ResponseParser(NetSettings()), Exchange()
    parser.begin(exchange, head_only=False)
    parser.feed(OK.replace(b"200", b"100") if endless.startswith(b"\r\n") else OK)
    with pytest.raises(Malformed):
        feed_until_refused(parser, endless, 64 * 1024)


@pytest.mark.parametrize("beginning", [b"5;", b"0\r\na: "], ids=["chunk extension", "trailer"])
def test_endless_framing_is_refused_at_the_limit(beginning: bytes) -> None:
    parser, exchange = ResponseParser(NetSettings()), Exchange()
    parser.begin(exchange, head_only=False)
    parser.feed(CHUNKED + beginning)
    with pytest.raises(Malformed):
        feed_until_refused(parser, b"x" * 100, 17 * 1024)


def test_tiny_chunks_are_not_mistaken_for_endless_framing() -> None:
    _, exchange = parse(CHUNKED, *([b"1\r\nx\r\n"] * 50_000), b"0\r\n\r\n")
    assert exchange.complete
    assert exchange.size == 50_000


def test_announced_huge_chunk_allocates_nothing() -> None:
    _, exchange = parse(CHUNKED + b"fffffffffffffff\r\nhello")
    assert exchange.size == 5
    assert not exchange.complete
