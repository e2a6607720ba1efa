"""The envelope: one secret sealed under one 256-bit key. Pure; the format is described in docs/vault-format.md.

    version (1) | key id (16) | nonce (12) | commitment (32) | ciphertext | tag (16)

AES-256-GCM under a subkey derived by HKDF-SHA-256 for the purpose. The associated data is everything
before the ciphertext, then the place and the key id, each field after its length. GCM alone does not
commit to its key, so the envelope carries a value derived beside the subkey, and opening compares it first.

The place says where a secret belongs. It is bound into the ciphertext and is not stored with it.
"""

import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from msgspec import Struct


class Place(Struct, frozen=True):
    """Purpose, tenant, table, row and provider of one secret; moving the ciphertext anywhere else breaks it."""

    purpose: str
    tenant: str
    table: str
    row: str
    provider: str

    def encode(self) -> bytes:
        """The fields as UTF-8, each after its length."""
        fields = (self.purpose, self.tenant, self.table, self.row, self.provider)
        return join_fields(*(field.encode() for field in fields))


def join_fields(*fields: bytes) -> bytes:
    """Each field after its length in four bytes (big-endian), so that none can run into the next."""
    return b"".join(len(field).to_bytes(4) + field for field in fields)


VERSION = 1
KEY_ID_SIZE, NONCE_SIZE, COMMITMENT_SIZE, TAG_SIZE = 16, 12, 32, 16
HEADER_SIZE = 1 + KEY_ID_SIZE + NONCE_SIZE + COMMITMENT_SIZE
_LABEL = b"ownkey envelope v1 "


class EnvelopeError(Exception):
    """The envelope does not open. The text names the cause for the operator and holds nothing secret."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Subkey:
    """What one key gives for one purpose: a cipher and the commitment to the key."""

    cipher: AESGCM
    commitment: bytes

    def __repr__(self) -> str:
        return "Subkey(…)"


def derive_subkey(key: bytes, purpose: str) -> Subkey:
    """HKDF-Expand the 32-byte `key` for `purpose` into 32 bytes of cipher key and 32 of commitment."""
    if len(key) != 32:
        raise ValueError("a key has 32 bytes")
    material = HKDFExpand(SHA256(), 64, _LABEL + purpose.encode()).derive(key)
    return Subkey(AESGCM(material[:32]), material[32:])


def seal(subkey: Subkey, key_id: bytes, nonce: bytes, place: Place, plaintext: bytes) -> bytes:
    """The envelope. `key_id` has 16 bytes; `nonce` has 12 and is never used twice with one key."""
    if len(key_id) != KEY_ID_SIZE or len(nonce) != NONCE_SIZE:
        raise ValueError("a key id has 16 bytes and a nonce 12")
    header = bytes([VERSION]) + key_id + nonce + subkey.commitment
    return header + subkey.cipher.encrypt(nonce, plaintext, _associated_data(header, place))


def key_id_of(envelope: bytes) -> bytes:
    """The id of the key that sealed it. Raises EnvelopeError when it is cut off or of another version."""
    if len(envelope) < HEADER_SIZE + TAG_SIZE:
        raise EnvelopeError("the ciphertext is cut off")
    if envelope[0] != VERSION:
        raise EnvelopeError(f"the ciphertext has format version {envelope[0]}, not {VERSION}")
    return envelope[1 : 1 + KEY_ID_SIZE]


def open_envelope(subkey: Subkey, place: Place, envelope: bytes) -> bytes:
    """The plaintext. Raises EnvelopeError when anything about envelope, key or place differs."""
    key_id_of(envelope)
    header = envelope[:HEADER_SIZE]
    if not hmac.compare_digest(header[-COMMITMENT_SIZE:], subkey.commitment):
        raise EnvelopeError("the ciphertext was sealed under another key or for another purpose")
    nonce = header[1 + KEY_ID_SIZE : 1 + KEY_ID_SIZE + NONCE_SIZE]
    try:
        return subkey.cipher.decrypt(nonce, envelope[HEADER_SIZE:], _associated_data(header, place))
    except InvalidTag:
        raise EnvelopeError("the ciphertext was changed or moved to another place") from None


def _associated_data(header: bytes, place: Place) -> bytes:
    return header + place.encode() + join_fields(header[1 : 1 + KEY_ID_SIZE])
