"""latency, cost, similar, and how grades come together."""

import math

import pytest
from tests.workbench.graders.scripted import TableEmbedder, failed, grade, observed, prompt

from ownkey.workbench.graders import Graders, verdict
from ownkey.workbench.graders.measures import cosine
from ownkey.workbench.records import Check, Grade


@pytest.mark.parametrize(("took", "passed"), [(499.0, True), (500.0, True), (500.1, False), (None, None)])
async def test_latency_is_the_time_to_the_last_content(took: float | None, passed: bool | None) -> None:
    observation = observed("x", e2e_ms=took)
    assert (await grade(Check("latency", threshold=500), observation)).passed is passed
    turned = None if passed is None else not passed
    assert (await grade(Check("not-latency", threshold=500), observation)).passed is turned


@pytest.mark.parametrize(("nano", "passed"), [(0, True), (1_000_000, True), (1_000_001, False), (None, None)])
async def test_cost_is_compared_exactly_in_usd(nano: int | None, passed: bool | None) -> None:
    assert (await grade(Check("cost", threshold=0.001), observed("x", cost=nano))).passed is passed


NEAR = TableEmbedder(
    {
        "answer": [1.0, 0.0],
        "same": [2.0, 0.0],
        "near": [0.8, 0.6],
        "far": [0.0, 3.0],
        "against": [-1.0, 0.0],
        "zero": [0.0, 0.0],
        "longer": [1.0, 0.0, 0.0],
        "a, b": [1.0, 0.0],
    }
)


@pytest.mark.parametrize(
    ("value", "threshold", "passed", "score"),
    [
        ("same", None, True, 1.0),
        ("near", None, True, 0.8),
        ("near", 0.8, True, 0.8),
        ("near", 0.9, False, 0.8),
        ("far", None, False, 0.0),
        ("far", 0, True, 0.0),
        ("against", None, False, 0.0),
        (["far", "near"], None, True, 0.8),
        ("a, b", None, True, 1.0),
        ("zero", None, None, None),
        ("longer", None, None, None),
        ("unknown", None, None, None),
    ],
)
async def test_similar_takes_the_nearest_text(
    value: str | list[str], threshold: float | None, passed: bool | None, score: float | None
) -> None:
    given = await grade(Check("similar", value, threshold), "answer", Graders(embedder=NEAR))
    assert given.passed is passed
    assert given.score == (None if score is None else pytest.approx(score))
    turned = await grade(Check("not-similar", value, threshold), "answer", Graders(embedder=NEAR))
    assert turned.passed is (None if passed is None else not passed)


async def test_similar_without_a_model_or_without_its_answer_is_ungraded_and_says_why() -> None:
    assert "choose one" in (await grade(Check("similar", "same"), "answer")).reason
    given = await grade(Check("similar", "unknown"), "answer", Graders(embedder=NEAR))
    assert "The embedding model is away." in given.reason


async def test_an_empty_answer_is_similar_to_nothing() -> None:
    assert (await grade(Check("similar", "same"), " ", Graders(embedder=NEAR))).passed is False


def test_cosine_of_huge_vectors_does_not_overflow_into_a_pass() -> None:
    assert cosine([3.0, 4.0], [4.0, 3.0]) == pytest.approx(0.96)
    with pytest.raises(ValueError, match="direction"):
        cosine([1e300, 1e300], [1e300, math.inf])


async def test_a_failed_call_has_no_grades_and_an_empty_answer_has() -> None:
    checks = (Check("not-contains", "x"), Check("latency", threshold=1e9))
    assert await Graders().grade(prompt(*checks), failed()) == ()
    grades = await Graders().grade(prompt(*checks), observed(""))
    assert [one.passed for one in grades] == [True, True]


async def test_grades_come_one_a_check_in_their_order_with_their_weights() -> None:
    checks = (Check("contains", "a", weight=2), Check("python", "1"), Check("contains", "b", weight=0.5))
    grades = await Graders().grade(prompt(*checks), observed("a"))
    assert [(one.check, one.passed, one.weight) for one in grades] == [
        ("contains", True, 2),
        ("python", None, 1),
        ("contains", False, 0.5),
    ]
    assert await Graders().grade(prompt(), observed("a")) == ()


@pytest.mark.parametrize(
    ("grades", "expected"),
    [
        ([], (None, None)),
        ([Grade("a", None)], (None, None)),
        ([Grade("a", True, 1.0)], (True, 1.0)),
        ([Grade("a", True, 1.0), Grade("b", None)], (True, 1.0)),
        ([Grade("a", True, 1.0), Grade("b", False, 0.0)], (False, 0.5)),
        ([Grade("a", True, 1.0, weight=3), Grade("b", False, 0.0)], (False, 0.75)),
        ([Grade("a", True, 0.8), Grade("b", True, 0.6)], (True, pytest.approx(0.7))),
        ([Grade("a", True, 1.0), Grade("b", False, 0.0, weight=0)], (True, 1.0)),
        ([Grade("b", False, 0.0, weight=0)], (None, None)),
    ],
)
def test_an_answer_passes_when_every_check_that_counts_passed(
    grades: list[Grade], expected: tuple[bool | None, float | None]
) -> None:
    assert verdict(grades) == expected
