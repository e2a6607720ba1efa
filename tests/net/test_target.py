"""One URL, one reading."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownkey.domain.errors import InvalidRequest
from ownkey.gateway.net import AddressBlocked, AddressGuard, Target
from ownkey.gateway.net.host import read_host


@pytest.mark.parametrize(
    ("url", "label", "host_header", "path"),
    [
        ("https://api.example.com", "https://api.example.com:443", b"api.example.com", b"/"),
        ("HTTPS://API.Example.COM/V1", "https://api.example.com:443", b"api.example.com", b"/V1"),
        ("https://api.example.com:443/", "https://api.example.com:443", b"api.example.com", b"/"),
        ("http://api.example.com:443/", "http://api.example.com:443", b"api.example.com:443", b"/"),
        ("http://x:8080?a=b", "http://x:8080", b"x:8080", b"/?a=b"),
        ("http://x/a?b=/?c", "http://x:80", b"x", b"/a?b=/?c"),
        ("http://x/models/a:generate?alt=sse", "http://x:80", b"x", b"/models/a:generate?alt=sse"),
        ("http://x/a%2Fb@c/~d", "http://x:80", b"x", b"/a%2Fb@c/~d"),
        ("http://x/a//b", "http://x:80", b"x", b"/a//b"),
        ("http://1.2.3.4/", "http://1.2.3.4:80", b"1.2.3.4", b"/"),
        ("http://[2606:4700::1]:81/", "http://[2606:4700::1]:81", b"[2606:4700::1]:81", b"/"),
        ("http://[2606:4700:0:0::0001]/", "http://[2606:4700::1]:80", b"[2606:4700::1]", b"/"),
        ("http://bücher.example/", "http://xn--bcher-kva.example:80", b"xn--bcher-kva.example", b"/"),
        ("http://XN--bcher-kva.example/", "http://xn--bcher-kva.example:80", b"xn--bcher-kva.example", b"/"),
        ("http://faß.example/", "http://xn--fa-hia.example:80", b"xn--fa-hia.example", b"/"),
        ("http://my_model:8000/", "http://my_model:8000", b"my_model:8000", b"/"),
        ("http://4chan.example/", "http://4chan.example:80", b"4chan.example", b"/"),
        ("http://127.0.0.1.nip.io/", "http://127.0.0.1.nip.io:80", b"127.0.0.1.nip.io", b"/"),
    ],
)
def test_url_has_one_normal_form(url: str, label: str, host_header: bytes, path: bytes) -> None:
    target = Target.parse(url)
    assert (target.label, target.path) == (label, path)
    assert b"\r\nhost: " + host_header + b"\r\n" in target.start


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http://:80/",
        "http://x:/",
        "http://x:0/",
        "http://x:65536/",
        "http://x:080/",
        "http://x:٨٠/",
        "http://x:-1/",
        "http://.x/",
        "http://x./",
        "http://x..y/",
        "http://-x/",
        "http://x-/",
        "http://ab--cd.example/",
        "http://xn--/",
        "http://xn--a.example/",
        "http://xn--zzzzzz-.example/",
        "http://xn--bcher-kva\u00ad.example/",
        "http://BÜCHER.example/",
        "http://\u212a.example/",
        "http://a\u0301.example/",
        "http://☃.example/",
        "http://a\u200db.example/",
        f"http://{'a' * 64}.example/",
        f"http://{'a.' * 127}example/",
        "http://a*b.example/",
        "http://a,b/",
        "http://a%41/",
        "http://x/..",
        "http://x/../y",
        "http://x/a/./b",
        "http://x/a/%2e%2e/b",
        "http://x/a/.%2E/b",
        "http://x/a/..;x/b",
        "http://x//y",
        "http://x/a b",
        "http://x/é",
        "http://x/a%",
        "http://x/a%2",
        "http://x/a%zz",
        "http://x/a\\b",
        'http://x/"',
        "http://x/<a>",
        "http://x/{a}",
        "http://x/a|b",
        "http://x/?a=%",
        "http://x/?a=é",
        "http://x/#",
        "http://x/?a#b",
        "https://x/" + "a" * 8192,
    ],
)
def test_url_with_a_second_reading_is_refused_and_names_the_field(url: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        Target.parse(url, "config.url")
    assert refused.value.param == "config.url"


@given(st.text(max_size=60) | st.from_regex(r"\Ahttps?://[ -~]{0,40}\Z"))
def test_any_text_is_refused_or_has_a_stable_normal_form(text: str) -> None:
    try:
        target = Target.parse(text)
    except InvalidRequest:
        return
    again = Target.parse(target.label + target.path.decode())
    assert again == target
    assert target.host.isascii()
    assert target.host == target.host.lower()
    assert read_host(f"[{target.host}]" if ":" in target.host else target.host, "x") == (target.host, target.address)


def test_guard_refuses_early_what_needs_no_network() -> None:
    guard = AddressGuard.of(["localhost:11434", "[FD12::0001]:8000", "10.0.0.5:1"])
    for url in (
        "http://localhost:11434/v1",
        "http://[fd12::1]:8000/",
        "http://10.0.0.5:1/",
        "https://api.example.com/",
    ):
        guard.check_url(url)
    for url in (
        "http://localhost:11435/",
        "http://a.localhost/",
        "http://[fd12::1]/",
        "http://10.0.0.5/",
        "http://[::1]/",
    ):
        with pytest.raises(AddressBlocked):
            guard.check_url(url)
        guard.check_url(url, trusted=True)
    for url in ("http://169.254.169.254/", "http://0.0.0.0/"):
        with pytest.raises(AddressBlocked):
            guard.check_url(url, trusted=True)


@pytest.mark.parametrize(
    "endpoint", ["", "x", "x:", ":1", "x:y", "x:0", "x:70000", "http://x:1", "x:1/", "a@x:1", "x/y:1"]
)
def test_allow_list_entry_that_is_not_host_and_port_is_refused(endpoint: str) -> None:
    with pytest.raises(InvalidRequest):
        AddressGuard.of([endpoint])
