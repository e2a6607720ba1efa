"""Answers and checks made to hurt: each is decided or left ungraded within bounds, and the event loop goes on."""

import asyncio
from typing import Any

import pytest
from tests.workbench.graders.scripted import grade, observed, prompt

from ownkey.workbench.graders import Graders
from ownkey.workbench.graders.finding import Ungradable
from ownkey.workbench.graders.schema import located
from ownkey.workbench.graders.schema_workers import SchemaWorkers
from ownkey.workbench.records import Check

DEEP = "[" * 200_000 + "]" * 200_000


async def test_only_the_first_million_characters_count_and_the_grade_says_so() -> None:
    answer = "a" * 1_000_000 + "needle" + "a" * 9_000_000
    given = await grade(Check("contains", "needle"), answer)
    assert given.passed is False
    assert "the first 1000000 of 10000006 characters" in given.reason


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("equals", {"a": 1}),
        ("icontains", "İ" * 1000),
        ("icontains-any", [f"a{n}b" for n in range(200)]),
        ("regex", "(a+)+$|(x+x+)+y"),
        ("is-json", None),
        ("contains-json", {"type": "object"}),
        ("word-count", 1),
    ],
)
async def test_every_check_ends_on_ten_million_characters(kind: str, value: Any) -> None:
    with SchemaWorkers(limit=1) as workers:
        for answer in ("a" * 10_000_000, "{" * 10_000_000, '{"a":' * 2_000_000):
            given = await grade(Check(kind, value), answer, Graders(schemas=workers))
            assert given.reason


async def test_deep_json_is_left_ungraded_by_every_check_that_reads_json() -> None:
    with SchemaWorkers(limit=1) as workers:
        checks = (Check("is-json"), Check("contains-json", True), Check("equals", [1]))
        grades = [await grade(check, DEEP, Graders(schemas=workers)) for check in checks]
    for given in grades:
        assert given.passed is None
        assert "deeper than 100 levels" in given.reason
    assert (await grade(Check("is-json"), "[" * 100 + "]" * 100)).passed is True
    assert (await grade(Check("is-json"), "[" * 101 + "]" * 101)).passed is None


async def test_a_number_of_ten_thousand_digits_is_left_ungraded() -> None:
    assert (await grade(Check("is-json"), "1" * 10_000)).passed is None


async def test_a_text_that_no_encoding_holds_is_graded_as_text_and_left_by_schemas() -> None:
    assert (await grade(Check("contains", "a"), "\ud800a")).passed is True
    assert (await grade(Check("regex", "a$"), "\ud800a")).passed is True
    with SchemaWorkers(limit=1) as workers:
        given = await grade(Check("is-json", {"type": "string"}), '"\\ud800"', Graders(schemas=workers))
    assert given.passed is None


@pytest.mark.parametrize(
    "text",
    [
        '{"a":0,' * 140_000,
        '{"":' * 90 + "[" + "0," * 400_000,
        ('{"a":' + "[0]," * 100) * 2_000,
        '{"a": NaN}' * 50_000,
        "[" * 90 + "0," * 400_000,
    ],
)
def test_searching_for_json_stops_at_its_bound(text: str) -> None:
    """Not by time: by the number of characters looked at, which the search itself counts."""
    try:
        found = sum(1 for _ in located(text[:1_000_000], arrays=True))
    except Ungradable:
        return
    assert found < 100_000


async def test_a_pattern_too_large_for_a_long_answer_is_left_ungraded() -> None:
    check = Check("regex", "(a[ab]{500}c)")
    assert (await grade(check, "ab" * 100)).passed is False
    given = await grade(check, "ab" * 500_000)
    assert given.passed is None
    assert "too large" in given.reason


async def test_the_event_loop_runs_on_while_a_heavy_answer_is_graded() -> None:
    """A task on the loop gets its turns meanwhile: work in threads, not how long it takes, is what is shown."""
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    turning = asyncio.create_task(turn())
    checks = (Check("regex", "(?:[ab]*a){20}c"), Check("contains-json", {"type": "object"}), Check("icontains", "zz"))
    with SchemaWorkers(limit=1) as workers:
        await Graders(schemas=workers).grade(prompt(*checks), observed("ab{" * 300_000))
    turning.cancel()
    assert turns > 10
