"""Files are written while the results pass by: ten times as many need no more memory."""

import tracemalloc
from collections.abc import AsyncIterator

import pytest
from tests.workbench.runs import answered, plan, prompt, rows_of, run, summary

from ownkey.workbench.export import FORMATS
from ownkey.workbench.records import Prompt, Result, Slot

_ROOM = 3_000_000
"""Bytes: a block, a megabyte of waiting cases, and room for the interpreter's own."""


async def made(count: int) -> AsyncIterator[tuple[Prompt, Result]]:
    for at in range(count):
        asked = prompt(at)
        yield asked, answered(asked, Slot(0, at, 0), text=f"{at} " + "long answer " * 200, passed=at % 3 > 0)


async def peak(name: str, count: int) -> int:
    exported = run(rows_of(1), targets=1, summary=summary(rows_of(1)), plan=plan(1, prompts=count), results=made(count))
    tracemalloc.start()
    try:
        async for _ in FORMATS[name].export(exported):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["csv", "json", "jsonl", "junit"])
async def test_ten_times_the_results_need_no_more_memory(name: str) -> None:
    assert await peak(name, 2500) < await peak(name, 250) + _ROOM


async def test_the_report_keeps_numbers_and_few_answers() -> None:
    """The answers alone would be 6 MB."""
    await peak("html", 1)  # The first report of a process loads the templates, which later ones keep.
    assert await peak("html", 2500) < await peak("html", 250) + _ROOM


@pytest.mark.parametrize("name", sorted(FORMATS))
async def test_pieces_are_neither_tiny_nor_huge(name: str) -> None:
    exported = run(rows_of(1), targets=1, summary=summary(rows_of(1)), plan=plan(1, prompts=2000), results=made(2000))
    sizes = [len(piece) async for piece in FORMATS[name].export(exported)]
    assert max(sizes) < 1_000_000
    assert len(sizes) < 400
