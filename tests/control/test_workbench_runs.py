"""Runs of an account: through the gateway, compared, followed, cancelled, retried, exported, promoted."""

import csv
import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.control.people import unique
from tests.control.visitors import followed
from tests.services.stack import Stack, User

_PREFIX = "/workbench"


class Bench:
    """A user's workbench."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.api = user.api

    def session(self, **target: Any) -> str:
        answer = self.api.post("/workbench/sessions", json=target)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def suite(self, lines: list[dict[str, Any]]) -> str:
        data = "\n".join(json.dumps(line) for line in lines).encode()
        answer = self.api.post("/workbench/suites", params={"filename": "mine.jsonl"}, content=data)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def start(self, session: str, suite: str, **fields: Any) -> str:
        answer = self.api.post(f"/workbench/sessions/{session}/runs", json={"suite_id": suite} | fields)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def finished(self, run: str) -> dict[str, Any]:
        return followed(self.api, run, _PREFIX)

    def run(self, session: str, suite: str, **fields: Any) -> dict[str, Any]:
        return self.finished(self.start(session, suite, **fields))


@pytest.fixture(scope="module")
def bench(make_user: Callable[[str], User]) -> Bench:
    user = make_user("evaluator")
    user.add_key("openai", f"sk-proj-{unique('evaluator')}-0123456789", label="mine")
    return Bench(user)


def quiz(count: int) -> list[dict[str, Any]]:
    """Questions whose right answer the simulated model `right-P` knows in P percent of them."""
    return [
        {"id": f"q{number}", "prompt": f"Question {number}?\nsandbox:answer blue{number}", "expected": f"blue{number}"}
        for number in range(count)
    ]


def test_a_stored_key_pays_through_the_gateway_and_the_books_know_it(bench: Bench) -> None:
    session = bench.session(model="openai/echo", credential="mine")
    before = bench.api.get("/requests", params={"limit": 200}).json()["items"]
    run = bench.run(session, "qa-easy", limit=4)
    assert run["status"] == "completed"
    after = bench.api.get("/requests", params={"limit": 200}).json()["items"]
    assert len(after) - len(before) == 4
    assert {row["model"] for row in after[:4]} == {"openai/echo"}
    assert all(row["streamed"] for row in after[:4])
    assert run["plan"]["targets"][0]["kind"] == "gateway"


def test_graded_answers_make_a_pass_rate_with_its_interval(bench: Bench) -> None:
    session = bench.session(preset="openai", api_key="sk-right-1234567", model="right-100")
    run = bench.run(session, bench.suite(quiz(12)))
    passed = run["metrics"]["targets"][0]["passed"]
    assert (passed["count"], passed["total"]) == (12, 12)
    assert 0.7 < passed["low"] < 0.8
    assert passed["high"] == 1.0


def test_the_better_of_two_models_is_found_and_becomes_a_route(bench: Bench) -> None:
    session = bench.session(
        preset="openai", api_key="sk-better-1234567", model="right-10+ttft=constant:30+gap=constant:5"
    )
    suite = bench.suite(quiz(40))
    run = bench.run(session, suite, compare_with="right-95+ttft=constant:30+gap=constant:5", concurrency=8)
    (comparison,) = run["metrics"]["comparisons"]
    assert comparison["verdict"] == "b", comparison["words"]
    assert "right-95" in comparison["words"]
    name = unique("winner")
    made = bench.api.post(f"/workbench/runs/{run['id']}/promote", json={"name": name})
    assert made.status_code == 201, made.text
    assert made.json()["target"] == 1
    answer = bench.user.chat(name, "sandbox:answer yes\nwhat?")
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-ownkey-model"].endswith("right-95+ttft=constant:30+gap=constant:5")


def test_two_that_are_alike_are_not_told_apart_and_nobody_is_promoted_unasked(bench: Bench) -> None:
    session = bench.session(preset="openai", api_key="sk-alike-1234567", model="echo")
    run = bench.run(session, "qa-easy", compare_with="parrot")
    (comparison,) = run["metrics"]["comparisons"]
    assert comparison["verdict"] == "cannot_tell"
    refused = bench.api.post(f"/workbench/runs/{run['id']}/promote", json={"name": unique("nobody")})
    assert refused.status_code == 409
    named = bench.api.post(f"/workbench/runs/{run['id']}/promote", json={"name": unique("chosen"), "target": 0})
    assert named.status_code == 201, named.text


def test_a_judge_grades_rubrics_and_prefers_answers_in_both_orders(bench: Bench) -> None:
    lines = [
        {
            "id": f"r{number}",
            "prompt": f"Say it {number}.\nsandbox:answer the sky is blue",
            "assert": [{"type": "llm-rubric", "value": 'The answer says "blue".'}],
            "reference": "blue",
        }
        for number in range(10)
    ]
    data = "\n".join(
        json.dumps({"vars": {"q": line["prompt"]}, "description": line["id"], "assert": line["assert"]})
        for line in lines
    ).encode()
    sent = bench.api.post(
        "/workbench/suites",
        params={"filename": "rubric.jsonl", "format": "promptfoo-jsonl", "template": "{{q}}"},
        content=data,
    )
    assert sent.status_code == 201, sent.text
    session = bench.session(preset="openai", api_key="sk-judged-1234567", model="right-0")
    run = bench.run(
        session, sent.json()["id"], compare_with="right-100", judge={"model": "openai/judge", "credential": "mine"}
    )
    first, second = run["metrics"]["targets"]
    assert first["passed"]["count"] == 0
    assert second["passed"]["count"] == 10
    preference = run["metrics"]["comparisons"][0]["preference"]
    assert preference["b_wins"] == 10
    assert preference["flip_rate"] == 0
    biased = bench.run(session, sent.json()["id"], compare_with="right-100", judge={"model": "openai/judge-first"})
    preference = biased["metrics"]["comparisons"][0]["preference"]
    assert preference["flip_rate"] == 1
    assert preference["ties"] == 10


def test_similarity_uses_an_embedding_model_of_the_gateway(bench: Bench) -> None:
    config = b"""
prompts: ["{{q}}"]
tests:
  - description: near
    vars: {q: "the cat sat on the mat"}
    assert: [{type: similar, value: "the cat sat on the mat", threshold: 0.9}]
  - description: far
    vars: {q: "quarterly revenue grew again"}
    assert: [{type: similar, value: "the cat sat on the mat", threshold: 0.9}]
"""
    sent = bench.api.post("/workbench/suites", params={"filename": "similar.yaml"}, content=config)
    assert sent.status_code == 201, sent.text
    session = bench.session(model="openai/echo")
    run = bench.run(session, sent.json()["id"], embedding_model="openai/text-embedding-3-small")
    assert [result["passed"] for result in sorted(run["results"], key=lambda each: each["position"])] == [True, False]
    without = bench.run(session, sent.json()["id"])
    assert [result["passed"] for result in without["results"]] == [None, None]


def test_only_the_failed_are_retried_and_first_and_eventual_success_are_told_apart(bench: Bench) -> None:
    session = bench.session(preset="openai", api_key="sk-flaky-1234567", model="flaky-3-503")
    run = bench.run(session, "qa-easy", retries=0)
    failed = run["metrics"]["targets"][0]["failures"]
    assert [each["kind"] for each in failed] == ["server_error"]
    assert failed[0]["advice"]
    count = failed[0]["count"]
    assert 3 <= count <= 4
    kept = {result["seq"]: result for result in run["results"] if result["status"] == "ok"}
    assert bench.api.post(f"/workbench/runs/{run['id']}/retry-failed").status_code == 202
    again = bench.finished(run["id"])
    assert again["round"] == 2
    for result in again["results"]:
        if result["seq"] in kept:
            assert result == kept[result["seq"]]
    assert len(again["results"]) == 10
    figures = again["metrics"]["targets"][0]
    assert figures["success"]["count"] > 10 - count
    assert figures["first_attempt"]["count"] == 10 - count
    made_again = [result for result in again["results"] if result["seq"] not in kept]
    assert {result["attempts"] for result in made_again} == {2}
    assert {result["first_failure"]["kind"] for result in made_again} == {"server_error"}


def test_what_failed_calls_cost_is_still_there_when_they_were_made_again(bench: Bench) -> None:
    prices = {"input_usd_per_million": "1000", "output_usd_per_million": "1000"}
    session = bench.session(preset="openai", api_key="sk-cut-123456789", model="cut", prices=prices)
    run = bench.run(session, "qa-easy", limit=2, retries=1)
    assert [result["attempts"] for result in run["results"]] == [2, 2]
    once = float(run["metrics"]["targets"][0]["cost_usd"])
    assert once > 0
    assert bench.api.post(f"/workbench/runs/{run['id']}/retry-failed").status_code == 202
    again = bench.finished(run["id"])
    assert float(again["metrics"]["targets"][0]["cost_usd"]) == pytest.approx(2 * once)


def test_nothing_is_retried_where_everything_was_answered(bench: Bench) -> None:
    session = bench.session(preset="openai", api_key="sk-whole-1234567", model="echo")
    run = bench.run(session, "qa-easy", limit=2)
    answer = bench.api.post(f"/workbench/runs/{run['id']}/retry-failed")
    assert answer.status_code == 409
    assert "nothing to retry" in answer.json()["detail"]


def test_a_run_is_cancelled_at_once_and_its_rest_can_be_made_later(bench: Bench) -> None:
    session = bench.session(preset="openai", api_key="sk-cancel-1234567", model="slow-3000")
    run = bench.start(session, "qa-easy", concurrency=2)
    with bench.api.stream("GET", f"/workbench/runs/{run}/events") as events:
        lines = events.iter_lines()
        assert any('"running"' in line for line in lines)
        with httpx2.Client(base_url=bench.api.base_url, headers=bench.api.headers, trust_env=False) as second:
            assert second.post(f"/workbench/runs/{run}/cancel").status_code == 202
            assert second.post(f"/workbench/runs/{run}/retry-failed").status_code in (202, 409)
        for _ in lines:
            pass
    ended = bench.finished(run)
    assert ended["status"] == "cancelled"
    assert ended["detail"]
    assert {result["failure"]["kind"] for result in ended["results"]} == {"cancelled"}
    assert bench.api.post(f"/workbench/runs/{run}/cancel").status_code == 409


def test_a_run_counts_as_failed_only_when_every_prompt_failed(bench: Bench) -> None:
    session = bench.session(preset="openai", api_key="sk-invalid-1234567", model="echo")
    run = bench.run(session, "qa-easy", limit=3)
    assert run["status"] == "failed"
    assert "Every prompt failed" in run["detail"]
    assert run["metrics"]["targets"][0]["failures"][0]["kind"] == "auth"


def test_the_spending_limit_ends_a_run_before_it_is_passed(bench: Bench) -> None:
    session = bench.session(
        preset="openai",
        api_key="sk-capped-1234567",
        model="lorem-50",
        prices={"input_usd_per_million": "1000", "output_usd_per_million": "1000"},
    )
    preview = bench.api.post(
        f"/workbench/sessions/{session}/runs/preview", json={"suite_id": "qa-easy", "max_tokens": 100}
    ).json()
    assert preview["calls"] == 10
    assert float(preview["likely_usd"]) < float(preview["most_usd"])
    warmed = bench.api.post(
        f"/workbench/sessions/{session}/runs/preview", json={"suite_id": "qa-easy", "max_tokens": 100, "warm_up": 20}
    ).json()
    assert warmed["calls"] == 30
    assert float(warmed["most_usd"]) == pytest.approx(3 * float(preview["most_usd"]))
    run = bench.run(session, "qa-easy", max_tokens=100, max_cost_usd="0.5")
    assert run["status"] == "completed"
    assert "spending limit" in run["detail"]
    assert 0 < run["progress"]["done"] < 10
    assert float(run["metrics"]["targets"][0]["cost_usd"]) <= 0.5


def test_a_run_whose_money_went_into_failures_tells_both(bench: Bench) -> None:
    prices = {"input_usd_per_million": "100", "output_usd_per_million": "100"}
    session = bench.session(preset="openai", api_key="sk-lost-12345678", model="cut", prices=prices)
    run = bench.run(session, "qa-easy", max_tokens=128, max_cost_usd="0.04")
    assert run["status"] == "failed"
    assert run["progress"]["done"] < 10
    assert "that was sent failed" in run["detail"]
    assert "spending limit" in run["detail"]


def test_a_spending_limit_without_prices_is_refused(bench: Bench) -> None:
    session = bench.session(endpoint_url="https://llm.example.com/v1", api_key="sk-x-123456789", model="m")
    answer = bench.api.post(f"/workbench/sessions/{session}/runs", json={"suite_id": "qa-easy", "max_cost_usd": "1"})
    assert answer.status_code == 400
    assert answer.json()["param"] == "max_cost_usd"


def test_every_export_is_made_from_what_is_stored_as_often_as_one_likes(bench: Bench) -> None:
    session = bench.session(preset="openai", api_key="sk-export-1234567", model="right-50")
    lines = [*quiz(3), {"id": "=cmd()", "prompt": "=1+1\nsandbox:answer =2+2", "expected": "=2+2"}]
    run = bench.run(session, bench.suite(lines))
    calls = len(bench.api.get("/requests", params={"limit": 200}).json()["items"])
    files: dict[str, httpx2.Response] = {}
    for _ in range(2):
        files = {
            kind: bench.api.get(f"/workbench/runs/{run['id']}/export", params={"format": kind})
            for kind in ("csv", "json", "jsonl", "junit", "html")
        }
        for kind, answer in files.items():
            assert answer.status_code == 200, (kind, answer.text)
            assert answer.headers["content-disposition"].startswith("attachment")
    table = list(csv.DictReader(io.StringIO(files["csv"].text)))
    assert len(table) == 4
    assert not any(value.startswith(("=", "+", "@")) for row in table for value in row.values())
    assert len(files["jsonl"].text.splitlines()) == 4
    assert files["json"].json()["schema"].startswith("ownkey.workbench.run/")
    root = ET.fromstring(files["junit"].text)
    assert len(list(root.iter("testcase"))) == 4
    page = files["html"].text
    assert "http://" not in page.split("</style>")[0]
    assert "<script" not in page
    assert len(bench.api.get("/requests", params={"limit": 200}).json()["items"]) == calls


def test_the_tested_model_is_asked_about_its_results_and_told_our_figures(bench: Bench) -> None:
    session = bench.session(preset="openai", api_key="sk-talk-1234567", model="echo")
    run = bench.run(session, "qa-easy", limit=5)
    body = {"messages": [{"role": "user", "content": "Which prompt was slowest?"}]}
    said, done = _talk(bench, run["id"], body)
    assert said == "Which prompt was slowest?"
    assert done["left_out"] == 0


def test_a_model_with_a_small_context_is_told_less_until_it_fits(bench: Bench) -> None:
    session = bench.session(preset="openai", api_key="sk-small-1234567", model="small-context-1500")
    run = bench.run(session, "support-medium")
    said, done = _talk(bench, run["id"], {"messages": [{"role": "user", "content": "And?"}]})
    assert said == "And?"
    assert done["context_tokens"] <= 1500


def test_a_long_conversation_with_a_model_of_small_context_is_cut_until_it_fits(bench: Bench) -> None:
    session = bench.session(preset="openai", api_key="sk-small-7654321", model="small-context-1200")
    run = bench.run(session, "qa-easy", limit=2)
    turns = [{"role": ("user", "assistant")[at % 2], "content": f"turn {at} " + "word " * 60} for at in range(30)]
    said, _ = _talk(bench, run["id"], {"messages": [*turns, {"role": "user", "content": "And?"}]})
    assert said == "And?"


def _talk(bench: Bench, run: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    said, last = "", {}
    with bench.api.stream("POST", f"/workbench/runs/{run}/chat", json=body) as answer:
        assert answer.status_code == 200, answer.read()
        name = ""
        for line in answer.iter_lines():
            key, _, value = line.partition(": ")
            if key == "event":
                name = value
            elif key == "data":
                data = json.loads(value)
                if name == "delta":
                    said += data["text"]
                else:
                    last = data | {"event": name}
    assert last["event"] == "done", last
    return said, last


def test_results_come_over_sse_as_they_are_there_and_go_on_after_a_broken_connection(bench: Bench) -> None:
    session = bench.session(preset="openai", api_key="sk-sse-12345678", model="echo")
    run = bench.start(session, "qa-easy")
    bench.finished(run)
    first = _numbers(bench, run, 0)
    assert first == list(range(1, 11))
    assert _numbers(bench, run, 7) == [8, 9, 10]
    assert _numbers(bench, run, 2**63 - 1) == []
    beyond = bench.api.get(f"/workbench/runs/{run}/events", headers={"last-event-id": str(2**63)})
    assert beyond.status_code == 422


def _numbers(bench: Bench, run: str, after: int) -> list[int]:
    headers = {"last-event-id": str(after)}
    with bench.api.stream("GET", f"/workbench/runs/{run}/events", headers=headers) as events:
        return [int(line.removeprefix("id: ")) for line in events.iter_lines() if line.startswith("id: ")]


def test_an_account_keeps_its_suites_and_another_does_not_see_them(bench: Bench, stranger: User) -> None:
    suite = bench.suite(quiz(2))
    assert suite in bench.api.get("/workbench/suites").text
    assert bench.api.get(f"/workbench/suites/{suite}").json()["items"][0]["id"] == "q0"
    assert suite not in stranger.api.get("/workbench/suites").text
    for answer in (
        stranger.api.get(f"/workbench/suites/{suite}"),
        stranger.api.delete(f"/workbench/suites/{suite}"),
    ):
        assert answer.status_code == 404
    assert bench.api.delete(f"/workbench/suites/{suite}").status_code == 204


def test_a_key_that_was_revoked_ends_the_work_it_began(stack: Stack, bench: Bench) -> None:
    made = bench.api.post("/api-keys", json={"name": "brief", "scopes": ["gateway", "manage"]}).json()
    headers = {"authorization": f"Bearer {made['key']}"}
    with httpx2.Client(base_url=stack.url + "/api/v1", headers=headers, trust_env=False) as brief:
        session = brief.post("/workbench/sessions", json={"model": "openai/echo"}).json()["id"]
    bench.api.delete(f"/api-keys/{made['id']}")
    run = bench.run(session, "qa-easy", limit=1)
    assert run["status"] == "failed"
    assert run["detail"]


def test_a_users_deletion_takes_their_workbench_along(stack: Stack) -> None:
    user = stack.user(unique("leaver"))
    bench = Bench(user)
    session = bench.session(preset="openai", api_key="sk-leaver-1234567", model="echo")
    run = bench.run(session, "qa-easy", limit=1)
    with stack.session() as operator:
        assert operator.delete(f"/admin/users/{user.id}").status_code in (200, 204)
    with httpx2.Client(base_url=stack.url + "/api/v1", trust_env=False) as nobody:
        assert nobody.get(f"/workbench/runs/{run['id']}").status_code == 404
