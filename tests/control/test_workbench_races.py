"""People and programs that ask for the same thing at once, and erase while something goes on."""

import itertools
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from tests.control.people import database, unique
from tests.control.visitors import KEY, Visitor, followed, visitor
from tests.proof.spellings import files_below, occurrences
from tests.services.stack import Stack, User

_TARGET = {"preset": "openai", "api_key": KEY, "model": "echo"}
_CHAT = {"messages": [{"role": "user", "content": "what failed?"}]}


@pytest.fixture
def guest(stack: Stack) -> Iterator[Visitor]:
    with visitor(stack) as made:
        yield made


def at_once(count: int, call: Callable[[], httpx2.Response]) -> list[httpx2.Response]:
    """The answers to calls that set out together."""
    barrier = threading.Barrier(count)

    def go() -> httpx2.Response:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(count) as pool:
        return [each.result() for each in [pool.submit(go) for _ in range(count)]]


def statuses(answers: list[httpx2.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def test_of_sessions_begun_at_once_from_an_address_there_is_one(guest: Visitor) -> None:
    answers = at_once(8, lambda: guest.api.post("/sessions", json=_TARGET))
    assert statuses(answers) == {201: 1, 429: 7}
    guest.session = next(answer.json() for answer in answers if answer.status_code == 201)
    guest.api.headers["authorization"] = f"Bearer {guest.session['token']}"
    assert len(guest.api.get(f"/sessions/{guest.session['id']}").json()["targets"]) == 1


def test_openings_of_an_address_are_counted_whatever_is_erased_between(guest: Visitor) -> None:
    for _ in range(30):
        guest.begin()
        assert guest.api.delete(f"/sessions/{guest.session['id']}").status_code == 200
    refused = guest.api.post("/sessions", json=_TARGET)
    guest.session = {}
    assert refused.status_code == 429
    assert "hour" in refused.json()["detail"]


def test_of_runs_begun_at_once_there_are_as_many_as_may_be(guest: Visitor) -> None:
    session = guest.begin("slow-1500")
    answers = at_once(6, lambda: guest.api.post(f"/sessions/{session['id']}/runs", json={"suite_id": "qa-easy"}))
    assert statuses(answers) == {201: 1, 429: 5}


def test_of_retries_at_once_one_begins_a_round_and_none_gets_round_the_limit(guest: Visitor) -> None:
    session = guest.begin("flaky-1-503")
    first = guest.finished(guest.run(limit=3, retries=0)["id"])
    second = guest.finished(guest.run(limit=3, retries=0)["id"])
    answers = at_once(4, lambda: guest.api.post(f"/runs/{first['id']}/retry-failed"))
    assert 202 in statuses(answers)
    again = guest.finished(first["id"])
    assert again["round"] == 1 + statuses(answers)[202]
    assert len(again["results"]) == 3
    slow = guest.api.post(f"/sessions/{session['id']}/targets", json=_TARGET | {"model": "slow-3000"}).json()
    guest.run(targets=[slow["id"]])
    assert guest.api.post(f"/runs/{second['id']}/retry-failed").status_code == 429


def test_a_preview_stores_nothing_and_a_second_click_no_second_model(guest: Visitor) -> None:
    session = guest.begin()
    body = {"suite_id": "qa-easy", "limit": 1, "compare_with": _TARGET | {"model": "parrot", "label": "the other"}}
    for _ in range(8):
        assert guest.api.post(f"/sessions/{session['id']}/runs/preview", json=body).json()["calls"] == 2
    assert len(guest.api.get(f"/sessions/{session['id']}").json()["targets"]) == 1
    for _ in range(8):
        answer = guest.api.post(f"/sessions/{session['id']}/runs", json=body)
        if answer.status_code == 201:
            guest.finished(answer.json()["id"])
    assert len(guest.api.get(f"/sessions/{session['id']}").json()["targets"]) == 2


@pytest.mark.parametrize("others", ["echo", ["parrot", "parrot"], [_TARGET | {"model": "parrot"}] * 2])
def test_a_model_is_not_compared_with_itself(guest: Visitor, others: Any) -> None:
    session = guest.begin()
    answer = guest.api.post(f"/sessions/{session['id']}/runs", json={"suite_id": "qa-easy", "compare_with": others})
    assert (answer.status_code, answer.json()["param"]) == (400, "compare_with")
    assert len(guest.api.get(f"/sessions/{session['id']}").json()["targets"]) == 1


def test_a_key_stays_with_its_endpoint(guest: Visitor) -> None:
    """By a model's name the same endpoint is meant; another endpoint has no key unless it is given one."""
    session = guest.begin()
    elsewhere = {"endpoint_url": "https://llm.example.com/v1", "model": "parrot"}
    body = {"suite_id": "qa-easy", "limit": 1, "compare_with": ["parrot", elsewhere], "retries": 0, "timeout_ms": 3000}
    run = guest.api.post(f"/sessions/{session['id']}/runs", json=body)
    assert run.status_code == 201, run.text
    first, same, other = guest.api.get(f"/sessions/{session['id']}").json()["targets"]
    assert (same["base_url"], same["masked_key"]) == (first["base_url"], first["masked_key"])
    assert (other["base_url"], other["masked_key"]) == ("https://llm.example.com/v1", None)
    guest.finished(run.json()["id"])


@pytest.mark.parametrize("doing", ["running", "listening", "exporting", "chatting", "uploading", "erasing"])
def test_erasing_while_something_goes_on_leaves_nothing_and_counts_what_went(
    stack: Stack, guest: Visitor, doing: str
) -> None:
    session = guest.begin("slow-1000" if doing in ("running", "listening") else "echo")
    run = guest.run(concurrency=2)
    path = f"/runs/{run['id']}"
    if doing not in ("running", "listening"):
        guest.finished(run["id"])
    erase = lambda: guest.api.delete(f"/sessions/{session['id']}")  # noqa: E731
    if doing == "running":
        receipts = [erase()]
    elif doing == "erasing":
        receipts = at_once(4, erase)
    elif doing == "uploading":
        sent = (piece for piece in [b"prompt\n", b"a\n", b"", b"b\n"])

        def pieces() -> Iterator[bytes]:
            yield next(sent)
            receipts.append(erase())
            yield from sent

        receipts: list[httpx2.Response] = []
        answer = guest.api.post("/suites?filename=own.csv", content=pieces())
        assert answer.status_code in (404, 409), answer.text
    else:
        method, where = {
            "listening": ("GET", f"{path}/events"),
            "exporting": ("GET", f"{path}/export?format=html"),
            "chatting": ("POST", f"{path}/chat"),
        }[doing]
        with guest.api.stream(method, where, json=_CHAT if doing == "chatting" else None) as answer:
            receipts = [erase()]
            answer.read()
    guest.session = {}
    done = [answer.json() for answer in receipts if answer.status_code == 200]
    assert [answer.status_code for answer in receipts if answer.status_code != 200] == [404] * (len(receipts) - 1)
    (receipt,) = done
    counted = receipt["deleted"]
    assert (counted["sessions"], counted["runs"], counted["targets"], counted["keys"]) == (1, 1, 1, 1)
    assert receipt["runs"] == [run["id"]]
    with database(stack) as tables:
        for table, column, value in (
            ("workbench_sessions", "id", session["id"]),
            ("workbench_runs", "session_id", session["id"]),
            ("workbench_results", "run_id", run["id"]),
            ("workbench_targets", "session_id", session["id"]),
            ("workbench_suites", "session_id", session["id"]),
        ):
            assert tables.execute(f"SELECT count(*) FROM {table} WHERE {column} = ?", (value,)).fetchone() == (0,)
    for text in (session["id"], run["id"], session["token"]):
        assert occurrences(text, files_below(stack.data_dir)) == [], text
    assert "Traceback" not in stack.ownkey.read_log()


def test_a_run_is_cancelled_and_deleted_at_any_moment(user: User) -> None:
    """While it begins, goes on, is concluded: each answer is one of those that are described."""
    session = user.api.post("/workbench/sessions", json=_TARGET | {"model": "slow-20"}).json()["id"]
    for moment in itertools.chain(range(12), [30]):
        made = user.api.post(
            f"/workbench/sessions/{session}/runs", json={"suite_id": "qa-easy", "concurrency": 4}
        ).json()
        path = f"/workbench/runs/{made['id']}"
        with user.api.stream("GET", f"{path}/events") as events:
            for _ in zip(events.iter_lines(), range(moment * 4), strict=False):
                pass
            with httpx2.Client(base_url=user.api.base_url, headers=user.api.headers, trust_env=False) as second:
                assert second.post(f"{path}/cancel").status_code in (202, 409)
                assert second.delete(path).status_code in (204, 409)
        if user.api.get(path).status_code == 200:
            ended = followed(user.api, made["id"], "/workbench")
            assert ended["status"] in ("cancelled", "completed")
            assert user.api.delete(path).status_code == 204
        assert user.api.get(path).status_code == 404


def test_a_name_is_promoted_once_and_no_key_stays_behind(newcomer: Callable[[], User]) -> None:
    user = newcomer()
    session = user.api.post("/workbench/sessions", json=_TARGET).json()["id"]
    made = user.api.post(f"/workbench/sessions/{session}/runs", json={"suite_id": "qa-easy", "limit": 1}).json()
    followed(user.api, made["id"], "/workbench")
    name = unique("twice")
    answers = at_once(4, lambda: user.api.post(f"/workbench/runs/{made['id']}/promote", json={"name": name}))
    assert statuses(answers) == {201: 1, 409: 3}
    stored = user.api.get("/credentials").json()["items"]
    assert len(stored) == 1
    # The key is the one that is stored now: a second name shares it.
    again = user.api.post(f"/workbench/runs/{made['id']}/promote", json={"name": unique("again")})
    assert again.status_code == 201, again.text
    assert again.json()["credential_id"] == stored[0]["id"]
    refused = user.api.post(f"/workbench/runs/{made['id']}/promote", json={"name": name})
    assert refused.status_code == 409
    assert len(user.api.get("/credentials").json()["items"]) == 1
    assert user.chat(name).status_code == 200


def test_twenty_listeners_hear_everything_and_one_that_leaves_or_is_slow_holds_nobody_up(guest: Visitor) -> None:
    guest.begin("slow-100")
    run = guest.run(concurrency=2)
    url = f"/runs/{run['id']}/events"

    def listen() -> list[str]:
        headers = dict(guest.api.headers)
        with (
            httpx2.Client(base_url=guest.api.base_url, headers=headers, trust_env=False, timeout=30) as api,
            api.stream("GET", url) as events,
        ):
            return [line for line in events.iter_lines() if line.startswith(("id: ", "event: done"))]

    address = (guest.api.base_url.host, guest.api.base_url.port or 80)
    request = (
        f"GET {guest.api.base_url.path.rstrip('/')}{url} HTTP/1.1\r\nhost: x\r\n"
        f"authorization: {guest.api.headers['authorization']}\r\n\r\n"
    ).encode()
    with socket.create_connection(address) as slow:
        slow.sendall(request)
        with socket.create_connection(address) as leaver:
            leaver.sendall(request)
            assert leaver.recv(100)
        with ThreadPoolExecutor(20) as pool:
            heard = [each.result() for each in [pool.submit(listen) for _ in range(20)]]
    expected: list[Any] = [f"id: {number}" for number in range(1, 11)]
    assert all(lines == [*expected, "event: done"] for lines in heard), heard
    assert guest.finished(run["id"])["status"] == "completed"


def test_limits_a_minute_hold_for_an_address_and_not_for_a_session(guest: Visitor) -> None:
    for _ in range(10):
        session = guest.begin()
        assert guest.api.post(f"/sessions/{session['id']}/test").json()["success"]
        guest.api.delete(f"/sessions/{session['id']}")
    session = guest.begin()
    refused = guest.api.post(f"/sessions/{session['id']}/test")
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) <= 60
    run = guest.finished(guest.run(limit=1)["id"])
    for _ in range(10):
        assert guest.api.post(f"/runs/{run['id']}/chat", json=_CHAT).status_code == 200
    assert guest.api.post(f"/runs/{run['id']}/chat", json=_CHAT).status_code == 429


def test_a_visitor_has_six_models_twenty_runs_and_five_minutes_for_ten_prompts(guest: Visitor) -> None:
    session = guest.begin()
    added = [
        guest.api.post(f"/sessions/{session['id']}/targets", json=_TARGET | {"model": f"lorem-{number}"}).status_code
        for number in range(1, 7)
    ]
    assert added == [201] * 5 + [400]
    deadlines: list[float] = []
    plans: list[dict[str, Any]] = [{}, {"repeats": 2}, {"repeats": 2, "concurrency": 4}, {"limit": 1}]
    for fields in plans:
        run = guest.finished(guest.run(**fields)["id"])
        deadlines.append(run["plan"]["deadline_ms"])
    assert deadlines == [300_000, 600_000, 300_000, 300_000]
    for _ in range(16):
        guest.finished(guest.run(limit=1)["id"])
    refused = guest.api.post(f"/sessions/{session['id']}/runs", json={"suite_id": "qa-easy"})
    assert refused.status_code == 400
    assert "20 runs" in refused.json()["detail"]
