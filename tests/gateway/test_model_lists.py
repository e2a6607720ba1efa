"""Lists of models in the shape of the asker, and probes by HEAD."""

from typing import Any

import pytest
from anthropic.types import ModelInfo
from openai.types import Model
from pydantic import TypeAdapter
from tests.gateway.conftest import Workshop
from tests.services.stack import User

ANTHROPIC = {"anthropic-version": "2023-06-01"}


@pytest.fixture
def lister(workshop: Workshop, user: User, new_key: str) -> User:
    user.add_key("openrouter", new_key)
    return user


def pages(user: User, query: str = "") -> Any:
    answered = user.gateway.get("/v1/models" + query, headers=ANTHROPIC)
    assert answered.status_code == 200, answered.text
    return answered.json()


def test_each_asker_gets_its_own_shape(lister: User) -> None:
    openai = lister.gateway.get("/v1/models").json()
    assert openai["object"] == "list"
    listed = [TypeAdapter(Model).validate_python(row, strict=True).id for row in openai["data"]]
    anthropic = pages(lister, "?limit=1000")
    rows = TypeAdapter(list[ModelInfo]).validate_python(anthropic["data"])
    assert [row.id for row in rows] == listed
    assert all(row.model_extra == {} or row.model_extra is None for row in rows)
    assert (anthropic["has_more"], anthropic["first_id"], anthropic["last_id"]) == (False, listed[0], listed[-1])


def test_pages_lead_through_the_whole_list(lister: User) -> None:
    every = [row["id"] for row in pages(lister, "?limit=1000")["data"]]
    forward: list[str] = []
    page = pages(lister, "?limit=7")
    while True:
        forward += [row["id"] for row in page["data"]]
        if not page["has_more"]:
            break
        page = pages(lister, f"?limit=7&after_id={page['last_id']}")
    assert forward == every
    before = pages(lister, f"?limit=2&before_id={every[5]}")
    assert ([row["id"] for row in before["data"]], before["has_more"]) == (every[3:5], True)
    assert pages(lister, f"?before_id={every[0]}") == {"data": [], "has_more": False, "first_id": None, "last_id": None}


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "limit=", "after_id=absent", "before_id=absent", "limit=%C2%B2"]
)
def test_a_bad_page_is_refused_in_anthropics_shape(lister: User, query: str) -> None:
    refused = lister.gateway.get(f"/v1/models?{query}", headers=ANTHROPIC)
    assert (refused.status_code, refused.json()["type"]) == (400, "error")
    assert lister.gateway.get(f"/v1/models?{query}").status_code == 200


def test_a_new_key_shows_at_once(workshop: Workshop, user: User, new_key: str) -> None:
    assert user.api.put("/preferences", json={"mode": "own_key"}).status_code == 200
    assert user.gateway.get("/v1/models").json()["data"] == []
    user.add_key("custom", new_key, base_url=workshop.upstream.url + "/v1", model="own/thing")
    assert [row["id"] for row in user.gateway.get("/v1/models").json()["data"]] == ["own/thing"]
    user.add_key("anthropic", f"{new_key}-claude")
    assert "anthropic/claude-sonnet-4.5" in [row["id"] for row in pages(user, "?limit=1000")["data"]]


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/anthropic/claude-sonnet-4.5", "/v1/models?limit=1000"])
def test_head_is_get_without_the_body(lister: User, path: str) -> None:
    got, head = lister.gateway.get(path), lister.gateway.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(got.content))


@pytest.mark.parametrize(("path", "status"), [("/", {200, 307, 404, 405}), ("/v1/messages", {405}), ("/v1/x", {404})])
def test_other_probes_are_answered(lister: User, path: str, status: set[int]) -> None:
    probe = lister.gateway.head(path)
    assert probe.status_code in status
    assert probe.content == b""
    assert lister.gateway.get("/v1/models").status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "gpt-5",
        "claude-sonnet-4.5",
        "claude-sonnet-4-5",
        "google/gemini-2.5-flash",
        "openrouter/openai/gpt-5",
        "gpt-5-2025-08-07",
    ],
)
def test_a_model_is_found_by_every_name_that_a_chat_may_use(lister: User, name: str) -> None:
    assert lister.chat(name).status_code == 200
    found = lister.gateway.get(f"/v1/models/{name}")
    assert found.status_code == 200, found.text
    assert TypeAdapter(Model).validate_python(found.json(), strict=True).id == name
    anthropic = lister.gateway.get(f"/v1/models/{name}", headers=ANTHROPIC)
    assert TypeAdapter(ModelInfo).validate_python(anthropic.json()).id == name
    assert lister.gateway.get(f"/v1beta/models/{name}").json()["name"] == f"models/{name}"


def test_a_bare_name_has_the_limits_of_its_model(lister: User) -> None:
    whole = lister.gateway.get("/v1/models/anthropic/claude-sonnet-4.5", headers=ANTHROPIC).json()
    bare = lister.gateway.get("/v1/models/claude-sonnet-4.5", headers=ANTHROPIC).json()
    assert whole["max_input_tokens"] is not None
    assert bare == whole | {"id": "claude-sonnet-4.5"}


def test_a_name_that_no_chat_may_use_is_not_found(lister: User) -> None:
    for name in ("no-such-model", "groq/llama-3.3-70b-versatile", "openai/"):
        assert lister.gateway.get(f"/v1/models/{name}").status_code == 404


def test_a_client_of_geminis_may_leave_models_out_of_the_path(lister: User) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
    for path in ("/v1beta/openai/gpt-5", "/v1beta/models/openai/gpt-5", "/v1beta/google/gemini-2.5-flash"):
        whole = lister.gateway.post(f"{path}:generateContent", json=body)
        assert whole.status_code == 200, whole.text
        assert whole.json()["candidates"]
        streamed = lister.gateway.post(f"{path}:streamGenerateContent?alt=sse", json=body)
        assert streamed.text.startswith("data: {")
    refused = lister.gateway.post("/v1beta/openai/no-such:generateContent", json={"contents": 1})
    assert refused.json()["error"]["status"] == "INVALID_ARGUMENT"
