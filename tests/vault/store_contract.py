"""What every DataKeyStore does. Subclass in a test module and give the fixture `store`:

class TestDatabaseDataKeys(DataKeyStoreContract):
    @pytest.fixture
    async def store(self, …) -> AsyncIterator[DataKeyStore]: …

The store must be empty at the start of each test.
"""

import asyncio

from msgspec.structs import replace

from ownkey.vault.data_keys import DataKey, DataKeyStore

OLD = "0" * 31 + "a"
NEW = "0" * 31 + "b"


def a_key(number: int = 1, *, tenant: str = "user:one", use: str = "seal", generation: int = 1) -> DataKey:
    return DataKey(
        id=f"{number:032x}",
        tenant=tenant,
        use=use,
        generation=generation,
        master_version=OLD,
        wrapped=b"\x00\xffwrapped" + bytes([number]),
        created_at=1234567890.25,
    )


class DataKeyStoreContract:
    async def test_an_empty_store_knows_nothing(self, store: DataKeyStore) -> None:
        assert await store.get(a_key().id) is None
        assert await store.current("user:one", "seal") is None
        assert await store.wrapped_under(OLD, 10) == []
        assert await store.count_by_version() == {}

    async def test_a_key_comes_back_as_it_was_added(self, store: DataKeyStore) -> None:
        key = a_key()
        assert await store.add(key)
        assert await store.get(key.id) == key
        assert await store.current(key.tenant, key.use) == key

    async def test_the_current_key_is_the_highest_generation_whatever_the_order(self, store: DataKeyStore) -> None:
        second = a_key(1, generation=2)
        assert await store.add(second)
        assert await store.add(a_key(2, generation=1))
        assert await store.current("user:one", "seal") == second
        tenth = a_key(3, generation=10)
        assert await store.add(tenth)
        assert await store.current("user:one", "seal") == tenth

    async def test_an_older_generation_stays_readable(self, store: DataKeyStore) -> None:
        first = a_key(1, generation=1)
        assert await store.add(first)
        assert await store.add(a_key(2, generation=2))
        assert await store.get(first.id) == first

    async def test_tenants_and_uses_are_apart(self, store: DataKeyStore) -> None:
        seal, mac = a_key(1), a_key(2, use="mac")
        other = a_key(3, tenant="user:two", generation=7)
        for key in (seal, mac, other):
            assert await store.add(key)
        assert await store.current("user:one", "seal") == seal
        assert await store.current("user:one", "mac") == mac
        assert await store.current("user:two", "seal") == other
        assert await store.current("user:two", "mac") is None
        assert await store.current("user:", "seal") is None
        assert await store.current("USER:ONE", "seal") is None

    async def test_a_generation_is_added_once(self, store: DataKeyStore) -> None:
        first = a_key(1)
        assert await store.add(first)
        assert not await store.add(a_key(2))
        assert await store.current("user:one", "seal") == first
        assert await store.get(a_key(2).id) is None

    async def test_a_retired_key_reads_and_is_not_current(self, store: DataKeyStore) -> None:
        first, second = a_key(1), replace(a_key(2, generation=2), retired=True)
        assert await store.add(first)
        assert await store.add(second)
        assert await store.current("user:one", "seal") == first
        assert await store.get(second.id) == second
        assert await store.wrapped_under(OLD, 10) == [first, second]

    async def test_of_many_adding_the_same_generation_one_wins(self, store: DataKeyStore) -> None:
        keys = [a_key(number) for number in range(1, 17)]
        added = await asyncio.gather(*(store.add(key) for key in keys))
        assert added.count(True) == 1
        assert await store.current("user:one", "seal") == keys[added.index(True)]
        assert await store.count_by_version() == {OLD: 1}

    async def test_rewrap_replaces_what_was_expected(self, store: DataKeyStore) -> None:
        key = a_key()
        assert await store.add(key)
        assert await store.rewrap(key.id, key.wrapped, b"again\x00", NEW)
        assert await store.get(key.id) == replace(key, wrapped=b"again\x00", master_version=NEW)
        assert await store.current(key.tenant, key.use) == await store.get(key.id)

    async def test_rewrap_leaves_alone_what_changed_meanwhile(self, store: DataKeyStore) -> None:
        key = a_key()
        assert await store.add(key)
        assert not await store.rewrap(key.id, key.wrapped + b"x", b"again", NEW)
        assert not await store.rewrap(key.id, key.wrapped[:-1], b"again", NEW)
        assert await store.get(key.id) == key

    async def test_rewrap_of_an_absent_key_says_so(self, store: DataKeyStore) -> None:
        assert not await store.rewrap(a_key().id, b"wrapped", b"again", NEW)
        assert await store.count_by_version() == {}

    async def test_rewrap_touches_one_key_only(self, store: DataKeyStore) -> None:
        first = a_key(1)
        second = replace(a_key(2, tenant="user:two"), wrapped=first.wrapped)
        assert await store.add(first)
        assert await store.add(second)
        assert await store.rewrap(first.id, first.wrapped, b"again", NEW)
        assert await store.get(second.id) == second

    async def test_of_many_rewrapping_one_key_one_wins(self, store: DataKeyStore) -> None:
        key = a_key()
        assert await store.add(key)
        results = await asyncio.gather(
            *(store.rewrap(key.id, key.wrapped, b"again" + bytes([number]), NEW) for number in range(8))
        )
        assert results.count(True) == 1
        stored = await store.get(key.id)
        assert stored is not None
        assert stored.wrapped == b"again" + bytes([results.index(True)])

    async def test_keys_under_a_version_come_by_id_up_to_the_limit(self, store: DataKeyStore) -> None:
        keys = [a_key(number, tenant=f"user:{number}") for number in (5, 3, 1, 4, 2)]
        for key in keys:
            assert await store.add(key)
        assert await store.add(replace(a_key(9, tenant="user:nine"), master_version=NEW))
        keys.sort(key=lambda key: key.id)
        assert await store.wrapped_under(OLD, 10) == keys
        assert await store.wrapped_under(OLD, 2) == keys[:2]

    async def test_versions_are_counted(self, store: DataKeyStore) -> None:
        for number in range(1, 6):
            assert await store.add(a_key(number, tenant=f"user:{number}"))
        assert await store.count_by_version() == {OLD: 5}
        for number in (1, 2):
            key = a_key(number, tenant=f"user:{number}")
            assert await store.rewrap(key.id, key.wrapped, b"again", NEW)
        assert await store.count_by_version() == {OLD: 3, NEW: 2}
        for number in (3, 4, 5):
            key = a_key(number, tenant=f"user:{number}")
            assert await store.rewrap(key.id, key.wrapped, b"again", NEW)
        assert await store.count_by_version() == {NEW: 5}
