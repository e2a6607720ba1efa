"""Where price lists are: the snapshot included with Ownkey, and the one in the data directory that replaces it.

A stored list names the snapshot it was compared with. When an upgrade of Ownkey includes another snapshot, that one is
newer than anything stored before, and prevails until prices are refreshed again.
"""

import os
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import msgspec
from msgspec import Struct

from ownkey.providers.price_list import PriceList
from ownkey.providers.price_source import LARGEST, PriceFileError

FILE_NAME = "prices.json"


class StoredPrices(Struct, frozen=True, forbid_unknown_fields=True):
    """The file in the data directory. `source` says where the prices come from; `replaces` is the digest of the
    snapshot that came with Ownkey then."""

    source: str
    replaces: str
    prices: PriceList


def encode(prices: PriceList) -> bytes:
    """A list's text: JSON with one model a line, so that a renewal reads well as a difference."""
    return msgspec.json.encode(prices).replace(b'},{"id":', b'},\n{"id":').replace(b':[{"id":', b':[\n{"id":') + b"\n"


def read_bundled() -> PriceList:
    """The snapshot that came with Ownkey."""
    return msgspec.json.decode(_bundled(), type=PriceList)


def read_stored(folder: Path) -> StoredPrices | None:
    """The list in the data directory; None if absent, or from before an upgrade of Ownkey.

    Raises PriceFileError when it cannot be read.
    """
    try:
        stored = msgspec.json.decode(read_bounded(folder / FILE_NAME), type=StoredPrices)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PriceFileError(f"it cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PriceFileError(f"it is damaged: {error}") from None
    return stored if stored.replaces == _digest() else None


def write_stored(folder: Path, prices: PriceList, source: str) -> None:
    """Put a list into the data directory in the place of the one that was there, wholly or not at all.

    Raises OSError.
    """
    target, draft = folder / FILE_NAME, folder / f".{FILE_NAME}.{os.getpid()}"
    body = msgspec.json.encode(StoredPrices(source, _digest(), prices))
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def read_bounded(path: Path) -> bytes:
    """A file's content. Raises OSError, and PriceFileError for more than LARGEST bytes or for what is no file."""
    if path.exists() and not path.is_file():
        raise PriceFileError("it is not a file")
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise PriceFileError(f"it is larger than {LARGEST // 1024 // 1024} MiB")
    return content


def _bundled() -> bytes:
    return files("ownkey.providers").joinpath(FILE_NAME).read_bytes()


def _digest() -> str:
    return sha256(_bundled()).hexdigest()
