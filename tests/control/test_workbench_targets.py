"""Models of a session: begun without one, with the key of another, taken out again; and single results."""

from collections.abc import Iterator

import pytest
from tests.control.visitors import KEY, Visitor, visitor
from tests.services.stack import Stack, User


@pytest.fixture
def guest(stack: Stack) -> Iterator[Visitor]:
    with visitor(stack) as made:
        answer = made.api.post("/sessions")
        assert answer.status_code == 201, answer.text
        made.session = answer.json()
        made.api.headers["authorization"] = f"Bearer {made.session['token']}"
        yield made


def add(guest: Visitor, **fields: str) -> dict[str, str]:
    answer = guest.api.post(f"/sessions/{guest.session['id']}/targets", json=fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_session_begins_without_a_model_and_says_so_until_it_has_one(guest: Visitor) -> None:
    path = f"/sessions/{guest.session['id']}"
    assert guest.session["targets"] == []
    for answer in (guest.api.post(f"{path}/test"), guest.api.post(f"{path}/runs", json={"suite_id": "qa-easy"})):
        assert answer.status_code == 400
        assert "no model yet" in answer.json()["detail"]
    uploaded = guest.api.post("/suites?filename=own.jsonl", content=b'{"prompt": "early"}\n')
    assert uploaded.status_code == 201
    add(guest, preset="openai", api_key=KEY, model="echo")
    assert guest.api.post(f"{path}/test").json()["success"]


def test_another_model_at_the_same_address_has_the_same_key(guest: Visitor) -> None:
    first = add(guest, preset="openai", api_key=KEY, model="error-404")
    found = guest.api.post(f"/sessions/{guest.session['id']}/test", json={"target_id": first["id"]}).json()
    assert not found["success"]
    assert "echo" in found["models"]
    second = add(guest, preset="openai", key_from=first["id"], model="echo")
    assert second["masked_key"] == first["masked_key"]
    found = guest.api.post(f"/sessions/{guest.session['id']}/test", json={"target_id": second["id"]}).json()
    assert found["success"], found
    assert found["models"] == []


def test_a_key_goes_to_no_other_address_than_the_one_it_was_given_for(guest: Visitor) -> None:
    first = add(guest, preset="openai", api_key=KEY, model="echo")
    path = f"/sessions/{guest.session['id']}/targets"
    elsewhere = {"endpoint_url": "https://evil.example.com/v1", "key_from": first["id"], "model": "echo"}
    answer = guest.api.post(path, json=elsewhere)
    assert answer.status_code == 400
    assert answer.json()["param"] == "api_key"
    both = guest.api.post(path, json={"preset": "openai", "model": "m", "key_from": first["id"], "api_key": KEY})
    assert both.status_code == 400
    absent = guest.api.post(path, json={"preset": "openai", "model": "m", "key_from": "wbt_" + "0" * 32})
    assert absent.status_code == 404


def test_the_key_of_somebody_elses_model_is_absent(stack: Stack, guest: Visitor) -> None:
    first = add(guest, preset="openai", api_key=KEY, model="echo")
    with visitor(stack) as other:
        session = other.begin()
        body = {"preset": "openai", "model": "echo", "key_from": first["id"]}
        assert other.api.post(f"/sessions/{session['id']}/targets", json=body).status_code == 404
        assert other.api.delete(f"/sessions/{session['id']}/targets/{first['id']}").status_code == 404


def test_a_model_is_taken_out_unless_a_run_has_tested_it(guest: Visitor) -> None:
    kept = add(guest, preset="openai", api_key=KEY, model="echo")
    gone = add(guest, preset="openai", api_key=KEY, model="other")
    path = f"/sessions/{guest.session['id']}/targets"
    assert guest.api.delete(f"{path}/{gone['id']}").status_code == 204
    assert guest.api.delete(f"{path}/{gone['id']}").status_code == 404
    run = guest.finished(guest.run(limit=1)["id"])
    assert guest.api.delete(f"{path}/{kept['id']}").status_code == 409
    assert guest.api.delete(f"/runs/{run['id']}").status_code == 204
    assert guest.api.delete(f"{path}/{kept['id']}").status_code == 204
    assert guest.api.get(f"/sessions/{guest.session['id']}").json()["targets"] == []


def test_one_result_is_had_by_its_number(guest: Visitor) -> None:
    add(guest, preset="openai", api_key=KEY, model="echo")
    run = guest.finished(guest.run(limit=3)["id"])
    for result in run["results"]:
        assert guest.api.get(f"/runs/{run['id']}/results/{result['seq']}").json() == result
    assert guest.api.get(f"/runs/{run['id']}/results/4").status_code == 404
    with_no_token = {"authorization": ""}
    assert guest.api.get(f"/runs/{run['id']}/results/1", headers=with_no_token).status_code == 404


def test_the_terms_tell_whose_a_session_would_be(stack: Stack, guest: Visitor, user: User) -> None:
    told = guest.api.get("/terms").json()
    assert (told["account"], told["simulated"]) == (None, True)
    assert told["limits"] == guest.session["limits"]
    mine = user.api.get("/workbench/terms").json()
    assert mine["account"] == user.email
    assert mine["limits"]["session_s"] > told["limits"]["session_s"]


def test_the_token_of_an_accounts_session_knows_its_prices(stack: Stack, user: User) -> None:
    user.add_key("openai", "sk-proj-priced-0123456789")
    session = user.api.post("/workbench/sessions").json()
    headers = {"authorization": f"Bearer {session['token']}"}
    path = f"/workbench/sessions/{session['id']}/targets"
    made = user.api.post(path, json={"model": "openai/gpt-5-mini"}, headers=headers)
    assert made.status_code == 201, made.text
    assert made.json()["prices"]["source"] == "catalogue"


def test_the_id_of_a_model_that_is_gone_is_not_taken_for_a_models_name(guest: Visitor) -> None:
    add(guest, preset="openai", api_key=KEY, model="echo")
    other = add(guest, preset="openai", api_key=KEY, model="parrot")
    path = f"/sessions/{guest.session['id']}"
    assert guest.api.delete(f"{path}/targets/{other['id']}").status_code == 204
    answer = guest.api.post(f"{path}/runs", json={"suite_id": "qa-easy", "compare_with": other["id"]})
    assert answer.status_code == 404
    assert len(guest.api.get(path).json()["targets"]) == 1
