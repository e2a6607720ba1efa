"""Errors reach the client as its SDK expects them: passed where the formats agree, else translated, never leaking."""

import base64
import json
from typing import Any
from urllib.parse import quote

import anthropic
import httpx2
import openai
import pytest
from anthropic._error_classes import ERROR_CLASSES
from tests.gateway.conftest import Workshop
from tests.gateway.upstream import answer, refusal
from tests.services.stack import Process, Stack, User

MESSAGES = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def sandboxed(stack: Stack) -> User:
    return stack.user("errors", openai="sk-errors-0001", anthropic="sk-ant-errors-0001")


def ask(user: User, path: str, model: str, **more: Any) -> httpx2.Response:
    return user.gateway.post(path, json={"model": model, "max_tokens": 50, "messages": MESSAGES} | more)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 409, 413, 418, 422, 429, 500, 502, 503, 504, 529])
def test_an_error_of_the_same_format_passes_with_status_and_body(
    sandbox: Process, sandboxed: User, status: int, streamed: bool
) -> None:
    direct = {"x-api-key": "sk-errors-direct", "anthropic-version": "2023-06-01"}
    for provider, path in (("openai", "/v1/chat/completions"), ("anthropic", "/v1/messages")):
        body = {"model": f"error-{status}", "max_tokens": 5, "stream": streamed, "messages": MESSAGES}
        original = httpx2.post(f"{sandbox.url}/{provider}{path}", json=body, headers=direct, trust_env=False)
        answered = ask(sandboxed, path, f"{provider}/error-{status}", stream=streamed)
        assert answered.status_code == original.status_code == status
        assert without_id(answered.json()) == without_id(original.json())
        name = "request-id" if provider == "anthropic" else "x-request-id"
        assert answered.headers[name] != answered.headers["x-ownkey-request-id"]
        assert answered.headers["x-ownkey-provider"] == provider
        assert answered.headers["content-type"] == "application/json"


def without_id(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "request_id"}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 429, 500, 503, 529])
def test_an_error_of_another_format_is_translated(sandboxed: User, status: int, streamed: bool) -> None:
    as_openai = ask(sandboxed, "/v1/chat/completions", f"anthropic/error-{status}", stream=streamed)
    assert as_openai.status_code == status
    told = as_openai.json()["error"]
    assert set(told) == {"message", "type", "param", "code"}
    assert told["message"]
    assert as_openai.headers["x-request-id"] == as_openai.headers["x-ownkey-request-id"]
    as_anthropic = ask(sandboxed, "/v1/messages", f"openai/error-{status}", stream=streamed)
    assert as_anthropic.status_code == status
    assert as_anthropic.json()["type"] == "error"
    assert as_anthropic.json()["error"]["message"]
    assert as_anthropic.json()["request_id"] == as_anthropic.headers["request-id"]
    assert as_anthropic.headers["request-id"] == as_anthropic.headers["x-ownkey-request-id"]


def test_every_error_class_of_the_anthropic_sdk_arises(workshop: Workshop, user: User, new_key: str) -> None:
    user.add_key("anthropic", new_key, base_url=workshop.upstream.url)
    with anthropic.Anthropic(base_url=workshop.url, api_key=user.key, max_retries=0) as client:
        for (status, code), expected in ERROR_CLASSES.items():
            details = {} if code is None else {"details": {"error_code": code}}
            error = {"type": "some_error", "message": "told by the provider"} | details
            workshop.upstream.script(new_key, answer(status, {"type": "error", "error": error, "request_id": "req_up"}))
            with pytest.raises(anthropic.APIStatusError) as raised:
                client.messages.create(model="anthropic/claude-x", max_tokens=5, messages=[])
            assert type(raised.value) is expected, (status, code)
            assert raised.value.status_code == status


@pytest.mark.parametrize("provider", ["custom", "anthropic"])
def test_a_filtered_answer_reaches_the_parsing_helper(
    workshop: Workshop, user: User, new_key: str, provider: str
) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "content_filter"}
    completion = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    message = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": "refusal"}
    usage = {"usage": {"input_tokens": 1, "output_tokens": 0}}
    workshop.upstream.script(new_key, answer(200, completion if provider == "custom" else message | usage))
    user.add_key(provider, new_key, base_url=workshop.upstream.url + ("/v1" if provider == "custom" else ""))
    with openai.OpenAI(base_url=workshop.url + "/v1", api_key=user.key, max_retries=0) as client:
        model = f"{provider}/claude-x"
        with pytest.raises(openai.ContentFilterFinishReasonError):
            client.chat.completions.parse(model=model, messages=[{"role": "user", "content": "hello"}])


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize(
    ("name", "value"), [("retry-after", "7"), ("retry-after-ms", "6500"), ("x-should-retry", "false")]
)
def test_advice_on_retrying_passes_in_both_directions(
    workshop: Workshop, user: User, new_key: str, path: str, name: str, value: str
) -> None:
    workshop.upstream.script(new_key, refusal(429, "slow down", f"{name}: {value}"))
    user.add_key("custom", new_key, base_url=workshop.upstream.url + "/v1")
    answered = ask(user, path, "custom/m")
    assert answered.status_code == 429
    assert answered.headers[name] == value


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_an_error_that_is_no_json_still_reads_as_one(workshop: Workshop, user: User, new_key: str, path: str) -> None:
    page = b"<html><h1>502 Bad Gateway</h1></html>"
    workshop.upstream.script(new_key, answer(502, page, kind="text/html"))
    user.add_key("custom", new_key, base_url=workshop.upstream.url + "/v1")
    answered = ask(user, path, "custom/m")
    assert answered.status_code == 502
    if path == "/v1/messages":
        assert answered.json()["error"]["type"] == "api_error"
    else:
        assert answered.content == page


def test_a_status_that_http_does_not_know_is_not_passed_on(workshop: Workshop, user: User, new_key: str) -> None:
    user.add_key("custom", new_key, base_url=workshop.upstream.url + "/v1")
    for status in (600, 799, 999):
        workshop.upstream.script(new_key, refusal(status))
        answered = ask(user, "/v1/chat/completions", "custom/m")
        assert answered.status_code == 502
        assert answered.json()["error"]["code"] == "upstream_error"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_provider_that_echoes_the_key_is_not_quoted(
    workshop: Workshop, user: User, path: str, streamed: bool
) -> None:
    key = 'sk-canary/+=%27"0123456789abcdefghij'
    echoes = [
        key,
        quote(key, safe=""),
        quote(key, safe="").lower(),
        base64.b64encode(key.encode()).decode(),
        base64.b64encode(b"Bearer " + key.encode()).decode(),
    ]
    body = {"error": {"message": " ".join(echoes), "type": "auth", "code": key, "key": key}}
    workshop.upstream.script(
        key,
        answer(401, body, f"x-request-id: {key}", f"retry-after: {key}", f"x-ratelimit-reset: {key}"),
    )
    user.add_key("custom", key, base_url=workshop.upstream.url + "/v1")
    answered = ask(user, path, "custom/m", stream=streamed)
    assert answered.status_code == 401
    assert "[redacted]" in answered.text
    seen = answered.text + str(answered.headers) + json.dumps(user.receipt(answered))
    for echo in echoes:
        assert echo[:-4] not in seen
        assert json.dumps(echo)[1:-5] not in seen


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_the_sandboxs_key_echoing_models_are_not_quoted(sandboxed: User, path: str, provider: str) -> None:
    for model in ("error-echo-key", "stream-echo-key"):
        for streamed in (False, True):
            answered = ask(sandboxed, path, f"{provider}/{model}", stream=streamed)
            assert "-errors-0001" not in answered.text + str(answered.headers)
            assert "[redacted]" in answered.text
