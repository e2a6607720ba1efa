"""Results: at most one for each call of a run, whatever crashes."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.storage.statements import excluded, insert_or_ignore, upsert
from ownkey.storage.workbench.rows import StoredJudgement, StoredResult
from ownkey.storage.workbench.tables import workbench_judgements, workbench_results, workbench_runs

_KEY = ("run_id", "target", "position", "repeat")


async def put(
    conn: AsyncConnection, run_id: str, results: Sequence[StoredResult], done: int, spending: bytes | None = None
) -> None:
    """Store results, each in the place of an earlier failure of the same call, that `done` calls are settled, and what
    the run has spent.

    A result of the same or a later round stays: what was done is not done again. Raises Conflict, when the
    transaction ends, if the run is gone.
    """
    insert = upsert(conn, workbench_results)
    columns = workbench_results.c
    replaced = {name: excluded(columns[name]) for name in ("seq", "round", "ok", "body")}
    statement = insert.on_conflict_do_update(
        index_elements=[columns[name] for name in _KEY],
        set_=replaced,
        where=columns.round < excluded(columns.round),
    )
    rows = [{"run_id": run_id} | {name: getattr(each, name) for name in each.__struct_fields__} for each in results]
    if rows:
        await conn.execute(statement, rows)
    run = sa.update(workbench_runs).where(workbench_runs.c.id == run_id).values(done=done)
    await conn.execute(run if spending is None else run.values(spending=spending))


async def settled(conn: AsyncConnection, run_id: str, round_: int) -> set[tuple[int, int, int]]:
    """The calls (target, position, repeat) that need no call in this round: answered, or tried in it already."""
    columns = workbench_results.c
    wanted = sa.select(columns.target, columns.position, columns.repeat).where(
        columns.run_id == run_id, columns.ok | (columns.round >= round_)
    )
    return {(row[0], row[1], row[2]) for row in await conn.execute(wanted)}


async def count_failed(conn: AsyncConnection, run_id: str) -> int:
    columns = workbench_results.c
    wanted = sa.select(sa.func.count()).where(columns.run_id == run_id, columns.ok.is_(False), columns.repeat >= 0)
    return (await conn.execute(wanted)).scalar_one()


async def last_seq(conn: AsyncConnection, run_id: str) -> int:
    """The number of the newest result, 0 without results."""
    wanted = sa.select(sa.func.max(workbench_results.c.seq)).where(workbench_results.c.run_id == run_id)
    return (await conn.execute(wanted)).scalar_one() or 0


async def after(conn: AsyncConnection, run_id: str, seq: int, count: int) -> list[StoredResult]:
    """At most `count` results that came after number `seq`, in their order."""
    columns = workbench_results.c
    fields = [columns[name] for name in StoredResult.__struct_fields__]
    statement = sa.select(*fields).where(columns.run_id == run_id, columns.seq > seq).order_by(columns.seq)
    return [StoredResult(*row) for row in await conn.execute(statement.limit(count))]


async def one(conn: AsyncConnection, run_id: str, target: int, position: int, repeat: int) -> StoredResult | None:
    """The result of one call."""
    columns = workbench_results.c
    fields = [columns[name] for name in StoredResult.__struct_fields__]
    statement = sa.select(*fields).where(
        columns.run_id == run_id, columns.target == target, columns.position == position, columns.repeat == repeat
    )
    row = (await conn.execute(statement)).first()
    return None if row is None else StoredResult(*row)


async def put_judgement(conn: AsyncConnection, run_id: str, judgement: StoredJudgement, spending: bytes) -> None:
    """Store a verdict, unless the pair has one, and what the run has spent. Raises Conflict, when the transaction
    ends, if the run is gone."""
    columns = workbench_judgements.c
    statement = insert_or_ignore(conn, workbench_judgements, columns.run_id, columns.other, columns.position)
    values = {name: getattr(judgement, name) for name in judgement.__struct_fields__}
    await conn.execute(statement, values | {"run_id": run_id})
    await conn.execute(sa.update(workbench_runs).where(workbench_runs.c.id == run_id).values(spending=spending))


async def judgements(conn: AsyncConnection, run_id: str) -> list[StoredJudgement]:
    """The verdicts of a run's judge, by target and position."""
    columns = workbench_judgements.c
    fields = [columns[name] for name in StoredJudgement.__struct_fields__]
    wanted = sa.select(*fields).where(columns.run_id == run_id).order_by(columns.other, columns.position)
    return [StoredJudgement(*row) for row in await conn.execute(wanted)]
