"""A small file that only its owner may read: checked when read, replaced whole, locked between processes."""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from ownkey.vault.master_key import MasterKeyError

_SIZE_LIMIT = 64 * 1024
_LOCK_RETRY = 0.02


def read_private(path: Path) -> bytes:
    """The content. Raises MasterKeyError for a symbolic link, for anything but a file, and when others may read it."""
    try:
        # Without O_NONBLOCK a named pipe in this place would hang the start.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise MasterKeyError(
                f"{path} is a symbolic link, which anybody who can write there could point elsewhere: "
                "put the file itself in its place, or give the key in OWNKEY_MASTER_KEY"
            ) from None
        raise MasterKeyError(f"cannot read the master key at {path}: {error.strerror}") from None
    try:
        _check(path, os.fstat(descriptor))
        return os.read(descriptor, _SIZE_LIMIT)
    except OSError as error:
        raise MasterKeyError(f"cannot read the master key at {path}: {error.strerror}") from None
    finally:
        os.close(descriptor)


def replace_private(path: Path, content: bytes) -> None:
    """Replace the file with `content`, or create it, with mode 0600; call it while holding the lock.

    After a crash at any point the file is either the old or the new one, whole. Raises
    MasterKeyError, and then the old file is untouched.
    """
    draft = path.with_name(path.name + ".new")
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(draft, path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise MasterKeyError(
            f"cannot write the master key to {path}: {error.strerror}; the keys are as they were"
        ) from None
    _sync_folder(path.parent)


@contextmanager
def locked(path: Path, wait: float) -> Generator[None]:
    """Hold the lock named `path` between processes; the system releases it when a process dies.

    Raises MasterKeyError when it is not free within `wait` seconds (0: immediately).
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise MasterKeyError(f"cannot create the lock {path}: {error.strerror}") from None
    try:
        _acquire(descriptor, path, wait)
        yield
    finally:
        os.close(descriptor)


def _check(path: Path, status: os.stat_result) -> None:
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISREG(status.st_mode):
        raise MasterKeyError(f"{path} is not a file: put the master-key file in its place")
    if mode & 0o077:
        raise MasterKeyError(
            f"{path} is open to other users (mode {mode:04o}): run `chmod 600 {path}`; if others may have read it, "
            "run `ownkey admin rotate-master-key` afterwards"
        )
    if status.st_size > _SIZE_LIMIT:
        raise MasterKeyError(f"{path} is too long for a master-key file: restore it from your backup")


def _acquire(descriptor: int, path: Path, wait: float) -> None:
    give_up = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up:
                raise MasterKeyError(f"another process holds {path}: retry when it has finished") from None
            time.sleep(_LOCK_RETRY)
        except OSError as error:
            raise MasterKeyError(f"cannot lock {path}: {error.strerror}") from None
        else:
            return


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        raise MasterKeyError(f"cannot make the master key in {folder} durable: {error.strerror}") from None
    finally:
        os.close(descriptor)
