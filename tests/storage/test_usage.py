"""The books: batches that may be repeated, pages, and sums that mean the same on both engines."""

import asyncio
import random

import pytest
from tests.storage.values import NOW, a_request, stored_user

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.tenancy import user_owner
from ownkey.domain.usage import RequestRecord
from ownkey.storage import Database, usage, users
from ownkey.storage.usage_summary import GroupBy, summary


async def insert(database: Database, *records: RequestRecord) -> int:
    async with database.write() as conn:
        return await usage.insert_batch(conn, records)


async def everything(database: Database) -> list[RequestRecord]:
    async with database.read() as conn:
        return (await usage.list_page(conn, None, 1000)).items


async def test_a_record_comes_back_as_it_was_stored(database: Database) -> None:
    full = a_request(
        "user_1",
        owner_scope="team",
        api_key_id=None,
        credential_id=None,
        status="failed",
        http_status=502,
        streamed=True,
        cached_tokens=1,
        cache_write_tokens=2,
        reasoning_tokens=1 << 40,
        list_cost=9_000_000_000_000,
        charged=1,
        latency_ms=0.125,
        ttft_ms=3.5,
        attempts=3,
        error="line one\nline „two“ 🙂",
        detail='{"a":[1,null]}',
    )
    assert await insert(database, full, a_request("user_2")) == 2
    async with database.read() as conn:
        assert await usage.get(conn, (user_owner("user_1"),), full.id) == full
        assert await usage.get(conn, None, full.id) == full
        assert await usage.get(conn, (user_owner("user_2"),), full.id) is None
        assert await usage.get(conn, (user_owner("user_1"),), "req_absent") is None


async def test_a_repeated_batch_adds_only_what_is_new(database: Database) -> None:
    first, second, third = (a_request("user_1") for _ in range(3))
    assert await insert(database) == 0
    assert await insert(database, first, second, first) == 2
    assert await insert(database, second, third) == 1
    assert await insert(database, first, second, third) == 0
    assert {record.id for record in await everything(database)} == {first.id, second.id, third.id}


async def test_processes_that_store_the_same_batch_at_once_store_it_once(database_url: str) -> None:
    databases = [await Database.open(database_url) for _ in range(3)]
    batch = [a_request("user_1") for _ in range(200)]
    counts = await asyncio.gather(*(insert(database, *random.sample(batch, 200)) for database in databases))
    assert sum(counts) == len(await everything(databases[0])) == 200
    for database in databases:
        await database.close()


async def test_a_record_that_cannot_be_stored_keeps_the_whole_batch_out(database: Database) -> None:
    with pytest.raises(InvalidRequest):
        await insert(database, a_request("user_1"), a_request("user_1", input_tokens=1 << 64))
    assert await everything(database) == []


async def test_a_late_record_of_an_erased_user_is_dropped_and_the_rest_kept(database: Database) -> None:
    user = await stored_user(database)
    early, late, other = a_request(user.id), a_request(user.id), a_request("user_never_stored_here")
    await insert(database, early)
    async with database.write() as conn:
        await users.delete(conn, user.id, NOW)
    assert await insert(database, late, other) == 1
    assert await everything(database) == [other]


async def test_an_erasure_waits_for_a_batch_in_flight_and_takes_its_rows_too(postgres_database: Database) -> None:
    user = await stored_user(postgres_database)

    async def erase() -> None:
        async with postgres_database.write() as conn:
            await users.delete(conn, user.id, NOW)

    async with postgres_database._writers.begin() as conn:
        await usage.insert_batch(conn, [a_request(user.id)])
        erasing = asyncio.create_task(erase())
        done, _ = await asyncio.wait([erasing], timeout=0.2)
        assert not done
    await erasing
    assert await everything(postgres_database) == []


async def test_pages_run_from_the_newest_and_hold_each_request_once(database: Database) -> None:
    records = [a_request("user_1", at=NOW + number // 3) for number in range(10)]
    await insert(database, *records, a_request("user_2"))
    newest_first = sorted(records, key=lambda record: (record.at, record.id), reverse=True)
    seen: list[RequestRecord] = []
    cursor = None
    while True:
        async with database.read() as conn:
            page = await usage.list_page(conn, (user_owner("user_1"),), 4, cursor)
        seen += page.items
        await insert(database, a_request("user_1", at=NOW + 1000))
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == newest_first


async def test_pages_can_be_confined_to_a_time_and_a_credential(database: Database) -> None:
    wanted = a_request("user_1", at=NOW + 5, credential_id="cred_x")
    others = [a_request("user_1", at=NOW + at, credential_id="cred_x") for at in (4, 6)]
    await insert(database, wanted, *others, a_request("user_1", at=NOW + 5))
    async with database.read() as conn:
        page = await usage.list_page(
            conn, (user_owner("user_1"),), credential_id="cred_x", since=NOW + 5, until=NOW + 6
        )
    assert page.items == [wanted]


async def test_pruning_takes_the_oldest_first_and_not_more_than_asked(database: Database) -> None:
    records = [a_request("user_1", at=NOW + number) for number in range(5)]
    await insert(database, *records)
    async with database.write() as conn:
        assert await usage.prune(conn, NOW + 3, limit=2) == 2
        assert await usage.prune(conn, NOW + 3, limit=2) == 1
        assert await usage.prune(conn, NOW + 3) == 0
    assert await everything(database) == [records[4], records[3]]


async def test_a_summary_counts_sums_and_orders_by_cost(database: Database) -> None:
    await insert(
        database,
        a_request("user_1", model="small", list_cost=10, charged=1, cached_tokens=4, reasoning_tokens=5),
        a_request("user_1", model="small", list_cost=15, cache_write_tokens=6, status="failed", latency_ms=1.0),
        a_request("user_1", model="small", list_cost=5, status="interrupted", latency_ms=1.0),
        a_request("user_1", model="small", list_cost=0, status="cancelled", latency_ms=1.0),
        a_request("user_1", model="large", list_cost=1 << 55),
        a_request("user_1", model="large", list_cost=1 << 55),
        a_request("user_2", model="large"),
        a_request("user_1", model="old", at=NOW - 10),
    )
    async with database.read() as conn:
        large, small = await summary(conn, (user_owner("user_1"),), NOW, GroupBy.MODEL)
    assert (large.key, large.requests, large.errors, large.list_cost) == ("large", 2, 0, 1 << 56)
    assert (small.key, small.requests, small.errors, small.list_cost, small.charged) == ("small", 4, 2, 30, 1)
    assert (small.input_tokens, small.output_tokens) == (40, 80)
    assert (small.cached_tokens, small.cache_write_tokens, small.reasoning_tokens) == (4, 6, 5)
    assert (small.latency_p50_ms, small.latency_p95_ms) == (120.5, 120.5)


@pytest.mark.parametrize("number", [1, 2, 3, 19, 20, 21, 100])
async def test_percentiles_are_the_nearest_rank(database: Database, number: int) -> None:
    latencies = [float(latency) for latency in range(1, number + 1)]
    random.shuffle(latencies)
    ties = [a_request("user_2", latency_ms=7.0) for _ in range(3)]
    await insert(database, *(a_request("user_1", latency_ms=latency) for latency in latencies), *ties)
    async with database.read() as conn:
        groups = {group.key: group for group in await summary(conn, None, None, GroupBy.USER)}
    # The rank is ⌈p·n⌉, here in integers.
    assert groups["user_1"].latency_p50_ms == -(-number * 50 // 100)
    assert groups["user_1"].latency_p95_ms == -(-number * 95 // 100)
    assert groups["user_2"].latency_p50_ms == groups["user_2"].latency_p95_ms == 7.0


async def test_a_group_without_a_completed_request_has_no_latency(database: Database) -> None:
    await insert(database, a_request("user_1", status="failed"))
    async with database.read() as conn:
        (group,) = await summary(conn, (user_owner("user_1"),), None, GroupBy.PROVIDER)
    assert (group.latency_p50_ms, group.latency_p95_ms) == (None, None)


async def test_days_and_hours_are_utc_and_in_their_order(database: Database) -> None:
    midnight = 1_899_936_000.0
    times = (midnight + 86399.999, midnight, midnight + 86400, midnight - 0.001)
    await insert(database, *(a_request("user_1", at=at) for at in times))
    async with database.read() as conn:
        days = await summary(conn, (user_owner("user_1"),), None, GroupBy.DAY)
        hours = await summary(conn, (user_owner("user_1"),), None, GroupBy.HOUR)
    assert [(day.key, day.requests) for day in days] == [("2030-03-16", 1), ("2030-03-17", 2), ("2030-03-18", 1)]
    assert [hour.key for hour in hours] == [
        "2030-03-16T23:00:00Z",
        "2030-03-17T00:00:00Z",
        "2030-03-17T23:00:00Z",
        "2030-03-18T00:00:00Z",
    ]


async def test_other_groupings_and_the_filter_by_credential(database: Database) -> None:
    await insert(
        database,
        a_request("user_1", credential_id="cred_x", list_cost=3),
        a_request("user_1", credential_id=None, list_cost=2),
        a_request("user_2", credential_id="cred_y", list_cost=1),
    )
    async with database.read() as conn:
        by_credential = await summary(conn, None, None, GroupBy.CREDENTIAL)
        by_user = await summary(conn, None, None, GroupBy.USER)
        total = await summary(conn, None, None, GroupBy.TOTAL)
        of_one = await summary(conn, (user_owner("user_1"),), None, GroupBy.TOTAL, credential_id="cred_x")
        of_foreign = await summary(conn, (user_owner("user_1"),), None, GroupBy.TOTAL, credential_id="cred_y")
    assert [group.key for group in by_credential] == ["cred_x", None, "cred_y"]
    assert [(group.key, group.requests) for group in by_user] == [("user_1", 2), ("user_2", 1)]
    assert [(group.key, group.requests) for group in total] == [(None, 3)]
    assert [group.list_cost for group in of_one] == [3]
    assert of_foreign == []
