import os

import pytest

from ownkey.domain.api_key import LENGTH, is_api_key, mint_api_key


def test_a_minted_key_has_prefix_length_and_valid_checksum() -> None:
    key = mint_api_key(os.urandom(32))
    assert key.startswith("ok_")
    assert len(key) == LENGTH
    assert is_api_key(key)


@pytest.mark.parametrize("entropy", [b"\x00" * 32, b"\xff" * 32])
def test_extreme_entropy_keeps_the_length(entropy: bytes) -> None:
    assert len(mint_api_key(entropy)) == LENGTH


def test_any_single_changed_character_is_noticed() -> None:
    key = mint_api_key(bytes(range(32)))
    for position in range(len(key)):
        for other in "0Az":
            if key[position] != other:
                assert not is_api_key(key[:position] + other + key[position + 1 :])


@pytest.mark.parametrize("text", ["", "ok_", "sk-abc", "ok_" + "é" * 49, "ok_" + "0" * 48])
def test_other_texts_are_no_keys(text: str) -> None:
    assert not is_api_key(text)


def test_entropy_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        mint_api_key(b"short")
