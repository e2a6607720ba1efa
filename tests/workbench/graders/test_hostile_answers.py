"""Answers and checks made to hurt: each is decided or left ungraded within bounds, and the event loop goes on."""

import asyncio
from typing import Any

import pytest
from tests.workbench.graders.scripted import grade, observed, prompt

from ownkey.workbench.graders import Graders, validate_check
from ownkey.workbench.graders.finding import Ungradable
from ownkey.workbench.graders.json_text import embedded
from ownkey.workbench.graders.schema_work import MAX_WORK, Work
from ownkey.workbench.records import Check

DEEP = "[" * 200_000 + "]" * 200_000


def chain(length: int) -> dict[str, Any]:
    """Definitions that each apply the one before twice: 2^length evaluations."""
    steps: dict[str, Any] = {"d0": {"type": "integer"}}
    for step in range(1, length + 1):
        steps[f"d{step}"] = {"allOf": [{"$ref": f"#/$defs/d{step - 1}"}] * 2}
    return {"$ref": f"#/$defs/d{length}", "$defs": steps}


def doubling() -> dict[str, Any]:
    """Twice the work for every level of the value: cheap for a flat one."""
    twice = {"allOf": [{"$ref": "#/$defs/n"}, {"$ref": "#/$defs/n"}]}
    return {"$ref": "#/$defs/n", "$defs": {"n": {"items": twice}}}


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
    for answer in ("a" * 10_000_000, "{" * 10_000_000, '{"a":' * 2_000_000):
        given = await grade(Check(kind, value), answer)
        assert given.reason


async def test_deep_json_is_left_ungraded_by_every_check_that_reads_json() -> None:
    for check in (Check("is-json"), Check("contains-json", True), Check("equals", [1])):
        given = await grade(check, DEEP)
        assert given.passed is None
        assert "deeper than 100 levels" in given.reason
    assert (await grade(Check("is-json"), "[" * 100 + "]" * 100)).passed is True
    assert (await grade(Check("is-json"), "[" * 101 + "]" * 101)).passed is None


async def test_a_number_of_ten_thousand_digits_is_left_ungraded() -> None:
    assert (await grade(Check("is-json"), "1" * 10_000)).passed is None


async def test_a_text_that_no_encoding_holds_is_graded_as_text_and_left_by_schemas() -> None:
    assert (await grade(Check("contains", "a"), "\ud800a")).passed is True
    assert (await grade(Check("regex", "a$"), "\ud800a")).passed is True
    assert (await grade(Check("is-json", {"type": "string"}), '"\\ud800"')).passed is None


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
        found = sum(1 for _ in embedded(text[:1_000_000], arrays=True))
    except Ungradable:
        return
    assert found < 100_000


@pytest.mark.parametrize("length", [20, 40, 100])
def test_a_schema_that_doubles_its_work_at_every_step_is_refused_before_any_answer(length: int) -> None:
    refusal = validate_check(Check("is-json", chain(length)))
    assert refusal is not None
    assert f"more than {MAX_WORK} evaluations" in refusal


async def test_a_schema_that_doubles_with_the_depth_of_the_answer_is_stopped_by_the_answer() -> None:
    check = Check("is-json", doubling())
    assert (await grade(check, "[[[1]]]")).passed is True
    given = await grade(check, "[" * 60 + "]" * 60)
    assert given.passed is None
    assert "evaluations" in given.reason


async def test_a_schema_is_applied_to_all_json_of_one_answer_within_one_bound() -> None:
    given = await grade(Check("contains-json", {"allOf": [{"required": ["b"]}] * 5}), '{"a":1}' * 30_000)
    assert given.passed is None
    assert "evaluations" in given.reason


def test_counting_work_is_itself_bounded_where_every_level_holds_much() -> None:
    value: Any = []
    for level in range(90):
        value = [*range(level * 10_000, level * 10_000 + 3_000), value]
    with pytest.raises(Ungradable, match="evaluations"):
        Work({"items": {"$ref": "#"}}).count(value)


def test_work_is_an_upper_bound_of_what_the_schema_applies() -> None:
    work = Work({"properties": {"a": {"anyOf": [{"type": "integer"}, {"type": "string"}]}}, "required": ["a"]})
    assert work.count({"a": 1, "b": 2}) == 2 + 3


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
    await Graders().grade(prompt(*checks), observed("ab{" * 300_000))
    turning.cancel()
    assert turns > 10


async def test_hostile_schema_words_do_no_harm_together() -> None:
    check = Check("is-json", {"uniqueItems": True, "items": {"enum": list(range(500))}, "unevaluatedItems": False})
    given = await grade(check, "[" + ",".join(str(n) for n in range(150_000)) + "]")
    assert given.passed is None
