"""JUnit: a build server's view of a run."""

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from msgspec.structs import replace
from tests.workbench.export.junit_shape import misfits
from tests.workbench.runs import answered, failed, plan, prompt, run, target, whole

from ownkey.workbench.export import export_junit
from ownkey.workbench.records import FailureKind, Grade, RunStatus, Slot


async def parsed(**fields: object) -> Element:
    """Expat is strict: it refuses what is not well-formed XML 1.0."""
    return ElementTree.fromstring(await whole(export_junit(run(**fields))))  # type: ignore[arg-type]


def case(root: Element, name: str, suite: int = 0) -> Element:
    return next(found for found in root[suite].iter("testcase") if found.get("name") == name)


async def test_a_suite_is_a_model_on_a_suite_of_prompts() -> None:
    root = await parsed()
    assert [suite.get("name") for suite in root] == [
        "swift-small × Customer support, easy",
        "calm-large × Customer support, easy",
    ]
    assert misfits(root) == []


async def test_the_counts_are_those_of_the_cases() -> None:
    root = await parsed()
    for suite in root:
        assert suite.get("tests") == str(len(list(suite.iter("testcase")))) == "10"
        for name, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert suite.get(name) == str(len(list(suite.iter(element))))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("20", "2", "1")


async def test_a_failed_check_is_a_failure_with_its_reason_and_the_answer() -> None:
    failure = case(await parsed(), "support-easy-06").find("failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == ("contains", "contains: no “parcel”")
    assert "I cannot help." in (failure.text or "")
    assert "My parcel number 6 is late." in (failure.text or "")


async def test_a_call_without_an_answer_is_an_error_with_kind_and_message() -> None:
    error = case(await parsed(), "support-easy-04").find("error")
    assert error is not None
    assert (error.get("type"), error.get("message")) == ("timeout", "timeout: no answer in 60 s")


async def test_an_answer_that_could_not_be_graded_is_skipped_and_says_why() -> None:
    asked = prompt()
    ungraded = replace(
        answered(asked, passed=None), grades=(Grade("llm-rubric", None, reason="the judge gave no verdict"),)
    )
    bare = replace(answered(prompt(1), Slot(0, 1, 0), passed=None))
    root = await parsed(rows=[(asked, ungraded), (prompt(1), bare)], targets=1, plan=plan(1, prompts=2))
    skips = [found.get("message") for found in root.iter("skipped")]
    assert skips == ["llm-rubric: the judge gave no verdict", "answered; the prompt has no check"]


async def test_what_was_cancelled_or_not_run_is_skipped_and_not_an_error() -> None:
    asked = prompt()
    rows = [(asked, failed(asked, kind=FailureKind.CANCELLED, message="cancelled"))]
    root = await parsed(rows=rows, targets=1, status=RunStatus.CANCELLED, detail="by hand")
    skips = [found.get("message") for found in root.iter("skipped")]
    assert skips == ["not run: cancelled", "9 of 10 requests were not run; the run is cancelled: by hand"]
    assert root.get("errors") == "0"


async def test_time_is_in_seconds() -> None:
    root = await parsed()
    assert case(root, "support-easy-01").get("time") == "0.500"
    assert case(root, "support-easy-04").get("time") == "60.000"


async def test_repetitions_have_names_of_their_own() -> None:
    asked = prompt()
    rows = [(asked, answered(asked, Slot(0, 0, repeat))) for repeat in range(3)]
    root = await parsed(rows=rows, targets=1, plan=plan(1, prompts=1, repeats=3))
    assert [found.get("name") for found in root.iter("testcase")] == [
        f"support-easy-01 (repeat {number} of 3)" for number in (1, 2, 3)
    ]


async def test_warm_up_calls_are_no_cases() -> None:
    asked = prompt()
    rows = [(asked, replace(answered(asked), warm_up=True)), (asked, answered(asked))]
    root = await parsed(rows=rows, targets=1, plan=plan(1, prompts=1))
    assert root.get("tests") == "1"


async def test_the_metrics_are_properties_of_the_suite() -> None:
    root = await parsed()
    told = {found.get("name"): found.get("value") for found in root[0].iter("property")}
    assert told["latency_ms.unit"] == "ms"
    assert told["latency_ms.count"] == "9"
    assert told["cost.usd"] == "0.000906"
    assert told["success.count"] == "10"


HOSTILE = [
    "]]>",
    "<script>alert(1)</script>",
    "\0\x01\x08\x0b\x1f",
    "\ufffe\uffff",
    "\ud800 alone",
    "&amp; &undefined;",
    "a\r\nb\tc",
    "\u202eevil",
    "😀",
    '"><testcase name="forged"/>',
    "<!DOCTYPE x [<!ENTITY a 'b'>]>",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_whatever_an_answer_holds_the_file_is_well_formed_and_has_no_further_elements(text: str) -> None:
    asked = prompt(id=text)
    result = answered(asked, text=text, passed=False, reason=text)
    error = failed(asked, Slot(0, 1, 0), message=text)
    root = await parsed(
        rows=[(asked, result), (asked, error)], targets=1, plan=plan(1, prompts=2, targets=(target(label=text),))
    )
    assert misfits(root) == []
    assert len(list(root.iter("testcase"))) == 2


async def test_line_ends_and_ordinary_text_come_through_as_they_were() -> None:
    asked = prompt()
    text = "one\r\ntwo\n\tthree <&> ]]>"
    root = await parsed(rows=[(asked, answered(asked, text=text, passed=False))], targets=1)
    assert (next(root.iter("failure")).text or "").endswith(text)


async def test_more_cases_than_fit_in_memory_are_all_written() -> None:
    asked = prompt()
    rows = [(asked, answered(asked, Slot(0, at, 0), text="x" * 2000, passed=False)) for at in range(1500)]
    root = await parsed(rows=rows, targets=1, plan=plan(1, prompts=1500))
    assert len(list(root.iter("testcase"))) == 1500 == int(root.get("failures") or 0)


async def test_an_empty_run_says_that_nothing_was_run() -> None:
    root = await parsed(rows=[], targets=1)
    assert [found.get("name") for found in root.iter("testcase")] == ["not run"]
