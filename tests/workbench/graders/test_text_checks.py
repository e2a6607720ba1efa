"""Each text check, straight and turned round, on answers of every sort."""

import json
from typing import Any

import pytest
from tests.workbench.graders.scripted import grade, passes

from ownkey.workbench.graders import CHECK_TYPES, validate_check
from ownkey.workbench.records import Check

CASES: list[tuple[str, Any, str, bool]] = [
    ("equals", "Paris", "Paris", True),
    ("equals", "Paris", "Paris\n", False),
    ("equals", "Paris", "paris", False),
    ("equals", 5, "5", True),
    ("equals", 5.0, "5", True),
    ("equals", 0.5, "0.5", True),
    ("equals", True, "true", True),
    ("equals", "é", "e\u0301", False),
    ("equals", {"a": [1, 2.0], "b": None}, ' {"b": null, "a": [1.0, 2]} ', True),
    ("equals", {"a": 1}, '{"a": true}', False),
    ("equals", {"a": 1}, '{"a": 1, "b": 2}', False),
    ("equals", [], "[]", True),
    ("equals", {}, "[]", False),
    ("equals", {"a": 1}, "no JSON", False),
    ("equals", '{"a": 1}', '{"a":1}', False),
    ("contains", "Paris", "It is Paris.", True),
    ("contains", "paris", "It is Paris.", False),
    ("contains", 0, "10", True),
    ("contains", "🙂", "well 🙂", True),
    ("contains", "a", "", False),
    ("icontains", "PARIS", "It is Paris.", True),
    ("icontains", "STRASSE", "Straße", True),
    ("icontains", "ΣΊΣΥΦΟΣ", "σίσυφος", True),
    ("icontains", "Rome", "It is Paris.", False),
    ("contains-all", ["a", "b"], "b a", True),
    ("contains-all", ["a", "B"], "b a", False),
    ("contains-all", "a, b", "b a", True),
    ("contains-all", '"1,000", in stock', "1,000 in stock", True),
    ("contains-all", '"1,000", in stock', "1000 in stock", False),
    ("contains-all", '"say ""hi""", "x\\"y"', 'say "hi" x"y', True),
    ("contains-any", ["Rome", "Paris"], "Paris", True),
    ("contains-any", ["Rome", 7], "7", True),
    ("contains-any", ["Rome", "Oslo"], "Paris", False),
    ("icontains-all", ["A", "STRASSE"], "a straße", True),
    ("icontains-all", ["A", "C"], "a b", False),
    ("icontains-any", ["X", "B"], "b", True),
    ("icontains-any", ["X", "Y"], "b", False),
    ("starts-with", "Dear", "Dear Anna", True),
    ("starts-with", "Dear", " Dear Anna", False),
    ("starts-with", "dear", "Dear Anna", False),
    ("regex", r"\d{4}", "in 1984 it", True),
    ("regex", r"^\d{4}$", "in 1984 it", False),
    ("regex", r"(?i)PARIS", "paris", True),
    ("regex", "^.$", "日", True),
    ("regex", "a.b", "a\nb", False),
    ("regex", r"\p{Greek}", "σ", True),
    ("word-count", 3, "one  two\nthree ", True),
    ("word-count", "3", "one two three", True),
    ("word-count", 0, "", True),
    ("word-count", {"min": 2, "max": 3}, "one", False),
    ("word-count", {"min": 2, "max": 3}, "one two", True),
    ("word-count", {"min": 2}, "one two three four", True),
    ("word-count", {"max": 2}, "one two three", False),
]


@pytest.mark.parametrize(("kind", "value", "answer", "expected"), CASES)
async def test_a_check_and_its_opposite(kind: str, value: Any, answer: str, expected: bool) -> None:
    straight = await grade(Check(kind, value), answer)
    turned = await grade(Check(f"not-{kind}", value), answer)
    assert (straight.passed, straight.score) == (expected, float(expected)), straight.reason
    assert (turned.passed, turned.score) == (not expected, float(not expected))
    assert straight.check == kind
    assert turned.check == f"not-{kind}"
    assert straight.reason == turned.reason != ""


@pytest.mark.parametrize(
    ("check", "says"),
    [
        (Check("contains"), "needs a value"),
        (Check("contains", ""), "needs a value"),
        (Check("contains", ["a"]), "a text or a number"),
        (Check("contains", "file://part.txt"), "never read"),
        (Check("contains", "x" * 100_001), "at most 100000"),
        (Check("equals"), "needs a value"),
        (Check("contains-all", []), "needs a value"),
        (Check("contains-all", [""]), "every answer contains"),
        (Check("contains-all", {"a": 1}), "needs a value"),
        (Check("contains-any", '"open'), "does not end"),
        (Check("contains-any", '"a" b'), "a comma after"),
        (Check("contains-any", ["a"] * 201), "at most 200"),
        (Check("contains-any", ["a" * 30_000] * 4), "more than 100000"),
        (Check("contains-any", " , "), "needs a value"),
        (Check("starts-with", None), "needs a value"),
        (Check("regex", None), "needs a value"),
        (Check("regex", 5), "as a text"),
        (Check("regex", "("), "missing"),
        (Check("regex", "(?=a)b"), "Look-around"),
        (Check("regex", r"(a)\1"), "back-references"),
        (Check("regex", "(a{1000}){1000}"), "repetition"),
        (Check("regex", "a" * 2001), "at most 2000"),
        (Check("regex", r"\pL{1000}"), "too large"),
        (Check("regex", "file://x"), "never read"),
        (Check("word-count"), "a number of words"),
        (Check("word-count", "many"), "a number of words"),
        (Check("word-count", True), "a number of words"),
        (Check("word-count", -1), "a number of words"),
        (Check("word-count", 1.5), "whole number"),
        (Check("word-count", float("nan")), "a number of words"),
        (Check("word-count", {}), "`min` and `max`"),
        (Check("word-count", {"min": None}), "needs `min`"),
        (Check("word-count", {"mim": 1}), "`min` and `max`"),
        (Check("word-count", {"min": 5, "max": 1}), "no answer can meet"),
        (Check("latency"), "threshold in milliseconds"),
        (Check("latency", None, -1), "at least 0"),
        (Check("cost", None, float("inf")), "at least 0"),
        (Check("cost"), "threshold in USD"),
        (Check("llm-rubric"), "the rubric"),
        (Check("llm-rubric", " "), "the rubric"),
        (Check("llm-rubric", {"a": 1}), "the rubric"),
        (Check("llm-rubric", "Is polite", 8), "at most 1"),
        (Check("similar"), "needs a value"),
        (Check("similar", "a", 75), "at most 1"),
        (Check("contains", "a", weight=-1), "0 or more"),
        (Check("contains", "a", weight=float("nan")), "0 or more"),
        (Check("equals", json.loads("[" * 101 + "]" * 101)), "nested deeper"),
    ],
)
async def test_a_check_that_could_decide_nothing_is_refused_by_name_and_ungraded_in_a_run(
    check: Check, says: str
) -> None:
    refusal = validate_check(check)
    assert refusal is not None
    assert says in refusal
    assert check.type in refusal
    given = await grade(check, "an answer")
    assert (given.passed, given.score) == (None, None)
    assert given.weight == check.weight or check.weight != check.weight


@pytest.mark.parametrize("kind", ["javascript", "python", "ruby", "webhook", "not-javascript", "not-python"])
async def test_checks_that_would_run_code_are_refused_by_name_and_never_run(kind: str) -> None:
    check = Check(kind, "open('/tmp/ran', 'w')")
    refusal = validate_check(check)
    assert refusal is not None
    assert kind.removeprefix("not-") in refusal
    assert "never done" in refusal
    assert (await grade(check, "x")).passed is None


@pytest.mark.parametrize("kind", ["", "not-", "not-not-equals", "Equals", "x" * 5000])
def test_unknown_types_are_refused_with_the_list_of_known_ones(kind: str) -> None:
    refusal = validate_check(Check(kind, "a"))
    assert refusal is not None
    assert "contains-json" in refusal
    assert len(refusal) < 600


@pytest.mark.parametrize("kind", CHECK_TYPES)
def test_every_type_has_a_sentence_and_a_way_to_pass_the_gate(kind: str) -> None:
    assert CHECK_TYPES[kind].endswith(".")
    value: Any = {"word-count": 3, "is-json": None, "contains-json": None}.get(kind, "x")
    check = Check(kind, value, 0.5)
    assert validate_check(check) is None
    assert validate_check(Check(f"not-{kind}", value, 0.5)) is None


async def test_a_reason_quotes_one_short_line() -> None:
    given = await grade(Check("contains", "line\n" * 10_000), "x")
    assert "\n" not in given.reason
    assert len(given.reason) < 200


async def test_negated_lists_turn_the_whole_round() -> None:
    assert await passes("not-contains-any", ["a", "b"], "b") is False
    assert await passes("not-contains-all", ["a", "b"], "b") is True


@pytest.mark.parametrize(("kind", "instead"), [("bleu", "Use similar."), ("not-similar:dot", "Use similar.")])
def test_types_of_promptfoo_that_are_not_supported_come_with_what_to_use(kind: str, instead: str) -> None:
    refusal = validate_check(Check(kind, "a"))
    assert refusal is not None
    assert "is not supported" in refusal
    assert instead in refusal
