"""Where a secret belongs. The place is bound into the ciphertext and is not stored with it."""

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
