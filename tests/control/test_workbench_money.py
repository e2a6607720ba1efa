"""What a hosted run spends: judge and embeddings count with the answers, in the preview, the limit and the books."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from tests.control.people import unique
from tests.control.test_workbench_runs import Bench
from tests.services.stack import User

PRICED = {"input_usd_per_million": "1", "output_usd_per_million": "2"}
JUDGE = {"model": "openai/gpt-5-mini"}
"""The sandbox's echoes, which no verdict can be read from: each question is asked twice, and paid."""
EMBEDDING = "openai/text-embedding-3-small"


@pytest.fixture
def bench(make_user: Callable[[str], User]) -> Bench:
    user = make_user("payer")
    user.add_key("openai", f"sk-proj-{unique('payer')}-0123456789")
    return Bench(user)


def graded(bench: Bench, count: int, **check: Any) -> str:
    lines = [
        json.dumps({"vars": {"q": f"say {number}"}, "description": f"p{number}", "assert": [check]})
        for number in range(count)
    ]
    params = {"filename": "graded.jsonl", "format": "promptfoo-jsonl", "template": "{{q}}"}
    sent = bench.api.post("/workbench/suites", params=params, content="\n".join(lines).encode())
    assert sent.status_code == 201, sent.text
    return sent.json()["id"]


def preview(bench: Bench, session: str, **plan: Any) -> dict[str, Any]:
    return bench.api.post(f"/workbench/sessions/{session}/runs/preview", json=plan).json()


def booked(bench: Bench) -> tuple[int, Decimal]:
    """The calls in the account's books, and what they cost."""
    rows = bench.api.get("/requests", params={"limit": 100}).json()["items"]
    return len(rows), sum((Decimal(row["list_cost_usd"]) for row in rows), Decimal(0))


@pytest.mark.parametrize(
    ("check", "grader"),
    [
        ({"type": "llm-rubric", "value": "says it"}, {"judge": JUDGE}),
        ({"type": "similar", "value": "say it"}, {"embedding_model": EMBEDDING}),
    ],
    ids=["judge", "embeddings"],
)
def test_grading_costs_what_the_books_say_and_another_round_does_not_forget_it(
    bench: Bench, check: dict[str, Any], grader: dict[str, Any]
) -> None:
    session = bench.session(preset="openai", api_key="sk-direct-1234567", model="flaky-2", prices=PRICED)
    suite = graded(bench, 4, **check)
    told = preview(bench, session, suite_id=suite, **grader)
    share = told["judge" if "judge" in grader else "embeddings"]
    assert share["calls"] == 4
    assert 0 < Decimal(share["likely_usd"]) < Decimal(share["most_usd"])
    assert Decimal(told["most_usd"]) == Decimal(told["answers"]["most_usd"]) + Decimal(share["most_usd"])

    run = bench.run(session, suite, retries=0, **grader)
    first = run["metrics"]["spent"]
    assert (first["calls_beside"], Decimal(first["beside_usd"])) == booked(bench)
    again = bench.api.post(f"/workbench/runs/{run['id']}/retry-failed")
    assert again.status_code in {200, 202}, again.text
    second = bench.finished(run["id"])["metrics"]["spent"]
    assert (second["calls_beside"], Decimal(second["beside_usd"])) == booked(bench)
    assert second["calls_beside"] > first["calls_beside"] > 0


def test_a_spending_limit_holds_for_the_judge_too(bench: Bench) -> None:
    session = bench.session(preset="openai", api_key="sk-direct-1234567", model="echo", prices=PRICED)
    suite = graded(bench, 5, type="llm-rubric", value="says it")
    # Enough for the answers, not for what the judge may write.
    run = bench.run(session, suite, judge=JUDGE, max_tokens=16, max_cost_usd="0.0045")
    spent = run["metrics"]["spent"]
    assert Decimal(spent["answers_usd"]) + Decimal(spent["beside_usd"]) <= Decimal("0.0045")
    assert any("spending limit" in grade["reason"] for result in run["results"] for grade in result["grades"])


def test_a_spending_limit_needs_the_judges_price(bench: Bench) -> None:
    session = bench.session(preset="openai", api_key="sk-direct-1234567", model="echo", prices=PRICED)
    suite = graded(bench, 1, type="llm-rubric", value="says it")
    told = preview(bench, session, suite_id=suite, judge={"model": "openai/judge"})
    assert (told["judge"], told["most_usd"]) == ({"calls": 1, "likely_usd": None, "most_usd": None}, None)
    plan = {"suite_id": suite, "judge": {"model": "openai/judge"}, "max_cost_usd": "1"}
    refused = bench.api.post(f"/workbench/sessions/{session}/runs", json=plan)
    assert (refused.status_code, refused.json()["param"]) == (400, "judge")
    assert "none are known for openai/judge" in refused.json()["detail"]
