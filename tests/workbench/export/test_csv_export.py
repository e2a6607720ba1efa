"""CSV: tidy, exact, and harmless in a spreadsheet."""

import csv
import io

import pytest
from msgspec.structs import replace
from tests.workbench.runs import answered, plan, prompt, run, whole

from ownkey.domain.cells import text_cell
from ownkey.workbench.export import export_csv
from ownkey.workbench.export.csv_file import COLUMNS
from ownkey.workbench.records import Slot


async def table(**fields: object) -> list[dict[str, str]]:
    text = (await whole(export_csv(run(**fields)))).decode()  # type: ignore[arg-type]
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


async def test_there_is_a_row_a_request_and_a_column_a_field() -> None:
    rows = await table()
    assert len(rows) == 20
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["prompt_id"] == "support-easy-01"
    assert [row["label"] for row in rows[:2]] == ["swift-small", "calm-large"]
    assert rows[0]["e2e_ms"] == "500.0"
    assert rows[0]["cost_usd"] == "0.0000906"
    assert rows[0]["warm_up"] == "false"


async def test_lines_end_as_rfc_4180_says_and_texts_keep_their_own_line_ends() -> None:
    asked = prompt()
    text = 'two\nlines, "quoted"\r\nand a comma'
    data = await whole(export_csv(run([(asked, answered(asked, text=text))], targets=1)))
    assert data.count(b"\r\n") == 3
    assert (await table(rows=[(asked, answered(asked, text=text))], targets=1))[0]["answer"] == text


async def test_what_is_not_known_is_an_empty_cell() -> None:
    asked = prompt(reference=None)
    row = (await table(rows=[(asked, answered(asked, tokens=None, cost=None))], targets=1))[0]
    assert [row[name] for name in ("output_tokens", "cost_usd", "tpot_ms", "failure_kind", "reference")] == [""] * 5


async def test_a_failure_and_a_failed_check_say_what_they_are() -> None:
    rows = await table()
    error = next(row for row in rows if row["outcome"] == "error")
    assert (error["failure_kind"], error["failure_message"], error["attempts"]) == ("timeout", "no answer in 60 s", "3")
    wrong = next(row for row in rows if row["outcome"] == "failed")
    assert wrong["failed_checks"] == "contains: no “parcel”"


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\u3000=1",
    "\u00a0=1",
    "＝1",
    "＋1",
    "－1",
    "＠A",
    " ＝1",
    "\ufeff=1",
    "\0=1",
    "\u202e=1",
    "\tharmless",
]


@pytest.mark.parametrize("formula", FORMULAS)
async def test_a_formula_becomes_text_in_every_text_column(formula: str) -> None:
    asked = prompt(id=formula, reference=formula, tags=(formula,))
    result = answered(asked, text=formula, reasoning=formula, finish_reason=formula)
    row = (await table(rows=[(asked, result)], targets=1, id=formula))[0]
    for column in ("run_id", "prompt_id", "reference", "tags", "answer", "reasoning", "finish_reason"):
        assert row[column] == "'" + formula, column


@pytest.mark.parametrize("text", ["", "a=b", "1-1", "'=1", "(=1)", "e-mail@example.org", "5 > 4", "   ", "\u200b"])
def test_an_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert text_cell(text) == text


async def test_a_negative_number_stays_a_number() -> None:
    asked = prompt()
    row = (await table(rows=[(asked, answered(asked, backoff_ms=-1.5, cost=-5))], targets=1))[0]
    assert (row["backoff_ms"], row["cost_usd"]) == ("-1.5", "-0.000000005")


async def test_warm_up_calls_are_there_and_marked() -> None:
    asked = prompt()
    warm = replace(answered(asked, Slot(0, 0, 0)), warm_up=True)
    assert (await table(rows=[(asked, warm)], targets=1, plan=plan(1, warm_up=1)))[0]["warm_up"] == "true"
