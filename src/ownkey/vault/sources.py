"""Where master keys come from: a file in the data directory, or the environment.

The file is text, for people to recognise and for backups to include:

    format 1
    primary <id> <base64>
    reading <id> <base64>
    retired <id> <base64> <Unix seconds>
    end

There is one primary, which wraps new data keys; every key in the file unwraps. The id is derived
from the key, so that a damaged line is noticed, and the last line shows that the file is complete. Lines that start
with `#` are for people.
"""

import base64
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from ownkey.vault.master_key import MasterKey, MasterKeyError, decode_master_key, master_key
from ownkey.vault.private_file import locked, read_private, replace_private

_HEADING = "# Ownkey master keys. Without this file the stored secrets are lost: back it up, show it to nobody.\n"
_FORMAT = "format 1"
_END = "end"
_LOCK_WAIT = 10.0


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
    """OWNKEY_MASTER_KEY as the primary and OWNKEY_MASTER_KEY_PREVIOUS for reading, in base64.

    To rotate, set the new key as the first and the old one as the second, and run `rotate`. When
    several processes must follow without a gap, let each know the new key as `previous` first.
    """

    place = "OWNKEY_MASTER_KEY"

    def __init__(self, primary: str, previous: tuple[str, ...] = ()) -> None:
        first = decode_master_key(primary, self.place)
        older = {key.id: key for key in (decode_master_key(text, "OWNKEY_MASTER_KEY_PREVIOUS") for text in previous)}
        older.pop(first.id, None)
        self._keys = (first, *older.values())

    def read(self) -> tuple[MasterKey, ...]:
        return self._keys


class FileKeys:
    """The file described above; created with mode 0600 when it does not exist."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen = False

    @property
    def place(self) -> str:
        return f"{self.path.absolute()} (back it up: without it the stored secrets are lost)"

    def read(self) -> tuple[MasterKey, ...]:
        """The keys; the first call on a new installation creates one. Safe when several processes start concurrently.

        A file that existed and is missing is an error: a new key in its place would lock the old secrets out.
        """
        if not self._seen and not os.path.lexists(self.path):
            with self._locked():
                if not os.path.lexists(self.path):
                    self._write((_fresh(),))
        keys = self._read()
        self._seen = True
        return keys

    def add_primary(self) -> MasterKey:
        """Put a new key in front, in one step; the others stay for reading."""
        with self._locked():
            fresh = _fresh()
            self._write((fresh, *self._read()))
        return fresh

    def retire(self, key_id: str, now: float) -> None:
        """Mark a key to which nothing refers. It still unwraps, for earlier backups and for slow processes."""
        with self._locked():
            keys = self._read()
            if keys[0].id == key_id:
                raise MasterKeyError("the primary master key cannot be retired")
            self._write(tuple(_retired(key, now) if key.id == key_id else key for key in keys))

    def forget(self, key_id: str) -> None:
        """Erase a retired key from the file."""
        with self._locked():
            keys = self._read()
            if any(key.id == key_id and key.retired_at is None for key in keys):
                raise MasterKeyError(f"the master key {key_id} is not retired: only a retired one can be forgotten")
            self._write(tuple(key for key in keys if key.id != key_id))

    @contextmanager
    def rotating(self) -> Generator[None]:
        """Be the only rotation of this file. Raises MasterKeyError immediately when there is another."""
        with locked(self.path.with_name(self.path.name + ".rotation"), wait=0):
            yield

    @contextmanager
    def _locked(self) -> Generator[None]:
        with locked(self.path.with_name(self.path.name + ".lock"), wait=_LOCK_WAIT):
            yield

    def _read(self) -> tuple[MasterKey, ...]:
        return _parse(read_private(self.path), str(self.path))

    def _write(self, keys: tuple[MasterKey, ...]) -> None:
        lines = [_FORMAT, *(_line(key, primary=key is keys[0]) for key in keys), _END]
        replace_private(self.path, (_HEADING + "\n".join(lines) + "\n").encode("ascii"))


def _fresh() -> MasterKey:
    return master_key(secrets.token_bytes(32))


def _retired(key: MasterKey, now: float) -> MasterKey:
    return key if key.retired_at is not None else MasterKey(key.id, key.key, now)


def _line(key: MasterKey, *, primary: bool) -> str:
    encoded = base64.b64encode(key.key).decode("ascii")
    if key.retired_at is not None:
        return f"retired {key.id} {encoded} {int(key.retired_at)}"
    return f"{'primary' if primary else 'reading'} {key.id} {encoded}"


def _parse(content: bytes, place: str) -> tuple[MasterKey, ...]:
    lines = [
        (number, line.split())
        for number, line in enumerate(content.decode("ascii", "replace").splitlines(), 1)
        if line.strip() and not line.startswith("#")
    ]
    if not lines:
        raise MasterKeyError(f"{place} holds no key: restore it from your backup")
    if lines[0][1] != _FORMAT.split():
        raise MasterKeyError(f"{place} is damaged, or of a newer Ownkey: it does not begin with `{_FORMAT}`")
    if lines[-1][1] != [_END]:
        raise MasterKeyError(f"{place} is cut off: restore it from your backup")
    primaries: list[MasterKey] = []
    others: list[MasterKey] = []
    for number, words in lines[1:-1]:
        key = _parse_line(words, f"line {number} of {place}")
        (primaries if words[0] == "primary" else others).append(key)
    if len(primaries) != 1 or len({key.id for key in primaries + others}) != len(lines) - 2:
        raise MasterKeyError(f"{place} is damaged: it needs exactly one primary, and each key once")
    return (*primaries, *others)


def _parse_line(words: list[str], place: str) -> MasterKey:
    match words:
        case ["primary" | "reading", id_, text]:
            key = decode_master_key(text, place)
        case ["retired", id_, text, at] if at.isdecimal():
            key = decode_master_key(text, place, float(at))
        case _:
            raise MasterKeyError(f"{place} is damaged: restore the file from your backup")
    if key.id != id_:
        raise MasterKeyError(f"{place} is damaged, its key and id do not fit: restore the file from your backup")
    return key
