"""The books as their owner reads them: sums, lists, receipts, exports."""

import csv
import io
from collections.abc import Callable
from decimal import Decimal

import httpx2
import pytest
from tests.control.people import database, is_problem, unique
from tests.services.stack import Stack, User


@pytest.fixture(scope="module")
def busy(stack: Stack) -> User:
    """A user with five requests: three completed on two models, one refused upstream, one refused here."""
    person = stack.user(unique("busy"))
    person.add_key("openai", f"sk-test-{unique('busy')}-abcdefgh", label="first")
    for model, text in [("openai/gpt-5-mini", "one"), ("openai/gpt-5-mini", "two"), ("openai/gpt-5", "three")]:
        assert person.chat(model, text).status_code == 200
    assert person.chat("openai/error-400").status_code == 400
    return person


def test_requests_are_listed_newest_first_page_by_page(busy: User) -> None:
    rows = busy.api.get("/requests").json()["items"]
    assert [row["model"] for row in rows] == [
        "openai/error-400", "openai/gpt-5", "openai/gpt-5-mini", "openai/gpt-5-mini"
    ]  # fmt: skip
    assert [row["status"] for row in rows] == ["failed", "completed", "completed", "completed"]
    done = rows[1]
    assert {"id", "at", "model", "provider", "credential_id", "payer", "status", "streamed", "attempts"} <= set(done)
    assert done["input_tokens"] > 0
    assert done["output_tokens"] > 0
    assert Decimal(done["list_cost_usd"]) > 0
    assert (done["charged_usd"], done["payer"], done["error"]) == ("0", "user", None)
    assert done["latency_ms"] > 0
    assert done["at"].endswith("Z")
    first = busy.api.get("/requests?limit=3").json()
    second = busy.api.get("/requests", params={"cursor": first["next_cursor"]}).json()
    assert first["items"] + second["items"] == rows
    assert second["next_cursor"] is None


def test_requests_are_found_by_their_key(busy: User, user: User) -> None:
    id_ = busy.api.get("/credentials").json()["items"][0]["id"]
    assert len(busy.api.get("/requests", params={"credential_id": id_}).json()["items"]) == 4
    assert user.api.get("/requests", params={"credential_id": id_}).json()["items"] == []


def test_a_receipt_can_be_read_as_soon_as_the_answer_is_there(busy: User) -> None:
    answer = busy.chat("openai/gpt-5-nano")
    receipt = busy.receipt(answer)
    assert receipt["model"] == "openai/gpt-5-nano"
    assert receipt["list_cost_usd"] == answer.headers["x-ownkey-cost-usd"]
    assert [attempt["outcome"] for attempt in receipt["attempts_made"]] == ["answered"]
    assert receipt["dropped"] == []
    busy_key = busy.api.get("/api-keys").json()["items"][0]["id"]
    assert receipt["api_key_id"] == busy_key


@pytest.mark.parametrize("range_", ["24h", "7d", "30d", "90d", "all"])
@pytest.mark.parametrize("group_by", ["model", "provider", "credential", "day", "hour"])
def test_sums_agree_with_the_list(busy: User, range_: str, group_by: str) -> None:
    rows = busy.api.get("/requests").json()["items"]
    found = busy.api.get("/usage", params={"range": range_, "group_by": group_by}).json()
    assert (found["range"], found["group_by"]) == (range_, group_by)
    total = found["total"]
    assert total["requests"] == len(rows) == sum(item["requests"] for item in found["items"])
    assert total["errors"] == 1
    assert total["error_rate"] == pytest.approx(1 / len(rows), abs=1e-4)
    assert Decimal(total["list_cost_usd"]) == sum(Decimal(row["list_cost_usd"]) for row in rows)
    assert total["input_tokens"] == sum(row["input_tokens"] for row in rows)
    assert 0 < total["latency_p50_ms"] <= total["latency_p95_ms"]
    if group_by == "model":
        assert {item["key"] for item in found["items"]} == {row["model"] for row in rows}


def test_old_requests_leave_a_range_and_stay_in_all(stack: Stack, newcomer: Callable[[], User]) -> None:
    person = newcomer()
    person.add_key("openai", f"sk-test-{unique('old')}-abcdefgh")
    receipt = person.receipt(person.chat("openai/echo"))
    with database(stack) as tables:
        tables.execute("UPDATE requests SET at = at - 40 * 86400 WHERE id = ?", (receipt["id"],))
    counts = {
        range_: person.api.get("/usage", params={"range": range_}).json()["total"]["requests"]
        for range_ in ("24h", "7d", "30d", "90d", "all")
    }
    assert counts == {"24h": 0, "7d": 0, "30d": 0, "90d": 1, "all": 1}


def test_everybodys_usage_is_the_operators_to_see(busy: User, operator: httpx2.Client) -> None:
    is_problem(busy.api.get("/usage?group_by=user"), 403, "not_allowed")
    found = operator.get("/usage?group_by=user").json()
    assert {item["key"]: item["requests"] for item in found["items"]}[busy.id] >= 4
    assert operator.get("/usage?group_by=model").json()["total"]["requests"] < found["total"]["requests"]


@pytest.mark.parametrize(
    "query", ["range=1h", "range=", "group_by=team", "group_by=password", "range=all&group_by=%00"]
)
def test_a_wrong_question_is_told(busy: User, query: str) -> None:
    is_problem(busy.api.get(f"/usage?{query}"), 422, "invalid_request")


def test_a_keys_own_usage(busy: User) -> None:
    id_ = busy.api.get("/credentials").json()["items"][0]["id"]
    found = busy.api.get(f"/credentials/{id_}/usage").json()
    assert found["range"] == "30d"
    assert found["requests"] >= 4
    assert found["errors"] == 1
    assert Decimal(found["list_cost_usd"]) > 0
    assert busy.api.get(f"/credentials/{id_}").json()["status"] == "valid"


def test_nothing_used_is_zero(stranger: User) -> None:
    total = stranger.api.get("/usage").json()["total"]
    assert (total["requests"], total["list_cost_usd"], total["error_rate"]) == (0, "0", 0.0)
    assert stranger.api.get("/usage/export?format=json").json() == []
    assert len(list(csv.reader(io.StringIO(stranger.api.get("/usage/export").text)))) == 1


def test_exports_hold_the_same_rows(busy: User) -> None:
    rows = busy.api.get("/requests").json()["items"]
    as_json = busy.api.get("/usage/export?format=json&range=7d")
    assert as_json.json() == rows
    assert as_json.headers["content-type"] == "application/json"
    assert as_json.headers["content-disposition"] == 'attachment; filename="ownkey-usage-7d.json"'
    as_csv = busy.api.get("/usage/export?format=csv&range=all")
    assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
    table = list(csv.DictReader(io.StringIO(as_csv.text)))
    assert [row["id"] for row in table] == [row["id"] for row in rows]
    assert list(table[0]) == list(rows[0])
    is_problem(busy.api.get("/usage/export?format=xlsx"), 422, "invalid_request")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝"])
def test_no_cell_of_an_export_is_a_formula(newcomer: Callable[[], User], start: str) -> None:
    person = newcomer()
    model = f'{start}HYPERLINK("http://evil.example")'
    person.add_key("openai", f"sk-test-{unique('formula')}-abcdefgh", model=model)
    assert person.chat(model).status_code == 200
    (row,) = csv.DictReader(io.StringIO(person.api.get("/usage/export").text))
    assert row["model"] == f"'{model}"
    assert person.api.get("/usage/export?format=json").json()[0]["model"] == model


def test_a_long_export_comes_whole(stack: Stack, newcomer: Callable[[], User]) -> None:
    person = newcomer()
    person.add_key("openai", f"sk-test-{unique('long')}-abcdefgh")
    receipt = person.receipt(person.chat("openai/echo"))
    with database(stack) as tables:
        names = [row[1] for row in tables.execute("PRAGMA table_info(requests)")]
        copied = ", ".join("id || '-' || value" if name == "id" else name for name in names)
        statement = f"INSERT INTO requests SELECT {copied} FROM requests, generate_numbers WHERE id = ?"
        following = "SELECT value + 1 FROM generate_numbers WHERE value < 2500"
        numbers = f"WITH RECURSIVE generate_numbers(value) AS (SELECT 1 UNION ALL {following}) "
        tables.execute(numbers + statement, (receipt["id"],))
    assert len(person.api.get("/usage/export?format=json").json()) == 2501
    rows = list(csv.DictReader(io.StringIO(person.api.get("/usage/export").text)))
    assert len({row["id"] for row in rows}) == 2501
