"""The name under which this process holds leases."""

import os
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from itertools import count
from pathlib import Path

from ownkey.domain.ids import new_id

_FOLDER = "executors"


@contextmanager
def holder_name(data_dir: Path) -> Generator[str]:
    """A name that belongs to this process alone while it lives, and to the next process after it.

    The next process of a name knows that the last one is dead, and continues its jobs without waiting for their
    leases to expire. Processes that share a data directory take the lowest free name, held by a lock that ends with
    the process; the host name keeps apart a directory that was copied to another machine.
    """
    folder = data_dir / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = _take_free(folder)
    try:
        name = os.read(descriptor, 100).decode("ascii", "replace")
        if not name:
            name = new_id("exec")
            os.write(descriptor, name.encode("ascii"))
        yield f"{name}-{socket.gethostname()}"
    finally:
        os.close(descriptor)


def _take_free(folder: Path) -> int:
    for number in count():
        descriptor = os.open(folder / str(number), os.O_RDWR | os.O_CREAT, 0o600)
        with suppress(BlockingIOError):
            flock(descriptor, LOCK_EX | LOCK_NB)
            return descriptor
        os.close(descriptor)
    raise AssertionError
