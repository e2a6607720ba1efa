"""A secret is found in every spelling in which a provider's answer could hold it."""

import base64
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownkey.domain.secret import Secret
from ownkey.gateway.scrub import scrub, scrub_text

KEY = "sk-live/Ab+c=d%e&f\"g\\h'i0123456789"
VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=12, max_size=60)


@pytest.mark.parametrize(
    "spelled",
    [
        KEY,
        quote(KEY, safe=""),
        quote(KEY),
        quote_plus(KEY),
        re.sub("%..", lambda escape: escape[0].lower(), quote(KEY, safe="")),
        json.dumps(KEY)[1:-1],
        json.dumps(KEY)[1:-1].replace("/", "\\/"),
    ],
)
def test_a_spelling_is_taken_out_whole(spelled: str) -> None:
    assert scrub(f"before {spelled} after {spelled}".encode(), Secret(KEY)) == b"before [redacted] after [redacted]"


@pytest.mark.parametrize("prefix", ["", "x", "xx", "xxx", "Bearer ", "user:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_found_at_every_alignment(prefix: str, encode: Callable[[bytes], bytes]) -> None:
    left = scrub(encode(f"{prefix}{KEY} and more".encode()), Secret(KEY))
    assert b"[redacted]" in left
    assert len(left) < 40


@given(VISIBLE, st.text(max_size=20), st.text(max_size=20))
def test_no_key_survives_in_json(key: str, before: str, after: str) -> None:
    body = json.dumps({"message": f"{before}{key}{after}"}, ensure_ascii=False).encode("utf-8", "replace")
    left = scrub(body, Secret(key))
    assert key.encode() not in left
    assert json.dumps(key)[1:-1].encode() not in left


def test_what_holds_no_secret_is_the_same_object() -> None:
    data = b"nothing to see here"
    assert scrub(data, Secret(KEY)) is data


def test_a_word_is_no_secret() -> None:
    assert scrub(b"none of it", Secret("none")) == b"none of it"


def test_text_keeps_its_other_characters() -> None:
    assert scrub_text(f"schlüssel {KEY} 💥", Secret(KEY)) == "schlüssel [redacted] 💥"


def test_every_part_of_a_key_of_several_parts_is_taken_out() -> None:
    parts = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCY", "IQoJb3JpZ2luX2VjEXAMPLE//wEaCX")
    for spelled in (*parts, ":".join(parts), quote(parts[1], safe=""), json.dumps(parts[2]).replace("/", "\\/")):
        left = scrub(f"before {spelled} after".encode(), Secret(":".join(parts)))
        assert b"[redacted]" in left
        assert not any(part.encode() in left for part in parts)


def test_what_a_secret_was_exchanged_for_is_taken_out_too() -> None:
    token = Secret("eyJ0eXAiOiJKV1QifQ.e30.sig", ("client-secret-0123",))
    assert scrub(b"client-secret-0123 for eyJ0eXAiOiJKV1QifQ.e30.sig", token) == b"[redacted] for [redacted]"
