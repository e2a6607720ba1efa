"""The envelope written a second time, from docs/vault-format.md alone: it must agree with `vault.envelope`."""

import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def expand(key: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand of RFC 5869, section 2.3, with SHA-256."""
    output, block, counter = b"", b"", 1
    while len(output) < length:
        block = hmac.digest(key, block + info + bytes([counter]), "sha256")
        output += block
        counter += 1
    return output[:length]


def prefixed(*fields: bytes) -> bytes:
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def header_for(key: bytes, purpose: str, key_id: bytes, nonce: bytes) -> bytes:
    commitment = expand(key, b"ownkey envelope v1 " + purpose.encode(), 64)[32:]
    return b"\x01" + key_id + nonce + commitment


def associated_data(header: bytes, place: tuple[str, ...]) -> bytes:
    return header + prefixed(*(field.encode() for field in place), header[1:17])


def cipher_key(key: bytes, purpose: str) -> bytes:
    return expand(key, b"ownkey envelope v1 " + purpose.encode(), 64)[:32]


def seal(key: bytes, key_id: bytes, nonce: bytes, place: tuple[str, ...], plaintext: bytes) -> bytes:
    """`place` is (purpose, tenant, table, row, provider)."""
    header = header_for(key, place[0], key_id, nonce)
    cipher = AESGCM(cipher_key(key, place[0]))
    return header + cipher.encrypt(nonce, plaintext, associated_data(header, place))


def block_cipher(key: bytes, block: bytes) -> bytes:
    """AES of one block."""
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # a single block: no mode at all
    return encryptor.update(block) + encryptor.finalize()


def multiply(a: int, b: int) -> int:
    """In GCM's field GF(2**128), whose bits run from the left (SP 800-38D, section 6.3)."""
    product = 0
    for bit in range(127, -1, -1):
        if a >> bit & 1:
            product ^= b
        b = b >> 1 ^ (0xE1 << 120 if b & 1 else 0)
    return product


def power(a: int, exponent: int) -> int:
    result = 1 << 127
    while exponent:
        if exponent & 1:
            result = multiply(result, a)
        a, exponent = multiply(a, a), exponent >> 1
    return result


def ciphertext_for_two_keys(first: bytes, second: bytes, nonce: bytes, data: bytes) -> bytes:
    """One block and a tag that AES-GCM accepts under both cipher keys with this associated data.

    The tag is GHASH + E(J0), and GHASH is linear in the block, so equal tags give one linear equation for it
    (Dodis, Grubbs, Ristenpart, Woodage: Fast Message Franking, 2018, section 3).
    """
    padded = data + bytes(-len(data) % 16)
    lengths = (len(data) * 8) << 64 | 128
    rests: list[int] = []
    squares: list[int] = []
    for key in (first, second):
        h = int.from_bytes(block_cipher(key, bytes(16)), "big")
        hashed = 0
        for at in range(0, len(padded), 16):
            hashed = multiply(hashed ^ int.from_bytes(padded[at : at + 16], "big"), h)
        square = multiply(h, h)
        mask = int.from_bytes(block_cipher(key, nonce + b"\0\0\0\1"), "big")
        rests.append(multiply(hashed, square) ^ multiply(lengths, h) ^ mask)
        squares.append(square)
    block = multiply(rests[0] ^ rests[1], power(squares[0] ^ squares[1], 2**128 - 2))
    tag = multiply(block, squares[0]) ^ rests[0]
    return block.to_bytes(16, "big") + tag.to_bytes(16, "big")
