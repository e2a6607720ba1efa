"""A response that its provider keeps stays with its user and its key."""

from itertools import count
from typing import Any

import httpx2
import pytest
from tests.gateway.conftest import PLATFORM_KEY, Workshop, bare, until
from tests.gateway.responses_upstream import (
    NOT_FOUND,
    ask,
    error_of,
    paths,
    response_answer,
    response_event,
    response_events,
    response_object,
    tables,
)
from tests.gateway.upstream import answer, chat_answer, refusal, stream
from tests.services.stack import User

_ids = count(1)


@pytest.fixture(scope="module")
def stranger(workshop: Workshop) -> User:
    return workshop.user("responses-stranger")


@pytest.fixture
def response_id() -> str:
    return f"resp_up{next(_ids):05d}"


@pytest.fixture
def key(workshop: Workshop, user: User, new_key: str, response_id: str) -> str:
    """A key at a scripted provider that keeps responses."""
    workshop.upstream.script(new_key, response_answer(response_id))
    user.add_key("openai", new_key, base_url=workshop.upstream.url + "/v1", label=f"first {new_key}")
    return new_key


def test_a_body_passes_and_unknown_fields_survive(workshop: Workshop, user: User, key: str, response_id: str) -> None:
    body = (
        b'{"zeta":[1.50,-0.0],"model":"openai/gpt-9","input":"h\xc3\xa9llo",'
        b'"tools":[{"type":"web_search"}],"new":{"a":null}}'
    )
    answered = user.gateway.post("/v1/responses", content=body, headers={"content-type": "application/json"})
    assert answered.status_code == 200, answered.text
    assert answered.json()["id"] == response_id
    sent = workshop.upstream.seen(key)[-1]
    assert sent.path == "/v1/responses"
    assert sent.body == body.replace(b"openai/gpt-9", b"gpt-9")
    assert user.receipt(answered)["output_tokens"] == 5


def test_a_follow_up_goes_to_the_key_that_made_the_response_and_to_no_other(
    workshop: Workshop, user: User, key: str, response_id: str
) -> None:
    first = ask(user)
    other = f"{key}-other"
    workshop.upstream.script(other, response_answer("resp_other"))
    user.add_key("openai", other, base_url=workshop.upstream.url + "/v1", is_default=True, label=other)
    assert ask(user).headers["x-ownkey-credential"] != first.headers["x-ownkey-credential"]
    second = ask(user, previous_response_id=response_id)
    assert second.headers["x-ownkey-credential"] == first.headers["x-ownkey-credential"]
    assert workshop.upstream.seen(key)[-1].json()["previous_response_id"] == response_id
    workshop.upstream.script(key, refusal(500, "broken"))
    failed = ask(user, previous_response_id=response_id)
    assert failed.status_code == 500
    assert len(workshop.upstream.seen(other)) == 1


def test_a_streamed_response_is_pinned_before_its_end_is_seen(
    workshop: Workshop, user: User, key: str, response_id: str
) -> None:
    events = response_events(response_id)
    workshop.upstream.script(key, stream(events), response_answer("resp_next"))
    streamed = ask(user, stream=True)
    assert streamed.content == b"".join(events)
    assert ask(user, previous_response_id=response_id).status_code == 200


def test_an_end_without_a_blank_line_is_an_end(workshop: Workshop, user: User, key: str, response_id: str) -> None:
    events = response_events(response_id)
    events[-1] = events[-1].rstrip(b"\n")
    workshop.upstream.script(key, stream(events), response_answer("resp_next"))
    assert b"response.completed" in ask(user, stream=True).content
    assert ask(user, previous_response_id=response_id).status_code == 200


def test_what_was_asked_of_a_pinned_response_goes_to_its_provider(
    workshop: Workshop, user: User, key: str, response_id: str
) -> None:
    ask(user)
    listing = answer(200, {"object": "list", "data": []})
    cancelled = refusal(400, f"Cannot cancel a synchronous response. {key}")
    deleted = answer(200, {"id": response_id, "deleted": True})
    polled = stream([response_event("response.completed", 0, response=response_object(response_id))])
    workshop.upstream.script(key, response_answer(response_id), polled, listing, cancelled, deleted)
    path = f"/v1/responses/{response_id}"
    assert user.gateway.get(path, params={"include": "a"}).json()["id"] == response_id
    streamed = user.gateway.get(path, params={"stream": "true", "starting_after": "4"})
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert b"response.completed" in streamed.content
    assert user.gateway.get(f"{path}/input_items?limit=3").json() == {"object": "list", "data": []}
    refused = user.gateway.post(f"{path}/cancel")
    assert refused.status_code == 400
    assert key not in refused.text
    assert user.gateway.delete(path).json()["deleted"] is True
    assert paths(workshop, key)[1:] == [
        f"{path}?include=a",
        f"{path}?stream=true&starting_after=4",
        f"{path}/input_items?limit=3",
        f"{path}/cancel",
        path,
    ]
    assert user.gateway.get(path).status_code == 404
    assert len(paths(workshop, key)) == 6


def test_a_stream_of_a_pinned_response_that_breaks_off_before_its_first_event_is_told_as_an_error(
    workshop: Workshop, user: User, key: str, response_id: str
) -> None:
    ask(user)
    workshop.upstream.script(key, stream([], end=b""))
    answered = user.gateway.get(f"/v1/responses/{response_id}", params={"stream": "true"})
    assert (answered.status_code, error_of(answered)["code"]) == (502, "upstream_error")


@pytest.mark.parametrize("kept", ["there", "here"])
def test_a_foreign_response_answers_like_an_absent_one(
    workshop: Workshop, user: User, stranger: User, new_key: str, response_id: str, kept: str
) -> None:
    bare(stranger)
    model = "openai/gpt-9" if kept == "there" else "custom/m"
    workshop.upstream.script(new_key, response_answer(response_id) if kept == "there" else chat_answer())
    for person in (user, stranger):
        # The same key, so that the provider itself would show the one's responses to the other.
        person.add_key("openai" if kept == "there" else "custom", new_key, base_url=workshop.upstream.url + "/v1")
    made = ask(user, model).json()["id"]
    sent = len(paths(workshop, new_key))
    for wanted in (made, "resp_absent", "resp_" + "x" * 300):
        refused = ask(stranger, model, previous_response_id=wanted)
        assert (refused.status_code, error_of(refused)) == (400, NOT_FOUND)
        assert refused.json()["error"]["message"] == f"Previous response with id '{wanted}' not found."
        for method, tail in (("GET", ""), ("DELETE", ""), ("GET", "/input_items"), ("POST", "/cancel")):
            answered = stranger.gateway.request(method, f"/v1/responses/{wanted}{tail}")
            assert answered.status_code == 404
            assert answered.json()["error"]["message"] == f"Response with id '{wanted}' not found."
    assert len(paths(workshop, new_key)) == sent
    assert user.gateway.request("GET", f"/v1/responses/{made}").status_code == 200


def test_a_response_whose_key_is_gone_or_disabled_says_so(
    workshop: Workshop, user: User, key: str, response_id: str
) -> None:
    made = ask(user)
    credential = made.headers["x-ownkey-credential"]
    other = f"{key}-other"
    workshop.upstream.script(other, response_answer("resp_other"))
    user.add_key("openai", other, base_url=workshop.upstream.url + "/v1", label=other)

    def follow() -> list[httpx2.Response]:
        return [ask(user, previous_response_id=response_id), user.gateway.get(f"/v1/responses/{response_id}")]

    assert user.api.patch(f"/credentials/{credential}", json={"enabled": False}).status_code == 200
    for answered in follow():
        assert (answered.status_code, answered.json()["error"]["code"]) == (503, "no_healthy_credential")
        assert "disabled" in answered.json()["error"]["message"]
        assert answered.headers["x-should-retry"] == "false"
    assert user.api.delete(f"/credentials/{credential}").status_code == 204
    for answered in follow():
        assert (answered.status_code, answered.json()["error"]["code"]) == (503, "no_healthy_credential")
    assert "not among yours any more" in follow()[0].json()["error"]["message"]
    assert paths(workshop, other) == []


def test_an_own_key_may_run_responses_in_the_background(
    workshop: Workshop, user: User, key: str, response_id: str
) -> None:
    queued = answer(200, response_object(response_id, status="queued", output=[], usage=None, background=True))
    cancelled = answer(200, response_object(response_id, status="cancelled"))
    workshop.upstream.script(key, queued, response_answer(response_id), cancelled)
    assert ask(user, background=True).json()["status"] == "queued"
    assert user.gateway.get(f"/v1/responses/{response_id}").json()["status"] == "completed"
    assert user.gateway.post(f"/v1/responses/{response_id}/cancel").json()["status"] == "cancelled"


def test_naming_another_key_than_the_pinned_one_is_refused(
    workshop: Workshop, user: User, key: str, response_id: str
) -> None:
    made = ask(user)
    named = {"x-ownkey-credential": "another"}
    refused = ask(user, previous_response_id=response_id, headers=named)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "previous_response_id")
    named = {"x-ownkey-credential": made.headers["x-ownkey-credential"]}
    assert ask(user, previous_response_id=response_id, headers=named).status_code == 200


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"conversation": "conv_1"}, "conversation"),
        ({"background": True}, "background"),
        ({"input": [{"role": "user", "content": "x"}, {"type": "item_reference", "id": "msg_1"}]}, "input[1]"),
    ],
)
def test_what_is_kept_under_a_shared_key_cannot_be_named_past_us(
    workshop: Workshop, user: User, body: dict[str, Any], param: str
) -> None:
    """The platform's key is one account at the provider; only our pins tell its users apart."""
    refused = ask(user, **body)
    assert refused.headers["x-ownkey-payer"] == "platform"
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, param)
    assert paths(workshop, PLATFORM_KEY) == []


def test_nothing_is_remembered_when_the_client_says_so_or_the_answer_failed(
    workshop: Workshop, user: User, key: str, response_id: str
) -> None:
    failed = response_object(response_id, status="failed", error={"code": "server_error", "message": "No."})
    cut = response_events(response_id)[:2]
    end = response_event("response.failed", 2, response=failed)
    workshop.upstream.script(
        key, response_answer(response_id), answer(200, failed), stream(cut), stream([*cut, end]), response_answer()
    )
    assert ask(user, store=False).status_code == 200
    assert ask(user).json()["status"] == "failed"
    ask(user, stream=True)
    ask(user, stream=True)
    assert error_of(ask(user, previous_response_id=response_id)) == NOT_FOUND


def test_a_pinned_response_keeps_no_prompt_here(workshop: Workshop, user: User, key: str, response_id: str) -> None:
    ask(user)
    with tables(workshop) as conn:
        row = conn.execute("SELECT sealed, credential_id FROM stored_responses WHERE id = ?", (response_id,)).fetchone()
    assert row[0] is None
    assert row[1].startswith("cred_")


def test_an_answer_does_not_wait_for_a_busy_database_and_is_remembered_late(
    workshop: Workshop, user: User, key: str, response_id: str
) -> None:
    ask(user, store=False)
    with tables(workshop) as conn:
        conn.execute("BEGIN EXCLUSIVE")
        answered = ask(user)
        assert answered.status_code == 200, answered.text
        assert error_of(ask(user, previous_response_id=response_id)) == NOT_FOUND
        conn.rollback()
    until(lambda: ask(user, previous_response_id=response_id).status_code == 200, "a response to be remembered")
