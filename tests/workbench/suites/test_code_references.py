"""The reference answers of the coding suites, run: programs print them, functions and queries do what they should."""

import contextlib
import io
import re
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from ownkey.workbench.suites import CuratedSuites

SUITES = CuratedSuites()
CODE = {prompt.id: prompt for name in ("code-easy", "code-medium") for prompt in SUITES.curated_prompts(name)}
PRINTING = [prompt.id for prompt in CODE.values() if {"python", "output"} <= set(prompt.tags)]

DATA = """
CREATE TABLE customers (id INTEGER, name TEXT);
CREATE TABLE orders (id INTEGER, customer_id INTEGER, total REAL, paid BOOLEAN);
INSERT INTO customers VALUES (1, 'Ada'), (2, 'Ben'), (3, 'Cleo');
INSERT INTO orders VALUES (1, 1, 5, TRUE), (2, 1, 6, FALSE), (3, 1, 7, FALSE), (4, 3, 8, TRUE), (5, NULL, 9, TRUE);
"""


def reference(prompt_id: str) -> str:
    return CODE[prompt_id].reference or ""


def function(prompt_id: str, name: str) -> Callable[..., Any]:
    space: dict[str, Any] = {}
    exec(reference(prompt_id), space)
    return space[name]


def rows(prompt_id: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.executescript(DATA)
        return database.execute(reference(prompt_id)).fetchall()


@pytest.mark.parametrize("prompt_id", PRINTING)
def test_a_python_program_prints_its_reference(prompt_id: str):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(CODE[prompt_id].messages[-1].content.split("\n\n", 1)[1], {})
    assert printed.getvalue().strip() == reference(prompt_id)


def test_there_are_python_programs_to_run():
    assert PRINTING == ["code-easy-01", "code-medium-01", "code-medium-02"]


@pytest.mark.parametrize(
    ("prompt_id", "arguments", "right"),
    [
        ("code-easy-02", ([-5, -2, -9],), -2),
        ("code-medium-03", ([1, 4, 6], 6), 2),
    ],
)
def test_a_program_with_a_bug_is_wrong_as_told_and_right_once_the_line_is_changed(
    prompt_id: str, arguments: tuple[Any, ...], right: int
):
    text = CODE[prompt_id].messages[-1].content
    numbered = re.findall(r"(?m)^\d+ .*$", text)
    column = numbered[0].index("def ")
    lines = {int(line[:column]): line[column:] for line in numbered}
    found = re.fullmatch(r"Line (\d+): (.*)", reference(prompt_id))
    assert found is not None
    broken = lines[int(found[1])]
    mended = broken[: len(broken) - len(broken.lstrip())] + found[2]
    name = re.search(r"def (\w+)", lines[1])
    assert name is not None
    results: list[int] = []
    for line in (broken, mended):
        space: dict[str, Any] = {}
        exec("\n".join((lines | {int(found[1]): line}).values()), space)
        results.append(space[name[1]](*arguments))
    assert results[0] != right
    assert results[1] == right


def test_the_queries_return_what_was_asked_for():
    assert rows("code-easy-03") == [(1, 2)]
    assert rows("code-medium-04") == [("Ben",)]


@pytest.mark.parametrize(
    ("text", "expected"), [("A man, a plan, a canal: Panama", True), ("ab", False), ("", True), ("1a1", True)]
)
def test_is_palindrome_is_right(text: str, expected: bool):
    assert function("code-easy-04", "is_palindrome")(text) is expected


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [([(5, 8), (1, 3), (3, 4)], [(1, 4), (5, 8)]), ([(1, 10), (2, 3)], [(1, 10)]), ([], [])],
)
def test_merge_intervals_is_right_and_leaves_its_argument_alone(intervals: list[Any], expected: list[Any]):
    before = list(intervals)
    assert function("code-medium-06", "merge_intervals")(intervals) == expected
    assert intervals == before


def test_the_time_of_day_pattern_matches_exactly_the_times():
    times = [f"{hour:02}:{minute:02}" for hour in range(30) for minute in range(70)]
    matching = [time for time in times if re.search(reference("code-medium-05"), time)]
    assert matching == [f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(60)]
    assert not re.search(reference("code-medium-05"), "9:30")
