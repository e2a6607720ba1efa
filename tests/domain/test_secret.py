import copy
import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownkey.domain.secret import Secret, mask

KEY = "sk-canary-9f8e7d6c5b4a"


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{:>40}".format, "%s".__mod__, "%r".__mod__])
def test_a_secret_is_never_shown(show: Callable[[object], str]):
    assert KEY not in show(Secret(KEY))


def test_a_secret_inside_containers_and_errors_is_not_shown():
    secret = Secret(KEY)
    assert KEY not in repr([secret, {"key": secret}])
    assert KEY not in str(ValueError("refused", secret))


def test_reveal_gives_the_text():
    assert Secret(KEY).reveal() == KEY


@pytest.mark.parametrize("leak", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_is_neither_serialised_nor_copied(leak: Callable[[object], object]):
    with pytest.raises(TypeError, match="never serialised"):
        leak(Secret(KEY))


def test_secrets_compare_by_content_and_cannot_be_keys_of_a_dictionary():
    assert Secret("ä") == Secret("ä")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    with pytest.raises(TypeError):
        hash(Secret("a"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sk-or-v1-0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab1234", "sk-or-v1-…1234"),
        ("sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789ABCDwxyz", "sk-ant-api03-…wxyz"),
        ("gsk_abcdefghijklmnopqrstuvwxyz7890", "gsk_…7890"),
        ("0123456789abcdef0123456789abcdef", "…cdef"),
        ("short", "…"),
        ("", "…"),
        ("elevenchars", "…"),
    ],
)
def test_a_mask_lets_its_owner_recognise_a_key(text: str, shown: str):
    assert mask(text) == shown


@given(st.text(min_size=0, max_size=200))
def test_a_mask_shows_little(text: str):
    shown = mask(text)
    head, _, tail = shown.partition("…")
    assert len(tail) <= 4
    assert len(head) <= max(len(text) // 4, 6)
    assert len(head) + len(tail) <= max(len(text) * 3 // 4, 0)
