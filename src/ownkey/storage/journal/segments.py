"""Files of the journal: a directory per process, held by a lock that dies with the process, and segments in it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Final, Self

from ownkey.domain.usage import RequestRecord
from ownkey.storage.journal.frames import HEADER_SIZE, encode_header

_PREFIX: Final = "run-"
_SUFFIX: Final = ".segment"
_DAMAGED: Final = "damaged"
_REJECTED: Final = "rejected"


class RunDirectory:
    """A directory this process alone may read and write: its own, or one adopted from a dead process.

    The lock is on the directory itself, so that no lock file needs a life cycle of its own.
    """

    __slots__ = ("fd", "path")

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self.fd = fd

    @classmethod
    def create(cls, root: Path) -> Self:
        """A fresh directory below `root`, locked. Raises OSError."""
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            path = root / f"{_PREFIX}{os.getpid()}-{os.urandom(8).hex()}"
            path.mkdir(mode=0o700)
            _sync_names(root)
            # A recovering process may take, and remove, the new directory before it is locked: then try another.
            if (directory := cls.adopt(path)) is not None:
                return directory

    @classmethod
    def adopt(cls, path: Path) -> Self | None:
        """Lock an existing directory, or None when a living process holds it or it is gone. Raises OSError."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            flock(fd, LOCK_EX | LOCK_NB)
            if path.stat().st_ino == os.fstat(fd).st_ino:
                return cls(path, fd)
        except (BlockingIOError, FileNotFoundError):
            os.close(fd)
            return None
        except OSError:
            os.close(fd)
            raise
        os.close(fd)
        return None

    def segment_path(self, number: int) -> Path:
        return self.path / f"{number:012d}{_SUFFIX}"

    def segments(self) -> list[Path]:
        """The segment files, oldest first. Raises OSError."""
        return sorted(self.path.glob(f"*{_SUFFIX}"))

    def rejected_path(self) -> Path:
        """The segment for records that the database permanently rejects."""
        return self.path.parent / _REJECTED / f"{self.path.name}{_SUFFIX}"

    def discard(self, segment: Path, *, damaged: bool) -> None:
        """Remove a segment whose records are stored; a damaged one is set aside for a person to look at.

        Raises OSError.
        """
        if not damaged:
            segment.unlink(missing_ok=True)
            return
        aside = self.path.parent / _DAMAGED
        aside.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileNotFoundError):
            segment.rename(aside / f"{self.path.name}-{segment.name}")

    def sync(self) -> None:
        """Make the names of new segments survive a loss of power. Raises OSError."""
        os.fsync(self.fd)

    def remove(self) -> None:
        """Remove the emptied directory, still locked. Raises OSError when it contains an unknown file."""
        self.path.rmdir()

    def release(self) -> None:
        """Let other processes adopt what is left."""
        os.close(self.fd)


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


def _sync_names(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def run_directories(root: Path) -> Iterator[Path]:
    """Every process's directory, living or dead. Raises OSError."""
    return iter(sorted(path for path in root.glob(f"{_PREFIX}*") if path.is_dir()))
