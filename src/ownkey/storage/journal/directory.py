"""One directory per process below the journal's root, held by a lock that dies with the process."""

import os
from collections.abc import Iterator
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Final, Self

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
        """Where records go that the database refuses for good."""
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
        """Remove the emptied directory, still locked. Raises OSError when something unknown lies in it."""
        self.path.rmdir()

    def release(self) -> None:
        """Let other processes adopt what is left."""
        os.close(self.fd)


def _sync_names(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def run_directories(root: Path) -> Iterator[Path]:
    """Every process's directory, living or dead. Raises OSError."""
    return iter(sorted(path for path in root.glob(f"{_PREFIX}*") if path.is_dir()))
