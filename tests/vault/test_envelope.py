import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.vault import reference

from ownkey.vault.envelope import (
    HEADER_SIZE,
    EnvelopeError,
    Place,
    Subkey,
    derive_subkey,
    key_id_of,
    open_envelope,
    seal,
)

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(Path(__file__).with_name("vectors.json").read_text("utf-8"))
KEY, OTHER_KEY = bytes(range(32)), bytes(range(100, 132))
KEY_ID, NONCE = bytes(range(16)), bytes(range(12))
PLACE = Place("credential", "user:user_01", "credentials", "cred_01", "openai")
SUBKEY = derive_subkey(KEY, PLACE.purpose)
ENVELOPE = seal(SUBKEY, KEY_ID, NONCE, PLACE, b"sk-test-0123456789")

names = st.text(st.characters(codec="utf-8"), max_size=12)
places = st.builds(Place, names, names, names, names, names)
keys = st.binary(min_size=32, max_size=32)


def _name(vector: dict[str, Any]) -> str:
    return vector["name"]


@pytest.mark.parametrize("vector", VECTORS["sealed"], ids=_name)
def test_known_envelopes_are_made_and_opened(vector: dict[str, Any]) -> None:
    place = Place(**vector["place"])
    subkey = derive_subkey(bytes.fromhex(vector["key"]), place.purpose)
    sealed = bytes.fromhex(vector["sealed"])
    plaintext = vector["plaintext"].encode()
    assert seal(subkey, bytes.fromhex(vector["key_id"]), bytes.fromhex(vector["nonce"]), place, plaintext) == sealed
    assert open_envelope(subkey, place, sealed) == plaintext
    assert key_id_of(sealed).hex() == vector["key_id"]


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=_name)
def test_known_forgeries_are_refused(vector: dict[str, Any]) -> None:
    place = Place(**vector["place"])
    subkey = derive_subkey(bytes.fromhex(vector["key"]), place.purpose)
    with pytest.raises(EnvelopeError) as refused:
        open_envelope(subkey, place, bytes.fromhex(vector["sealed"]))
    assert str(refused.value) == vector["error"]
    assert refused.value.__cause__ is None


def test_an_envelope_opens_nowhere_once_cut_at_any_length() -> None:
    for length in range(len(ENVELOPE)):
        with pytest.raises(EnvelopeError):
            open_envelope(SUBKEY, PLACE, ENVELOPE[:length])
        with pytest.raises(EnvelopeError):
            open_envelope(SUBKEY, PLACE, ENVELOPE[length + 1 :])


def test_every_single_bit_matters() -> None:
    for bit in range(len(ENVELOPE) * 8):
        changed = bytearray(ENVELOPE)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(EnvelopeError):
            open_envelope(SUBKEY, PLACE, bytes(changed))


def test_every_other_value_of_every_byte_is_refused() -> None:
    for at in range(len(ENVELOPE)):
        for step in (1, 0x55, 0xAA, 0xFF):
            changed = bytearray(ENVELOPE)
            changed[at] ^= step
            with pytest.raises(EnvelopeError):
                open_envelope(SUBKEY, PLACE, bytes(changed))


def test_a_ciphertext_that_two_keys_authenticate_opens_under_the_one_it_commits_to_only() -> None:
    header = reference.header_for(KEY, PLACE.purpose, KEY_ID, NONCE)
    place = (PLACE.purpose, PLACE.tenant, PLACE.table, PLACE.row, PLACE.provider)
    data = reference.associated_data(header, place)
    first, second = (reference.cipher_key(key, PLACE.purpose) for key in (KEY, OTHER_KEY))
    forged = reference.ciphertext_for_two_keys(first, second, NONCE, data)
    meanings = [AESGCM(key).decrypt(NONCE, forged, data) for key in (first, second)]
    assert meanings[0] != meanings[1]

    assert open_envelope(SUBKEY, PLACE, header + forged) == meanings[0]
    with pytest.raises(EnvelopeError, match="another key"):
        open_envelope(derive_subkey(OTHER_KEY, PLACE.purpose), PLACE, header + forged)


@given(key=keys, key_id=st.binary(min_size=16, max_size=16), nonce=st.binary(min_size=12, max_size=12), place=places,
       plaintext=st.binary(max_size=200))  # fmt: skip
def test_what_is_sealed_opens_and_agrees_with_the_written_format(
    key: bytes, key_id: bytes, nonce: bytes, place: Place, plaintext: bytes
) -> None:
    subkey = derive_subkey(key, place.purpose)
    sealed = seal(subkey, key_id, nonce, place, plaintext)
    assert open_envelope(subkey, place, sealed) == plaintext
    assert len(sealed) == HEADER_SIZE + len(plaintext) + 16
    fields = (place.purpose, place.tenant, place.table, place.row, place.provider)
    assert sealed == reference.seal(key, key_id, nonce, fields, plaintext)


@given(place=places, other=places)
def test_no_other_place_opens_it(place: Place, other: Place) -> None:
    assume(place != other)
    sealed = seal(derive_subkey(KEY, place.purpose), KEY_ID, NONCE, place, b"secret")
    with pytest.raises(EnvelopeError):
        open_envelope(derive_subkey(KEY, other.purpose), other, sealed)


@given(place=places, other=places)
def test_two_places_never_encode_alike(place: Place, other: Place) -> None:
    assert (place.encode() == other.encode()) == (place == other)


@given(key=keys, other=keys)
def test_no_other_key_opens_it(key: bytes, other: bytes) -> None:
    assume(key != other)
    sealed = seal(derive_subkey(key, PLACE.purpose), KEY_ID, NONCE, PLACE, b"secret")
    with pytest.raises(EnvelopeError):
        open_envelope(derive_subkey(other, PLACE.purpose), PLACE, sealed)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(EnvelopeError):
        open_envelope(SUBKEY, PLACE, data)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_keys_of_a_wrong_size_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        derive_subkey(bytes(size), "credential")


def test_ids_and_nonces_of_a_wrong_size_are_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        seal(SUBKEY, KEY_ID[1:], NONCE, PLACE, b"")
    with pytest.raises(ValueError, match="nonce"):
        seal(SUBKEY, KEY_ID, NONCE + b"\0", PLACE, b"")


def test_a_subkey_does_not_show_itself() -> None:
    assert repr(Subkey(AESGCM(KEY), KEY)) == "Subkey(…)"
