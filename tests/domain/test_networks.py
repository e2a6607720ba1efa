"""Whose word is taken for a client's address."""

import pytest

from ownkey.domain.networks import TrustedProxies, proxy_problem

PROXY, INNER, CLIENT, LIE = "10.0.0.1", "10.0.0.2", "203.0.113.9", "198.51.100.1"
TRUSTED = TrustedProxies(["10.0.0.0/24", "2001:db8:1::/48"])


def test_nobody_is_trusted_unless_named() -> None:
    none = TrustedProxies()
    assert not none
    assert none.client_of(PROXY, [CLIENT]) == PROXY


@pytest.mark.parametrize("peer", [CLIENT, "10.0.1.1", "2001:db8:2::1", "", "testclient"])
def test_the_header_of_an_untrusted_peer_is_ignored(peer: str) -> None:
    assert TRUSTED.client_of(peer, [LIE]) == peer


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ([CLIENT], CLIENT),
        ([f"{LIE}, {CLIENT}"], CLIENT),
        ([f"{LIE}, {CLIENT}, {INNER}"], CLIENT),
        ([f"{CLIENT},{INNER},{INNER}"], CLIENT),
        ([LIE, f"{CLIENT}", INNER], CLIENT),
        ([f"garbage, {CLIENT}"], CLIENT),
        ([f", {CLIENT}"], CLIENT),
        ([f"{INNER}, {CLIENT}"], CLIENT),
        ([f"10.0.0.9, {INNER}"], "10.0.0.9"),
        (["2001:DB8::5"], "2001:db8::5"),
        (["2001:db8::5, 2001:db8:1::2"], "2001:db8::5"),
        (["::ffff:203.0.113.9"], CLIENT),
        ([f"{CLIENT}, ::ffff:10.0.0.2"], CLIENT),
    ],
)
def test_the_client_is_the_first_from_the_right_that_is_no_proxy(forwarded: list[str], client: str) -> None:
    assert TRUSTED.client_of(PROXY, forwarded) == client
    assert TRUSTED.client_of(f"::ffff:{PROXY}", forwarded) == client
    assert TRUSTED.client_of("2001:db8:1::1", forwarded) == client


@pytest.mark.parametrize(
    "forwarded",
    [
        [],
        [""],
        ["unknown"],
        ["_hidden"],
        [f"{CLIENT},"],
        [f"{CLIENT}:443"],
        ["[2001:db8::5]"],
        ["203.0.113.009"],
        [f"{CLIENT}, garbage"],
        [f"{CLIENT}, garbage, {INNER}"],
        [CLIENT, ""],
        ["1" * 10_000],
    ],
)
def test_what_cannot_be_read_leaves_the_sockets_address(forwarded: list[str]) -> None:
    assert TRUSTED.client_of(PROXY, forwarded) == PROXY


@pytest.mark.parametrize("forwarded", [[CLIENT], [f"10.0.0.9, {INNER}"], ["garbage"], [], [f"{LIE}, {CLIENT}"]])
def test_asking_again_with_the_answer_gives_the_answer(forwarded: list[str]) -> None:
    once = TRUSTED.client_of(PROXY, forwarded)
    assert TRUSTED.client_of(once, forwarded) == once


@pytest.mark.parametrize("network", ["10.0.0.0/8", "192.0.2.7", "::1", "2001:db8::/32"])
def test_what_may_be_trusted(network: str) -> None:
    assert proxy_problem(network) is None


@pytest.mark.parametrize("network", ["", "proxy.example.com", "10.0.0.5/8", "10.0.0.0/33", "0.0.0.0/0", "::/0", "*"])
def test_what_may_not_be_trusted(network: str) -> None:
    assert proxy_problem(network)
