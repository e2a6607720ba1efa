"""`POST /v1/rerank`: it passes where the provider speaks the same shape, and is translated for Cohere."""

from typing import Any

import cohere
import pytest
from tests.gateway.conftest import Requests, Workshop
from tests.gateway.upstream import answer
from tests.services.stack import User

ASKED: dict[str, Any] = {
    "query": "red fox",
    "documents": ["a blue whale", {"text": "the red fox"}],
    "top_n": 1,
    "return_documents": True,
}


def test_cohere_is_asked_in_its_own_shape(user: User, new_key: str, sandbox_requests: Requests) -> None:
    user.add_key("cohere", new_key)
    response = user.gateway.post("/v1/rerank", json=ASKED | {"model": "cohere/rerank-v4"})
    assert response.status_code == 200
    body = response.json()
    assert body["results"] == [{"index": 1, "relevance_score": 1.0, "document": {"text": "the red fox"}}]
    assert body["model"] == "rerank-v4"
    assert body["meta"]["billed_units"] == {"search_units": 1.0}
    assert sandbox_requests(new_key[-4:])[-1]["path"] == "/cohere/v2/rerank"
    receipt = user.receipt(response)
    assert (receipt["client_format"], receipt["usage_reported"]) == ("rerank", True)


def test_it_passes_where_the_shape_is_the_same(workshop: Workshop, user: User, new_key: str) -> None:
    body = {"results": [{"index": 0, "relevance_score": 0.5, "extra": 1}], "usage": {"total_tokens": 9}}
    workshop.upstream.script(new_key, answer(200, body))
    user.add_key("vllm", new_key, base_url=workshop.upstream.url + "/v1")
    response = user.gateway.post("/v1/rerank", json=ASKED | {"model": "vllm/m", "unknown": [1.50]})
    assert response.json() == body
    seen = workshop.upstream.seen(new_key)[-1]
    assert (seen.path, seen.json()) == ("/v1/rerank", ASKED | {"model": "m", "unknown": [1.50]})
    assert user.receipt(response)["input_tokens"] == 9


def test_coheres_own_client_is_served(workshop: Workshop, user: User, new_key: str) -> None:
    user.add_key("cohere", new_key)
    with cohere.Client(api_key=user.key, base_url=workshop.url) as client:
        done = client.rerank(model="cohere/rerank-v4", query="fox", documents=["cat", "fox"], return_documents=True)
    assert [(result.index, result.document and result.document.text) for result in done.results] == [
        (1, "fox"),
        (0, "cat"),
    ]


@pytest.mark.parametrize("provider", ["cohere", "together"])
def test_errors_have_openais_shape(user: User, new_key: str, provider: str) -> None:
    user.add_key(provider, new_key)
    response = user.gateway.post("/v1/rerank", json=ASKED | {"model": f"{provider}/error-400"})
    assert response.status_code == 400
    assert set(response.json()["error"]) >= {"message", "type", "param", "code"}
    response = user.gateway.post("/v1/rerank", json={"model": f"{provider}/m", "query": "q"})
    assert (response.status_code, response.json()["error"]["param"]) == (400, "documents")


def test_a_provider_without_rerank_says_so(user: User, new_key: str) -> None:
    user.add_key("mistral", new_key)
    response = user.gateway.post("/v1/rerank", json=ASKED | {"model": "mistral/m"})
    assert response.status_code >= 400
    assert "has no rerank endpoint" in response.json()["error"]["message"]


def test_another_key_steps_in(user: User, new_key: str) -> None:
    user.add_key("cohere", f"{new_key}-invalid", priority=1, is_default=False)
    user.add_key("cohere", f"{new_key}-good", priority=2, is_default=False)
    response = user.gateway.post("/v1/rerank", json=ASKED | {"model": "cohere/rerank-v4"})
    assert (response.status_code, response.headers["x-ownkey-attempts"]) == (200, "2")
