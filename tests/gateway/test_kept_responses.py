"""A response whose provider keeps none is kept here: encrypted, bounded, and gone when it should be."""

import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx2
import pytest
from tests.gateway.conftest import Workshop
from tests.gateway.responses_upstream import NOT_FOUND, ask, error_of, paths, response_answer, tables
from tests.gateway.upstream import answer, chat_answer
from tests.services.stack import User

_ids = count(1)


@pytest.fixture(scope="module")
def stranger(workshop: Workshop) -> User:
    return workshop.user("kept-responses-stranger")


@pytest.fixture
def response_id() -> str:
    return f"resp_kept{next(_ids):05d}"


@pytest.fixture
def chat_key(workshop: Workshop, user: User, new_key: str) -> str:
    """A key at a scripted provider that knows chat alone."""
    user.add_key("custom", new_key, base_url=workshop.upstream.url + "/v1")
    return new_key


def test_a_stateless_provider_gets_the_whole_conversation_and_is_asked_to_keep_nothing(
    workshop: Workshop, user: User, new_key: str
) -> None:
    workshop.upstream.script(new_key, response_answer("resp_g1", "one"), response_answer("resp_g2", "two"))
    user.add_key("groq", new_key, base_url=workshop.upstream.url + "/v1")
    first = ask(user, "groq/m", "first", instructions="Be brief.")
    assert first.json()["id"] == "resp_g1"
    second = ask(user, "groq/m", [{"role": "user", "content": "second"}], previous_response_id="resp_g1", store=True)
    assert second.json()["id"] == "resp_g2"
    sent = [seen.json() for seen in workshop.upstream.seen(new_key)]
    assert sent[0] == {"model": "m", "input": "first", "instructions": "Be brief.", "store": False}
    assert sent[1]["store"] is False
    assert sent[1]["previous_response_id"] is None
    assert "instructions" not in sent[1]
    told = [(item["role"], item["content"]) for item in sent[1]["input"]]
    assert [role for role, _ in told] == ["user", "assistant", "user"]
    assert (told[0][1], told[1][1][0]["text"], told[2][1]) == ("first", "one", "second")
    shown = user.gateway.get("/v1/responses/resp_g2").json()
    assert shown == second.json()
    assert user.gateway.delete("/v1/responses/resp_g2").json() == {
        "id": "resp_g2",
        "object": "response",
        "deleted": True,
    }
    assert len(paths(workshop, new_key)) == 2


def test_a_provider_of_chat_alone_gets_calls_and_results_in_their_place(
    workshop: Workshop, user: User, chat_key: str
) -> None:
    function = {"name": "f", "arguments": '{"a":1}'}
    message = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "type": "function", "function": function}],
    }
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    calling = answer(200, {"id": "x", "choices": [choice]})
    workshop.upstream.script(chat_key, calling, chat_answer("done"))
    tools = [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}]
    first = ask(user, "custom/m", "go", tools=tools, metadata={"a": "b"})
    assert first.json()["id"].startswith("resp_")
    assert first.json()["metadata"] == {"a": "b"}
    result = [{"type": "function_call_output", "call_id": "c1", "output": "42"}]
    second = ask(user, "custom/m", result, previous_response_id=first.json()["id"])
    assert second.json()["output"][0]["content"][0]["text"] == "done"
    assert second.json()["previous_response_id"] == first.json()["id"]
    assert workshop.upstream.seen(chat_key)[-1].json()["messages"] == [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": None, "tool_calls": message["tool_calls"]},
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
    ]


def test_a_kept_conversation_may_go_on_with_another_key(
    workshop: Workshop, user: User, chat_key: str, response_id: str
) -> None:
    made = ask(user, "custom/m", "first").json()["id"]
    other = f"{chat_key}-other"
    workshop.upstream.script(other, response_answer(response_id))
    user.add_key("openai", other, base_url=workshop.upstream.url + "/v1")
    assert ask(user, previous_response_id=made).json()["id"] == response_id
    sent = workshop.upstream.seen(other)[-1].json()
    assert sent["previous_response_id"] is None
    assert [item["role"] for item in sent["input"]] == ["user", "assistant", "user"]


def test_kept_conversations_are_ciphertext_and_go_when_they_expire(
    workshop: Workshop, user: User, chat_key: str
) -> None:
    marked = f"my secret plan {time.time_ns()}"
    workshop.upstream.script(chat_key, chat_answer(f"answer to {marked}"))
    made = ask(user, "custom/m", marked).json()["id"]
    for path in workshop.data_dir.rglob("*"):
        assert not path.is_file() or marked.encode() not in path.read_bytes(), path
    with tables(workshop) as conn, conn:
        sealed, key_id, life = conn.execute(
            "SELECT sealed, credential_id, expires_at - created_at FROM stored_responses WHERE id = ?", (made,)
        ).fetchone()
        assert sealed
        assert key_id is None
        assert life == pytest.approx(30 * 86_400)
        conn.execute("UPDATE stored_responses SET expires_at = 1 WHERE id = ?", (made,))
    assert user.gateway.get(f"/v1/responses/{made}").status_code == 404
    assert error_of(ask(user, "custom/m", previous_response_id=made)) == NOT_FOUND


def test_a_ciphertext_moved_to_another_user_does_not_open(
    workshop: Workshop, user: User, stranger: User, chat_key: str
) -> None:
    made = ask(user, "custom/m", "mine").json()["id"]
    with tables(workshop) as conn, conn:
        conn.execute("UPDATE stored_responses SET user_id = ? WHERE id = ?", (stranger.id, made))
    refused = stranger.gateway.get(f"/v1/responses/{made}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "secret_unreadable")
    assert stranger.gateway.delete(f"/v1/responses/{made}").status_code == 200


def test_with_the_account_its_responses_are_erased(workshop: Workshop, new_key: str) -> None:
    person = workshop.user(f"leaver-{new_key}")
    person.add_key("custom", new_key, base_url=workshop.upstream.url + "/v1")
    made = ask(person, "custom/m").json()["id"]
    with workshop.session() as operator:
        assert operator.delete(f"/admin/users/{person.id}").status_code == 204
    with tables(workshop) as conn:
        left = conn.execute("SELECT count(*) FROM stored_responses WHERE id = ? OR user_id = ?", (made, person.id))
        assert left.fetchone() == (0,)


def test_pages_of_input_items(workshop: Workshop, user: User, chat_key: str) -> None:
    items = [
        {"role": "developer", "content": "a"},
        {"role": "user", "content": [{"type": "input_text", "text": "b"}]},
        {"type": "message", "role": "assistant", "content": "c"},
        {"role": "user", "content": "d"},
    ]
    path = f"/v1/responses/{ask(user, 'custom/m', items).json()['id']}/input_items"

    def texts(**params: Any) -> tuple[list[str], bool, str]:
        page = user.gateway.get(path, params=params).json()
        return [item["content"][0]["text"] for item in page["data"]], page["has_more"], page["last_id"]

    assert texts()[:2] == (["d", "c", "b", "a"], False)
    first, more, last = texts(order="asc", limit=3)
    assert (first, more) == (["a", "b", "c"], True)
    assert texts(order="asc", limit=3, after=last)[:2] == (["d"], False)
    for params in ({"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"order": "up"}):
        refused = user.gateway.get(path, params=params)
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, next(iter(params)))


def test_odd_requests_about_responses(workshop: Workshop, user: User, chat_key: str) -> None:
    made = ask(user, "custom/m").json()["id"]
    for method, tail, status in (
        ("PUT", "", 405),
        ("POST", "", 405),
        ("GET", "/cancel", 405),
        ("GET", "/nothing", 404),
        ("POST", "/cancel", 400),
        ("GET", "?stream=true", 400),
        ("GET", "?stream=false", 200),
    ):
        answered = user.gateway.request(method, f"/v1/responses/{made}{tail}")
        assert answered.status_code == status, (method, tail, answered.text)
    assert user.gateway.get("/v1/responses/").status_code == 404
    assert user.gateway.get("/v1/responses").status_code == 405
    assert httpx2.get(f"{workshop.url}/v1/responses/{made}", trust_env=False).status_code == 401
    assert ask(user, "custom/m", previous_response_id=7).status_code == 400


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"background": True}, "background"),
        ({"tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search"}}, "tool_choice.type"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0].type"),
        ({"top_logprobs": 3}, "top_logprobs"),
    ],
)
def test_what_chat_cannot_say_is_refused_by_name(
    workshop: Workshop, user: User, chat_key: str, more: dict[str, Any], param: str
) -> None:
    refused = ask(user, "custom/m", **more)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["param"]) == (400, "unsupported_field", param)
    assert paths(workshop, chat_key) == []


def test_hints_that_chat_cannot_carry_are_named_in_the_receipt(user: User, chat_key: str) -> None:
    answered = ask(user, "custom/m", truncation="auto", text={"verbosity": "low"}, service_tier="flex")
    assert answered.status_code == 200
    assert sorted(user.receipt(answered)["adaptations"]) == ["service_tier", "text.verbosity", "truncation"]


@pytest.fixture(scope="module")
def frugal(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """A server that keeps little."""
    running = Workshop(
        tmp_path_factory.mktemp("frugal"),
        workshop.sandbox,
        OWNKEY_RESPONSE_SIZE_LIMIT="2000",
        OWNKEY_ALLOW_PRIVATE_ENDPOINTS=workshop.upstream.address,
    )
    yield running
    assert running.stop() == 0


def test_a_conversation_too_large_to_keep_is_refused_before_anything_is_sent(
    workshop: Workshop, frugal: Workshop, new_key: str
) -> None:
    person = frugal.user("frugal")
    person.add_key("custom", new_key, base_url=workshop.upstream.url + "/v1")
    large = "x" * 2000
    refused = ask(person, "custom/m", large)
    assert (refused.status_code, refused.json()["error"]["param"]) == (413, "store")
    assert paths(workshop, new_key) == []
    assert ask(person, "custom/m", large, store=False).status_code == 200
    made = ask(person, "custom/m", "x" * 200).json()["id"]
    assert person.gateway.get(f"/v1/responses/{made}").status_code == 200
    grown = ask(person, "custom/m", "x" * 1700, previous_response_id=made)
    assert grown.status_code == 413
    workshop.upstream.script(new_key, chat_answer("y" * 2000))
    long = ask(person, "custom/m", "short")
    assert long.status_code == 200
    assert person.gateway.get(f"/v1/responses/{long.json()['id']}").status_code == 404


def test_nothing_is_kept_where_retention_is_zero(
    workshop: Workshop, new_key: str, response_id: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    forgetful = Workshop(
        tmp_path_factory.mktemp("forgetful"),
        workshop.sandbox,
        OWNKEY_RESPONSE_RETENTION_DAYS="0",
        OWNKEY_ALLOW_PRIVATE_ENDPOINTS=workshop.upstream.address,
    )
    person = forgetful.user("forgetful")
    workshop.upstream.script(new_key, response_answer(response_id))
    for provider in ("custom", "openai"):
        person.add_key(provider, new_key, base_url=workshop.upstream.url + "/v1")
    ask(person)
    assert error_of(ask(person, previous_response_id=response_id)) == NOT_FOUND
    with tables(forgetful) as conn:
        assert conn.execute("SELECT count(*) FROM stored_responses").fetchone() == (0,)
    assert forgetful.stop() == 0
