"""The model's name in an answer is the provider's own, whether the answer passes or is translated."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.services.stack import User

_MESSAGES: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 50}
_CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}

Asking = Callable[[User, str, bool], set[str]]


def _named(text: str, *places: str) -> set[str]:
    """The names in an answer, or in the events of a stream, at any of the dotted `places`."""
    lines = [line.removeprefix("data:").strip() for line in text.splitlines() if line.startswith("data:")]
    found: set[str] = set()
    for line in lines or [text]:
        for place in places:
            value: Any = json.loads(line) if line != "[DONE]" else {}
            for name in place.split("."):
                value = value.get(name, {})
            if value:
                found.add(value)
    return found


def _post(user: User, path: str, body: dict[str, Any]) -> str:
    answer = user.gateway.post(path, json=body, headers={"anthropic-version": "2023-06-01"})
    assert answer.status_code == 200, answer.text
    return answer.text


def chat(user: User, model: str, stream: bool) -> set[str]:
    body = _MESSAGES | {"model": model, "stream": stream}
    return _named(_post(user, "/v1/chat/completions", body), "model")


def messages(user: User, model: str, stream: bool) -> set[str]:
    body = _MESSAGES | {"model": model, "stream": stream}
    return _named(_post(user, "/v1/messages", body), "message.model" if stream else "model")


def responses(user: User, model: str, stream: bool) -> set[str]:
    body = {"model": model, "input": "hello", "stream": stream}
    return _named(_post(user, "/v1/responses", body), "response.model" if stream else "model")


def gemini(user: User, model: str, stream: bool) -> set[str]:
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return _named(_post(user, f"/v1beta/models/{model}:{verb}", _CONTENTS), "modelVersion")


def completions(user: User, model: str, stream: bool) -> set[str]:
    body = {"model": model, "prompt": "hello", "stream": stream, "max_tokens": 50}
    return _named(_post(user, "/v1/completions", body), "model")


CLIENTS: tuple[Asking, ...] = (chat, messages, responses, gemini, completions)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("provider", "model", "passing"),
    [
        ("mistral", "echo", chat),
        ("openai", "echo", responses),
        ("anthropic", "echo", messages),
        ("gemini", "echo", gemini),
    ],
)
def test_every_client_gets_the_name_that_the_provider_gave(
    user: User, new_key: str, provider: str, model: str, passing: Asking, stream: bool
) -> None:
    user.add_key(provider, new_key)
    own = passing(user, f"{provider}/{model}", stream)
    assert len(own) == 1
    for client in CLIENTS:
        assert client(user, f"{provider}/{model}", stream) == own, client.__name__


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("provider", "more"), [("cohere", {}), ("bedrock", {"config": {"region": "eu-central-1"}})])
def test_a_provider_whose_answers_name_no_model_gets_the_name_it_was_sent(
    user: User, new_key: str, provider: str, more: dict[str, Any], stream: bool
) -> None:
    user.add_key(provider, new_key, **more)
    for client in (chat, messages, gemini):
        assert client(user, f"{provider}/echo", stream) == {"echo"}, client.__name__


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_route_is_answered_by_the_models_name_too(user: User, new_key: str, stream: bool) -> None:
    user.add_key("anthropic", new_key)
    assert user.api.put("/preferences", json={"model": "anthropic/echo"}).status_code == 200
    own = messages(user, "default", stream)
    assert chat(user, "default", stream) == own
    assert "default" not in own
