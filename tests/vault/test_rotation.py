import asyncio
import base64
import shutil
import sys
import time
from pathlib import Path

import pytest

from ownkey.domain.errors import SecretUnreadable
from ownkey.domain.secret import Secret
from ownkey.storage import Database
from ownkey.storage.data_keys import DatabaseDataKeys
from ownkey.vault import (
    EnvironmentKeys,
    FileKeys,
    Keyring,
    MasterKeyError,
    MasterKeyState,
    Place,
    Vault,
    forget,
    rotate,
    verify,
)
from ownkey.vault.data_keys import DataKey, MemoryDataKeys

FIRST, SECOND = (base64.b64encode(bytes(range(start, start + 32))).decode() for start in (0, 50))


def place(tenant: str) -> Place:
    return Place("credential", tenant, "credentials", f"cred of {tenant}", "openai")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "master.key"


async def sealed_secrets(vault: Vault, count: int) -> dict[str, bytes]:
    tenants = [f"user:{number}" for number in range(count)]
    return {tenant: await vault.seal(Secret(tenant), place(tenant)) for tenant in tenants}


async def assert_all_open(vault: Vault, sealed: dict[str, bytes]) -> None:
    for tenant, envelope in sealed.items():
        assert (await vault.open(envelope, place(tenant))).reveal() == tenant


async def test_a_rotation_moves_every_data_key_and_changes_no_secret(path: Path) -> None:
    store, keyring = MemoryDataKeys(), Keyring(FileKeys(path))
    vault = Vault(keyring, store)
    sealed = await sealed_secrets(vault, 450)
    pepper = await vault.pepper("api-key")
    before = keyring.primary
    report = await rotate(keyring, store)
    assert report.primary == keyring.primary != before
    assert (report.rewrapped, report.retired, report.unreadable) == (451, (before,), ())
    assert await store.count_by_version() == {report.primary: 451}
    fresh = Vault(Keyring(FileKeys(path)), store)
    await fresh.check()
    await assert_all_open(fresh, sealed)
    assert await fresh.pepper("api-key") == pepper
    assert "Back up" in report.advice


async def test_a_running_server_follows_a_rotation_by_another_process(path: Path) -> None:
    store = MemoryDataKeys()
    running = Vault(Keyring(FileKeys(path)), store, lifetime=0)
    sealed = await sealed_secrets(running, 3)
    report = await rotate(Keyring(FileKeys(path)), store)
    await assert_all_open(running, sealed)
    await running.seal(Secret("new"), place("user:new"))
    assert await store.count_by_version() == {report.primary: 4}


async def test_a_retired_key_stays_for_backups_until_it_is_forgotten(path: Path) -> None:
    store, keyring = MemoryDataKeys(), Keyring(FileKeys(path))
    sealed = await sealed_secrets(Vault(keyring, store), 2)
    backup = MemoryDataKeys()
    for key in await store.wrapped_under(keyring.primary, 10):
        await backup.add(key)
    report = await rotate(keyring, store)
    restored = Vault(Keyring(FileKeys(path)), backup)
    await restored.check()
    await assert_all_open(restored, sealed)

    (old,) = report.retired
    with pytest.raises(MasterKeyError, match="less than an hour"):
        await forget(keyring, store, old, time.time())
    with pytest.raises(MasterKeyError, match="2 data keys need"):
        await forget(Keyring(FileKeys(path)), backup, old, time.time() + 3601)
    await forget(keyring, store, old, time.time() + 3601)
    assert keyring.ids == (report.primary,)
    await assert_all_open(Vault(keyring, store, lifetime=0), sealed)
    with pytest.raises(SecretUnreadable):
        await Vault(Keyring(FileKeys(path)), backup).check()


async def test_only_a_retired_master_key_can_be_forgotten(path: Path) -> None:
    store, keyring = MemoryDataKeys(), Keyring(FileKeys(path))
    await sealed_secrets(Vault(keyring, store), 1)
    with pytest.raises(MasterKeyError, match="in use"):
        await forget(keyring, store, keyring.primary, time.time())
    with pytest.raises(MasterKeyError, match="has no master key"):
        await forget(keyring, store, "00" * 16, time.time())
    with pytest.raises(MasterKeyError, match="OWNKEY_MASTER_KEY_PREVIOUS"):
        await forget(Keyring(EnvironmentKeys(FIRST)), store, "00" * 16, time.time())


async def test_a_data_key_that_arrives_late_under_the_old_key_opens_and_moves_with_the_next_rotation(
    path: Path,
) -> None:
    store, keyring = MemoryDataKeys(), Keyring(FileKeys(path))
    sealed = await sealed_secrets(Vault(keyring, store), 2)
    late = next(iter(await store.wrapped_under(keyring.primary, 1)))
    first = await rotate(keyring, store)
    moved = await store.get(late.id)
    assert moved is not None
    assert await store.rewrap(late.id, moved.wrapped, late.wrapped, late.master_version)
    await assert_all_open(Vault(Keyring(FileKeys(path)), store), sealed)
    second = await rotate(keyring, store)
    assert second.primary != first.primary
    assert await store.count_by_version() == {second.primary: 2}
    await assert_all_open(Vault(Keyring(FileKeys(path)), store), sealed)


async def test_a_rotation_against_another_database_is_refused_and_changes_nothing(path: Path) -> None:
    store, keyring = MemoryDataKeys(), Keyring(FileKeys(path))
    await sealed_secrets(Vault(keyring, store), 1)
    ids = [key.id for key in FileKeys(path).read()]
    with pytest.raises(MasterKeyError, match="OWNKEY_DATABASE_URL"):
        await rotate(keyring, MemoryDataKeys())
    foreign = MemoryDataKeys()
    await sealed_secrets(Vault(Keyring(EnvironmentKeys(FIRST)), foreign), 1)
    with pytest.raises(MasterKeyError, match="back from your backup"):
        await rotate(keyring, foreign)
    assert [key.id for key in FileKeys(path).read()] == ids


async def test_a_second_rotation_at_the_same_time_is_refused(path: Path) -> None:
    class Slow(MemoryDataKeys):
        """Lets others run in the middle of a rotation."""

        def __init__(self) -> None:
            super().__init__()
            self.entered = asyncio.Event()
            self.proceed = asyncio.Event()

        async def rewrap(self, key_id: str, expected_wrapped: bytes, wrapped: bytes, version: str) -> bool:
            self.entered.set()
            await self.proceed.wait()
            return await super().rewrap(key_id, expected_wrapped, wrapped, version)

    store, keyring = Slow(), Keyring(FileKeys(path))
    await sealed_secrets(Vault(keyring, store), 1)
    first = asyncio.create_task(rotate(keyring, store))
    await store.entered.wait()
    with pytest.raises(MasterKeyError, match="another process"):
        await rotate(Keyring(FileKeys(path)), store)
    store.proceed.set()
    assert (await first).rewrapped == 1
    assert len(FileKeys(path).read()) == 2


async def test_a_damaged_data_key_is_reported_and_does_not_stop_the_others_or_the_next_rotation(path: Path) -> None:
    store, keyring = MemoryDataKeys(), Keyring(FileKeys(path))
    sealed = await sealed_secrets(Vault(keyring, store), 3)
    old = keyring.primary
    damaged = (await store.wrapped_under(old, 1))[0]
    broken = damaged.wrapped[:-1] + bytes([damaged.wrapped[-1] ^ 1])
    assert await store.rewrap(damaged.id, damaged.wrapped, broken, old)

    report = await rotate(keyring, store)
    assert (report.rewrapped, report.retired, report.unreadable) == (2, (), (damaged.id,))
    assert "1 data keys do not open" in report.advice
    again = await rotate(keyring, store)
    assert again.primary != report.primary
    assert (again.rewrapped, again.retired, again.unreadable) == (2, (report.primary,), (damaged.id,))
    assert await store.count_by_version() == {old: 1, again.primary: 2}

    status = {key.id: key for key in await verify(keyring, store)}
    assert status[old].unreadable == (damaged.id,)
    assert status[old].state is MasterKeyState.READING
    del sealed[damaged.tenant]
    await assert_all_open(Vault(keyring, store, lifetime=0), sealed)


async def test_an_environment_key_rotates_by_naming_the_old_one_as_previous() -> None:
    store = MemoryDataKeys()
    sealed = await sealed_secrets(Vault(Keyring(EnvironmentKeys(FIRST)), store), 3)
    alone = await rotate(Keyring(EnvironmentKeys(FIRST)), store)
    assert (alone.rewrapped, alone.retired) == (0, ())
    assert "openssl rand -base64 32" in alone.advice

    both = Keyring(EnvironmentKeys(SECOND, (FIRST,)))
    report = await rotate(both, store)
    assert (report.rewrapped, report.retired) == (3, (alone.primary,))
    assert "OWNKEY_MASTER_KEY_PREVIOUS may be removed" in report.advice
    assert (await rotate(both, store)).rewrapped == 0
    only = Vault(Keyring(EnvironmentKeys(SECOND)), store)
    await only.check()
    await assert_all_open(only, sealed)


async def test_two_environment_rotations_at_once_do_no_harm() -> None:
    store = MemoryDataKeys()
    sealed = await sealed_secrets(Vault(Keyring(EnvironmentKeys(FIRST)), store), 20)
    keyrings = [Keyring(EnvironmentKeys(SECOND, (FIRST,))) for _ in range(3)]
    reports = await asyncio.gather(*(rotate(keyring, store) for keyring in keyrings))
    assert sum(report.rewrapped for report in reports) == 20
    await assert_all_open(Vault(Keyring(EnvironmentKeys(SECOND)), store), sealed)


async def test_the_status_tells_each_master_key_and_what_refers_to_it(path: Path) -> None:
    store, keyring = MemoryDataKeys(), Keyring(FileKeys(path))
    await sealed_secrets(Vault(keyring, store), 3)
    report = await rotate(keyring, store)
    lost = DataKey(
        id="ab" * 16, tenant="user:x", use="seal", generation=1, master_version="cd" * 16, wrapped=b"", created_at=0.0
    )
    assert await store.add(lost)
    status = await verify(keyring, store, sample=2)
    assert [(key.id, key.state, key.references, key.tried, key.unreadable) for key in status] == [
        (report.primary, MasterKeyState.PRIMARY, 3, 2, ()),
        (report.retired[0], MasterKeyState.RETIRED, 0, 0, ()),
        ("cd" * 16, MasterKeyState.MISSING, 1, 0, ()),
    ]


async def test_no_call_fails_while_another_process_rotates(sqlite_database: Database, path: Path) -> None:
    """Two servers' vaults seal, open and meet new tenants without any cache, through three rotations."""
    store = DatabaseDataKeys(sqlite_database)
    vaults = [Vault(Keyring(FileKeys(path)), store, lifetime=0) for _ in range(2)]
    sealed = await sealed_secrets(vaults[0], 20)
    first = vaults[0]._keyring.primary
    over = asyncio.Event()
    calls = 0

    async def use(vault: Vault, name: str) -> None:
        nonlocal calls
        while not over.is_set():
            for tenant, envelope in list(sealed.items())[:20]:
                assert (await vault.open(envelope, place(tenant))).reveal() == tenant
                calls += 1
            tenant = f"user:{name}-{calls}"
            sealed[tenant] = await vault.seal(Secret(tenant), place(tenant))

    async def rotate_thrice() -> None:
        program = (
            "import asyncio, sys; from pathlib import Path; from tests.vault.rotating import rotate_in\n"
            "for _ in range(3): asyncio.run(rotate_in(Path(sys.argv[1]), 0))"
        )
        root = str(Path(__file__).parents[2])
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(path.parent), cwd=root)
        try:
            assert await process.wait() == 0
        finally:
            over.set()

    await asyncio.gather(rotate_thrice(), *(use(vault, str(number)) for number, vault in enumerate(vaults)))
    assert calls > 100
    keys = FileKeys(path).read()
    assert len(keys) == 4
    assert keys[-1].id == first
    await assert_all_open(Vault(Keyring(FileKeys(path)), store), sealed)


async def test_a_rotation_killed_at_any_step_is_finished_by_the_next(sqlite_template: Path, tmp_path: Path) -> None:
    start = tmp_path / "start"
    start.mkdir()
    shutil.copyfile(sqlite_template, start / "ownkey.db")
    root = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.vault.rotating", str(tmp_path)), cwd=root, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    assert int(output) > 30


async def test_a_rotation_cut_off_before_its_end_makes_no_second_key(path: Path) -> None:
    store, keyring = MemoryDataKeys(), Keyring(FileKeys(path))
    await sealed_secrets(Vault(keyring, store), 2)
    FileKeys(path).add_primary()
    report = await rotate(keyring, store)
    assert report.finished_earlier
    assert report.rewrapped == 2
    assert len(keyring.ids) == 2
    assert "run this again" in report.advice
    assert not (await rotate(keyring, store)).finished_earlier
