"""The workbench without an account: an hour, one session an address, nobody else's to see, gone when erased."""

from collections.abc import Callable, Iterator
from contextlib import closing

import httpx2
import pytest
from tests.control.people import database, is_problem
from tests.control.visitors import KEY, Visitor, visitor
from tests.proof.spellings import files_below, occurrences
from tests.services.stack import Stack, User


@pytest.fixture
def guest(stack: Stack) -> Iterator[Visitor]:
    with visitor(stack) as made:
        yield made


@pytest.fixture
def stranger_guest(stack: Stack) -> Iterator[Visitor]:
    with visitor(stack) as made:
        yield made


def test_a_visitor_tests_a_model_without_an_account(guest: Visitor) -> None:
    session = guest.begin()
    assert session["anonymous"] is True
    assert session["targets"][0]["masked_key"].endswith("7890")
    assert KEY not in str(session)
    found = guest.api.post(f"/sessions/{session['id']}/test").json()
    assert found["success"], found
    assert len(found["preview"]) <= 100
    run = guest.finished(guest.run()["id"])
    assert run["status"] == "completed"
    assert run["progress"] == {"done": 10, "total": 10}
    assert len(run["results"]) == 10
    assert run["metrics"]["targets"][0]["success"]["count"] == 10


def test_an_address_has_one_session_and_a_second_visitor_elsewhere_has_theirs(
    stack: Stack, guest: Visitor, stranger_guest: Visitor
) -> None:
    session = guest.begin()
    with closing(Visitor(stack, guest.address).api) as again:
        refused = again.post("/sessions", json=_TARGET)
        assert refused.status_code == 429
        for told in (session["id"], session["token"], "retry-after"):
            assert told not in refused.text
            assert told not in str(refused.headers)
        stranger_guest.begin()
        assert guest.api.delete(f"/sessions/{session['id']}").status_code == 200
        guest.begin()


CALLS: list[tuple[str, str, Callable[[httpx2.Client, str, str], httpx2.Response]]] = [
    ("session", "session", lambda api, session, _: api.get(f"/sessions/{session}")),
    ("test", "session", lambda api, session, _: api.post(f"/sessions/{session}/test")),
    ("add", "session", lambda api, session, _: api.post(f"/sessions/{session}/targets", json=_TARGET)),
    ("preview", "session", lambda api, session, _: api.post(f"/sessions/{session}/runs/preview", json=_RUN)),
    ("run", "session", lambda api, session, _: api.post(f"/sessions/{session}/runs", json=_RUN)),
    ("erase", "session", lambda api, session, _: api.delete(f"/sessions/{session}")),
    ("look", "run", lambda api, _, run: api.get(f"/runs/{run}")),
    ("results", "run", lambda api, _, run: api.get(f"/runs/{run}/results")),
    ("events", "run", lambda api, _, run: api.get(f"/runs/{run}/events")),
    ("cancel", "run", lambda api, _, run: api.post(f"/runs/{run}/cancel")),
    ("retry", "run", lambda api, _, run: api.post(f"/runs/{run}/retry-failed")),
    ("chat", "run", lambda api, _, run: api.post(f"/runs/{run}/chat", json=_CHAT)),
    ("export", "run", lambda api, _, run: api.get(f"/runs/{run}/export", params={"format": "csv"})),
    ("delete", "run", lambda api, _, run: api.delete(f"/runs/{run}")),
]
_RUN = {"suite_id": "qa-easy"}
_TARGET = {"preset": "openai", "api_key": KEY, "model": "echo"}
_CHAT = {"messages": [{"role": "user", "content": "what failed?"}]}


@pytest.mark.parametrize(("what", "kind", "call"), CALLS, ids=[name for name, _, _ in CALLS])
def test_a_stranger_learns_and_does_nothing_with_somebody_elses_ids(
    stack: Stack, what: str, kind: str, call: Callable[[httpx2.Client, str, str], httpx2.Response]
) -> None:
    """With their own token, without one, with a guess: the answer is the one for ids that never were."""
    with visitor(stack) as owner, visitor(stack) as other:
        mine = owner.begin()
        run = owner.finished(owner.run(limit=2)["id"])
        theirs = other.begin()
        absent = call(other.api, "wbs_" + "0" * 32, "wrun_" + "0" * 32)
        assert absent.status_code == 404
        for bearer in (theirs["token"], "wb_" + "A" * 43, mine["id"], mine["token"][:-1], ""):
            other.api.headers["authorization"] = f"Bearer {bearer}" if bearer else ""
            answer = call(other.api, mine["id"], run["id"])
            assert (answer.status_code, answer.text) == (404, absent.text), bearer
        other.api.headers["authorization"] = f"Bearer {theirs['token']}"
        # Nothing happened to the owner's.
        still = owner.api.get(f"/runs/{run['id']}").json()
        assert still == run
        assert len(owner.api.get(f"/sessions/{mine['id']}").json()["targets"]) == 1


def test_an_account_sees_no_visitors_session_and_a_visitor_no_accounts(stack: Stack, guest: Visitor) -> None:
    user = stack.user("workbench-owner")
    mine = user.api.post("/workbench/sessions", json=_TARGET).json()
    theirs = guest.begin()
    assert user.api.get(f"/workbench/sessions/{theirs['id']}").status_code == 404
    assert guest.api.get(f"/sessions/{mine['id']}").status_code == 404
    assert user.api.get(f"/workbench/sessions/{mine['id']}").status_code == 200
    assert theirs["id"] not in user.api.get("/workbench/sessions").text
    # Its own token opens it too, from anywhere.
    guest.api.headers["authorization"] = f"Bearer {mine['token']}"
    assert guest.api.get(f"/sessions/{mine['id']}").status_code == 200
    guest.api.headers["authorization"] = f"Bearer {theirs['token']}"


def test_an_expired_session_is_gone_for_its_creator_and_makes_room_for_the_next(stack: Stack, guest: Visitor) -> None:
    session = guest.begin()
    run = guest.finished(guest.run(limit=1)["id"])
    with database(stack) as tables:
        tables.execute("UPDATE workbench_sessions SET expires_at = 1 WHERE id = ?", (session["id"],))
    assert guest.api.get(f"/sessions/{session['id']}").status_code == 404
    assert guest.api.get(f"/runs/{run['id']}").status_code == 404
    guest.api.headers.pop("authorization")
    guest.begin()
    with database(stack) as tables:
        left = tables.execute("SELECT count(*) FROM workbench_sessions WHERE id = ?", (session["id"],)).fetchone()
    assert left == (0,)


def test_erasing_leaves_nothing_and_the_receipt_says_what_went(stack: Stack, guest: Visitor) -> None:
    mark = "sk-mark-93hf83hf82hf"
    session = guest.begin(api_key=mark)
    guest.api.post("/suites?filename=own.jsonl", content=b'{"prompt": "canary-prompt-77"}\n').raise_for_status()
    run = guest.run(compare_with="lorem-5", limit=3)
    guest.finished(run["id"])
    receipt = guest.api.delete(f"/sessions/{session['id']}").json()
    guest.session = {}
    assert receipt["deleted"] == {
        "sessions": 1,
        "keys": 2,
        "data_keys": 1,
        "targets": 2,
        "suites": 1,
        "prompts": 1,
        "runs": 1,
        "results": 6,
    }
    assert receipt["runs"] == [run["id"]]
    assert receipt["scrubbed"] is True
    for text in (mark, "canary-prompt-77", session["token"], run["id"], session["id"]):
        assert occurrences(text, files_below(stack.data_dir)) == [], text


def test_erasing_ends_a_run_that_goes_on(stack: Stack, guest: Visitor) -> None:
    session = guest.begin("slow-2000")
    run = guest.run(concurrency=4)
    with guest.api.stream("GET", f"/runs/{run['id']}/events") as events:
        lines = events.iter_lines()
        next(lines)
        with httpx2.Client(base_url=guest.api.base_url, headers=guest.api.headers, trust_env=False) as second:
            assert second.delete(f"/sessions/{session['id']}").status_code == 200
        assert '"status":"erased"' in "".join(lines)
    guest.session = {}


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/v1",
        "http://localhost:11434/v1",
        "http://169.254.169.254/latest",
        "http://[::1]:8000/v1",
        "http://10.0.0.1/v1",
        "http://0.0.0.0:1/v1",
        "http://[::ffff:127.0.0.1]/v1",
        "http://[64:ff9b::a9fe:a9fe]/v1",
    ],
)
def test_private_addresses_are_refused(guest: Visitor, url: str) -> None:
    answer = guest.api.post("/sessions", json={"endpoint_url": url, "model": "m"})
    assert is_problem(answer, 400, "invalid_request")["param"] == "endpoint_url"
    assert "private" in answer.json()["detail"]


def test_what_an_account_would_pay_is_not_a_visitors(guest: Visitor) -> None:
    answer = guest.api.post("/sessions", json={"model": "openai/gpt-5-mini"})
    assert answer.status_code == 400
    assert "account" in answer.json()["detail"]
    session = guest.begin()
    judged = guest.api.post(
        f"/sessions/{session['id']}/runs", json={"suite_id": "qa-easy", "judge": {"model": "openai/gpt-5-mini"}}
    )
    assert judged.status_code == 400
    assert judged.json()["param"] == "judge"


@pytest.mark.parametrize(
    ("field", "value"),
    [("concurrency", 5), ("max_tokens", 5000), ("timeout_ms", 61_000), ("repeats", 21)],
)
def test_a_visitors_run_is_bounded(guest: Visitor, field: str, value: int) -> None:
    session = guest.begin()
    answer = guest.api.post(f"/sessions/{session['id']}/runs", json={"suite_id": "qa-easy", field: value})
    assert answer.status_code == 400, answer.text
    assert answer.json()["param"] in (field, "limit")


def test_a_visitor_has_one_run_at_a_time(guest: Visitor) -> None:
    session = guest.begin("slow-1500")
    guest.run()
    second = guest.api.post(f"/sessions/{session['id']}/runs", json=_RUN)
    assert second.status_code == 429
    assert "cancel" in second.json()["detail"]


def test_the_page_of_another_site_cannot_begin_a_session(guest: Visitor) -> None:
    answer = guest.api.post("/sessions", json=_TARGET, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403


def test_a_wrong_api_key_is_told_and_not_taken_for_a_visitor(guest: Visitor, user: User) -> None:
    answer = guest.api.post("/sessions", json=_TARGET, headers={"authorization": f"Bearer {user.key[:-1]}x"})
    assert answer.status_code == 401
