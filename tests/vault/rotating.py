"""Run by the rotation tests as a process of its own: `python rotating.py FOLDER STEPS`.

Rotates the master key in FOLDER (master.key and ownkey.db) in child processes, of which each dies by
os._exit a step later than the one before: a step is any call on the store, before and after, and any
opening, locking, renaming or removing of a file in FOLDER. After each death the state left behind is
checked, the rotation is run again to its end, and checked again. Prints the number of deaths.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ownkey.domain.secret import Secret
from ownkey.storage import Database
from ownkey.storage.data_keys import DatabaseDataKeys
from ownkey.vault import FileKeys, Keyring, Place, RotationReport, Vault, rotate
from ownkey.vault.data_keys import DataKey

TENANTS = ("user:one", "user:two", "team:three")
DIED = 9


def place(tenant: str) -> Place:
    return Place("credential", tenant, "credentials", f"cred of {tenant}", "openai")


class Steps:
    """Counts, and ends the process at one of them."""

    def __init__(self, last: int) -> None:
        self.count = 0
        self.last = last

    def take(self) -> None:
        self.count += 1
        if self.count == self.last:
            os._exit(DIED)


class SteppingStore:
    """A store that steps before and after each call."""

    def __init__(self, store: DatabaseDataKeys, steps: Steps) -> None:
        self._store = store
        self._steps = steps

    async def get(self, key_id: str) -> DataKey | None:
        return await self._step(self._store.get, key_id)

    async def current(self, tenant: str, use: str) -> DataKey | None:
        return await self._step(self._store.current, tenant, use)

    async def add(self, key: DataKey) -> bool:
        return await self._step(self._store.add, key)

    async def wrapped_under(self, version: str, limit: int) -> list[DataKey]:
        return await self._step(self._store.wrapped_under, version, limit)

    async def rewrap(self, key_id: str, expected_wrapped: bytes, wrapped: bytes, version: str) -> bool:
        return await self._step(self._store.rewrap, key_id, expected_wrapped, wrapped, version)

    async def count_by_version(self) -> dict[str, int]:
        return await self._step(self._store.count_by_version)

    async def _step(self, call: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        self._steps.take()
        result = await call(*arguments)
        self._steps.take()
        return result


async def rotate_in(folder: Path, last_step: int) -> RotationReport:
    """Rotate, and die at step `last_step` (0: never)."""
    steps = Steps(last_step)
    database = await Database.open(f"sqlite:///{folder / 'ownkey.db'}")
    keyring = Keyring(FileKeys(folder / "master.key"))
    master = str(folder / "master.key")
    watched = frozenset({"open", "os.rename", "os.remove", "fcntl.flock"})

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "fcntl.flock" or (event in watched and str(arguments[0]).startswith(master)):
            steps.take()

    if last_step:
        sys.addaudithook(watch)
    try:
        return await rotate(keyring, SteppingStore(DatabaseDataKeys(database), steps))
    finally:
        await database.close()


async def prepare(folder: Path, url: str) -> tuple[dict[str, bytes], bytes]:
    """Secrets of three tenants and a pepper: (ciphertext by tenant, pepper)."""
    database = await Database.open(url)
    vault = Vault(Keyring(FileKeys(folder / "master.key")), DatabaseDataKeys(database))
    sealed = {tenant: await vault.seal(Secret(f"secret of {tenant}"), place(tenant)) for tenant in TENANTS}
    pepper = await vault.pepper("api-key")
    await database.close()
    return sealed, pepper


async def check(folder: Path, sealed: dict[str, bytes], pepper: bytes) -> dict[str, int]:
    """Every secret opens and more can be sealed; how many data keys each master key wraps."""
    database = await Database.open(f"sqlite:///{folder / 'ownkey.db'}")
    vault = Vault(Keyring(FileKeys(folder / "master.key")), DatabaseDataKeys(database))
    await vault.check()
    for tenant, envelope in sealed.items():
        assert (await vault.open(envelope, place(tenant))).reveal() == f"secret of {tenant}"
    assert await vault.pepper("api-key") == pepper
    again = await vault.seal(Secret("again"), place(TENANTS[0]))
    assert (await vault.open(again, place(TENANTS[0]))).reveal() == "again"
    counts = await DatabaseDataKeys(database).count_by_version()
    await database.close()
    return counts


def in_child(run: Callable[[], Awaitable[Any]]) -> int:
    """The exit code of a child process that runs it."""
    child = os.fork()
    if child == 0:

        async def main() -> None:
            await run()

        asyncio.run(main())
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def die_everywhere(root: Path, steps: range) -> int:
    """How many deaths were survived."""
    start = root / "start"
    sealed, pepper = asyncio.run(prepare(start, f"sqlite:///{start / 'ownkey.db'}"))
    deaths = 0
    for step in steps:
        folder = root / str(step)
        shutil.copytree(start, folder)
        code = in_child(lambda folder=folder, step=step: rotate_in(folder, step))
        if code != DIED:
            assert code == 0, code
            break
        deaths += 1
        asyncio.run(check(folder, sealed, pepper))
        report = asyncio.run(rotate_in(folder, 0))
        assert not report.unreadable
        counts = asyncio.run(check(folder, sealed, pepper))
        assert counts == {report.primary: len(TENANTS) + 1}, counts
        keys = FileKeys(folder / "master.key").read()
        assert keys[0].id == report.primary
        assert all(key.retired_at is not None for key in keys[1:])
        assert not (folder / "master.key.new").exists()
        shutil.rmtree(folder)
    else:
        raise AssertionError("the rotation never reached its end")
    return deaths


if __name__ == "__main__":
    print(die_everywhere(Path(sys.argv[1]), range(1, 200)))  # noqa: T201
