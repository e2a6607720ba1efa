"""Where master keys come from: a file in the data directory, or the environment."""

import base64
import binascii
import fcntl
import os
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from msgspec import Struct

from ownkey.vault.errors import MasterKeyError

_HEADING = "# Ownkey master keys, format 1. Without this file the stored secrets are lost: back it up.\n"


class MasterKey(Struct, frozen=True):
    """A 256-bit key and its public id, which is derived from it and says nothing about it."""

    id: str
    key: bytes

    def __repr__(self) -> str:
        return f"MasterKey({self.id})"


def master_key(key: bytes) -> MasterKey:
    """The key with its id: 16 bytes of HKDF-Expand, in hexadecimal."""
    if len(key) != 32:
        raise MasterKeyError("a master key has 32 bytes; make one with `openssl rand -base64 32`")
    return MasterKey(HKDFExpand(SHA256(), 16, b"ownkey master key id").derive(key).hex(), key)


class KeySource(Protocol):
    """Gives the master keys, the primary (which wraps new data keys) first."""

    @property
    def place(self) -> str:
        """Where the keys are, for a person to read."""
        ...

    def read(self) -> tuple[MasterKey, ...]:
        """Read them anew. Raises MasterKeyError."""
        ...


class EnvironmentKeys:
    """OWNKEY_MASTER_KEY as the primary and OWNKEY_MASTER_KEY_PREVIOUS for reading, in base64."""

    place = "OWNKEY_MASTER_KEY"

    def __init__(self, primary: str, previous: tuple[str, ...] = ()) -> None:
        self._keys = tuple(_decode(text, self.place) for text in (primary, *previous))

    def read(self) -> tuple[MasterKey, ...]:
        return self._keys


class FileKeys:
    """A file of base64 lines, the primary first; made with mode 0600 when it does not exist."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def place(self) -> str:
        return f"{self.path.absolute()} (back it up: without it the stored secrets are lost)"

    def read(self) -> tuple[MasterKey, ...]:
        """The keys; the first call on a new installation makes one. Safe when several processes start at once."""
        if not os.path.lexists(self.path):
            with self._locked():
                if not os.path.lexists(self.path):
                    self._write((master_key(secrets.token_bytes(32)),))
        return self._read()

    def add_primary(self) -> MasterKey:
        """Put a new key in front; the others stay for reading."""
        with self._locked():
            fresh = master_key(secrets.token_bytes(32))
            self._write((fresh, *self._read()))
        return fresh

    def remove(self, key_id: str) -> None:
        """Take a key out. The primary cannot be removed."""
        with self._locked():
            keys = self._read()
            if keys[0].id == key_id:
                raise MasterKeyError("the primary master key cannot be removed")
            self._write(tuple(key for key in keys if key.id != key_id))

    def _read(self) -> tuple[MasterKey, ...]:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError as error:
            raise MasterKeyError(f"cannot read the master key at {self.path}: {error.strerror}") from None
        with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise MasterKeyError(
                    f"{self.path} can be read by others (mode {mode:04o}): run `chmod 600 {self.path}`"
                )
            lines = [line.strip() for line in file if line.strip() and not line.startswith("#")]
        if not lines:
            raise MasterKeyError(f"{self.path} holds no key: restore it from your backup")
        return tuple(_decode(line, str(self.path)) for line in lines)

    def _write(self, keys: tuple[MasterKey, ...]) -> None:
        text = _HEADING + "".join(base64.b64encode(key.key).decode() + "\n" for key in keys)
        draft = self.path.with_name(self.path.name + ".new")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            raise MasterKeyError(f"cannot write the master key to {self.path}: {error.strerror}") from None

    @contextmanager
    def _locked(self) -> Generator[None]:
        try:
            descriptor = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise MasterKeyError(f"cannot write beside {self.path}: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _decode(text: str, place: str) -> MasterKey:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise MasterKeyError(f"{place} is not base64: it takes 32 bytes, `openssl rand -base64 32`") from None
    if len(key) != 32:
        raise MasterKeyError(f"{place} has {len(key)} bytes and needs 32: `openssl rand -base64 32`")
    return master_key(key)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
