"""What a provider says an answer cost is what the books say, whether or not a price is known."""

from decimal import Decimal
from typing import Any

import pytest
from tests.gateway.conftest import Workshop
from tests.gateway.upstream import DONE, Reply, answer, chunk_event, stream
from tests.services.stack import User

USAGE: dict[str, Any] = {"prompt_tokens": 7000, "completion_tokens": 2000, "total_tokens": 9000, "cost": 0.0123}
CHOICE: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}
STOPPED = chunk_event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])


def row_of(user: User) -> dict[str, Any]:
    return user.api.get("/requests").json()["items"][0]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1beta/models/{model}:generateContent"])
@pytest.mark.parametrize("model", ["openrouter/meta-llama/llama-4-scout", "openrouter/newvendor/brand-new-1"])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_router_that_states_its_cost(
    workshop: Workshop, user: User, new_key: str, path: str, model: str, streamed: bool
) -> None:
    user.add_key("openrouter", new_key, base_url=workshop.upstream.url + "/v1")
    whole: Reply = answer(200, {"id": "c", "object": "chat.completion", "choices": [CHOICE], "usage": USAGE})
    pieces: Reply = stream([chunk_event("ok"), STOPPED, chunk_event(choices=[], usage=USAGE), DONE])
    workshop.upstream.script(new_key, pieces if streamed else whole)
    body: dict[str, Any] = {"model": model, "stream": streamed, "messages": [{"role": "user", "content": "x"}]}
    if "{model}" in path:
        body = {"contents": [{"role": "user", "parts": [{"text": "x"}]}]}
        path = path.replace(":generate", ":streamGenerate") if streamed else path
    assert user.gateway.post(path.format(model=model), json=body).status_code == 200
    assert Decimal(row_of(user)["list_cost_usd"]) == Decimal("0.0123")


def test_cache_writes_of_an_hour_are_priced_as_such(workshop: Workshop, user: User, new_key: str) -> None:
    user.add_key("anthropic", new_key, base_url=workshop.upstream.url)
    writes = {"ephemeral_5m_input_tokens": 10_000, "ephemeral_1h_input_tokens": 20_000}
    counts = {"input_tokens": 10, "output_tokens": 100, "cache_creation_input_tokens": 30_000, "cache_creation": writes}
    message = {"id": "m", "type": "message", "role": "assistant", "content": [{"type": "text", "text": "ok"}]}
    workshop.upstream.script(new_key, answer(200, message | {"stop_reason": "end_turn", "usage": counts}))
    body = {"model": "anthropic/claude-sonnet-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    assert user.gateway.post("/v1/messages", json=body).status_code == 200
    assert Decimal(row_of(user)["list_cost_usd"]) == Decimal("0.15903")
