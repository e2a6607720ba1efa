"""One append-only file of the journal and the account of what in it is not finished."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from ownkey.domain.usage import RequestRecord
from ownkey.storage.journal.frames import HEADER_SIZE, encode_header


class Segment:
    """`size` is in bytes. `open` holds the starts in this file that are not settled yet, by request id;
    `settles` counts its settle frames and `unstored` those of them the database has not got.
    `damaged` when a frame of it could not be read back.
    """

    __slots__ = ("damaged", "fd", "open", "path", "settles", "size", "unstored")

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self.fd = fd
        self.size = HEADER_SIZE
        self.open: dict[str, RequestRecord] = {}
        self.settles = 0
        self.unstored = 0
        self.damaged = False

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new file with its header, and no file at all when that fails. Raises OSError."""
        header = encode_header()
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            write_whole(fd, header)
        except OSError:
            os.close(fd)
            path.unlink()
            raise
        return cls(path, fd)

    def cut(self) -> None:
        """Take away what a failed write left behind the last whole frame.

        When even that fails the rest stays and readers step over it; `size` must then follow the file,
        or a later cut would take sound frames with it.
        """
        try:
            os.ftruncate(self.fd, self.size)
        except OSError:
            with suppress(OSError):
                self.size = os.lseek(self.fd, 0, os.SEEK_END)


def write_whole(fd: int, data: bytes) -> None:
    """One write of all of `data`. Raises OSError when the disk takes less."""
    if os.write(fd, data) != len(data):
        raise OSError("the disk took only a part of a write")
