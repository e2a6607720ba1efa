"""Google's paths: models named by the address, keys in headers alone, and what passes or is translated."""

import json
from typing import Any

import httpx2
import pytest
from tests.gateway.conftest import Workshop
from tests.gateway.upstream import answer, stream
from tests.services.stack import Stack, User

CONTENTS = [{"role": "user", "parts": [{"text": "Hello there"}]}]
ANSWER = {
    "candidates": [{"content": {"parts": [{"text": "hi"}], "role": "model"}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 5, "thoughtsTokenCount": 2, "totalTokenCount": 10},
    "modelVersion": "m",
    "responseId": "r",
}
CUT_CHUNK = b'data: {"candidates":[{"content":{"parts":[{"text":"hi"}]}}]}\r\n\r\n'


@pytest.fixture(scope="module")
def sandboxed(stack: Stack) -> User:
    return stack.user("gemini-paths", openai="sk-gem-0001", anthropic="sk-ant-gem-0001", gemini="AIza-gem-0001")


@pytest.fixture
def native(workshop: Workshop, user: User, new_key: str) -> str:
    """A key of the scripted provider that speaks Gemini's format."""
    workshop.upstream.script(new_key, answer(200, ANSWER))
    user.add_key("gemini", new_key, base_url=workshop.upstream.url + "/v1beta")
    return new_key


def ask(user: User, model: str, verb: str = "generateContent", root: str = "/v1beta", **body: Any) -> httpx2.Response:
    return user.gateway.post(f"{root}/models/{model}:{verb}", json={"contents": CONTENTS} | body)


def texts(response: httpx2.Response) -> str:
    return "".join(part["text"] for part in response.json()["candidates"][0]["content"]["parts"])


@pytest.mark.parametrize("root", ["/v1beta", "/v1"])
@pytest.mark.parametrize("model", ["openai/echo", "openai%2Fecho", "gemini/echo", "anthropic/echo"])
def test_the_address_names_the_model(sandboxed: User, model: str, root: str) -> None:
    answered = ask(sandboxed, model, root=root)
    assert answered.status_code == 200
    assert texts(answered) == "Hello there"
    assert answered.headers["x-ownkey-model"] == "echo"


def test_a_body_passes_byte_for_byte_with_its_key_in_googles_header(
    workshop: Workshop, user: User, native: str
) -> None:
    body = b'{"contents":[{"parts":[{"text":"h\xc3\xa9llo  "}]}], "unknown_field":{"b":1.50, "a":null}, "labels":{}}'
    headers = {"content-type": "application/json"}
    path = "/v1beta/models/gemini/gemini-x:generateContent"
    assert user.gateway.post(path, content=body, headers=headers).json() == ANSWER
    seen = workshop.upstream.seen(native)[-1]
    assert seen.body == body
    assert seen.path == "/v1beta/models/gemini-x:generateContent"
    assert seen.headers["x-goog-api-key"] == native
    assert "authorization" not in seen.headers


def test_the_books_know_what_gemini_used(user: User, native: str) -> None:
    del native
    receipt = user.receipt(ask(user, "gemini/gemini-x"))
    assert (receipt["input_tokens"], receipt["output_tokens"], receipt["reasoning_tokens"]) == (3, 7, 2)
    assert receipt["usage_reported"]
    assert receipt["client_format"] == "gemini"


def test_preferences_fill_what_is_open(workshop: Workshop, user: User, native: str) -> None:
    assert user.api.put("/preferences", json={"temperature": 0.5, "max_tokens": 900}).status_code == 200
    ask(user, "gemini/gemini-x", generationConfig={"temperature": 1.0, "topK": 3})
    sent = workshop.upstream.seen(native)[-1].json()
    assert sent["generationConfig"] == {"temperature": 1.0, "topK": 3, "maxOutputTokens": 900}


def test_a_stream_passes_and_is_asked_for_as_events(workshop: Workshop, user: User, native: str) -> None:
    chunk = b"data: " + json.dumps(ANSWER).encode() + b"\r\n\r\n"
    workshop.upstream.script(native, stream([chunk]))
    answered = ask(user, "gemini/gemini-x", "streamGenerateContent?alt=sse")
    assert answered.content == chunk
    assert answered.headers["content-type"].startswith("text/event-stream")
    assert workshop.upstream.seen(native)[-1].path == "/v1beta/models/gemini-x:streamGenerateContent?alt=sse"


def test_a_stream_that_breaks_off_ends_in_googles_error(workshop: Workshop, user: User, native: str) -> None:
    workshop.upstream.script(native, stream([CUT_CHUNK]))
    answered = ask(user, "gemini/gemini-x", "streamGenerateContent?alt=sse")
    assert answered.content.startswith(CUT_CHUNK)
    last = json.loads(answered.content.removeprefix(CUT_CHUNK).removeprefix(b"data: "))
    assert last["error"]["code"] == 502
    receipt = user.api.get(f"/requests/{answered.headers['x-ownkey-request-id']}").json()
    assert receipt["status"] == "failed"


@pytest.mark.parametrize("model", ["gemini/lorem-5", "openai/lorem-5"])
@pytest.mark.parametrize("query", ["", "?alt=json", "?$alt=json"])
def test_without_alt_sse_a_stream_is_one_json_array(sandboxed: User, model: str, query: str) -> None:
    answered = ask(sandboxed, model, f"streamGenerateContent{query}")
    assert answered.headers["content-type"].startswith("application/json")
    parts = [each["candidates"][0]["content"]["parts"][0]["text"] for each in answered.json()]
    assert "".join(parts).startswith("Lorem ipsum")
    assert answered.json()[-1]["candidates"][0]["finishReason"] == "STOP"


@pytest.mark.parametrize("model", ["gemini/cut", "openai/cut", "gemini/stream-error"])
def test_an_array_that_breaks_off_ends_in_an_error(sandboxed: User, model: str) -> None:
    answered = ask(sandboxed, model, "streamGenerateContent", contents=[{"parts": [{"text": "one two three four"}]}])
    assert answered.json()[-1]["error"]["status"] in ("INTERNAL", "UNAVAILABLE")


@pytest.mark.parametrize("query", ["key=SECRET", "alt=sse&key=SECRET", "%6bey=SECRET", "access_token=SECRET", "key="])
@pytest.mark.parametrize("path", ["models/openai/echo:streamGenerateContent", "models"])
def test_a_key_in_the_address_is_refused_and_not_logged(stack: Stack, sandboxed: User, path: str, query: str) -> None:
    key = sandboxed.key
    with httpx2.Client(base_url=stack.url, trust_env=False) as client:
        url = f"/v1beta/{path}?{query.replace('SECRET', key)}"
        answered = client.get(url) if path == "models" else client.post(url, json={"contents": CONTENTS})
    assert answered.status_code == 401
    told = answered.json()["error"]
    assert told["status"] == "UNAUTHENTICATED"
    assert "x-goog-api-key" in told["message"]
    assert key not in answered.text
    assert key not in stack.ownkey.read_log()


def test_a_key_in_the_address_is_refused_beside_a_good_one_in_a_header(sandboxed: User) -> None:
    assert ask(sandboxed, "openai/echo").status_code == 200
    assert ask(sandboxed, "openai/echo", "generateContent?key=x").status_code == 401
    assert sandboxed.gateway.post("/v1/embeddings?key=x", json={"model": "openai/e", "input": "a"}).status_code == 200


def test_errors_and_unknown_paths_are_googles(sandboxed: User) -> None:
    for answered, status in (
        (sandboxed.gateway.get("/v1beta/files"), "NOT_FOUND"),
        (sandboxed.gateway.get("/v1beta/models/m:generateContent"), "INVALID_ARGUMENT"),
        (ask(sandboxed, "openai/echo", contents=7), "INVALID_ARGUMENT"),
        (ask(sandboxed, "no-such-model"), "NOT_FOUND"),
        (ask(sandboxed, "openai/error-429"), "RESOURCE_EXHAUSTED"),
    ):
        assert answered.json()["error"]["status"] == status
        assert answered.json()["error"]["code"] == answered.status_code


def test_counting_passes_to_gemini_and_is_estimated_elsewhere(sandboxed: User) -> None:
    counted = ask(sandboxed, "gemini/echo", "countTokens")
    assert counted.json()["totalTokens"] == 2
    receipt = sandboxed.receipt(counted)
    assert (receipt["status"], receipt["input_tokens"], receipt["list_cost_usd"]) == ("completed", 0, "0")
    whole = {"generateContentRequest": {"model": "models/gemini/echo", "contents": CONTENTS}}
    assert sandboxed.gateway.post("/v1beta/models/gemini/echo:countTokens", json=whole).json()["totalTokens"] == 2
    estimated = ask(sandboxed, "openai/echo", "countTokens", contents=[{"parts": [{"text": "x" * 400}]}])
    assert estimated.headers["x-ownkey-estimated"] == "true"
    assert 80 <= estimated.json()["totalTokens"] <= 120
    assert ask(sandboxed, "no-such-model", "countTokens").status_code == 404


@pytest.mark.parametrize("model", ["gemini/embedding", "openai/text-embedding-3-small"])
def test_single_embeddings(sandboxed: User, model: str) -> None:
    body = {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 8, "taskType": "RETRIEVAL_QUERY"}
    answered = sandboxed.gateway.post(f"/v1beta/models/{model}:embedContent", json=body)
    assert len(answered.json()["embedding"]["values"]) == 8
    receipt = sandboxed.receipt(answered)
    assert (receipt["input_tokens"], receipt["output_tokens"], receipt["usage_reported"]) == (1, 0, True)


def test_models_in_googles_shape(sandboxed: User) -> None:
    listed = sandboxed.gateway.get("/v1beta/models").json()["models"]
    flash = next(row for row in listed if row["name"] == "models/google/gemini-2.5-flash")
    assert flash["displayName"]
    assert flash["inputTokenLimit"] > 100_000
    assert sandboxed.gateway.get("/v1beta/models/google/gemini-2.5-flash").json() == flash
    assert sandboxed.gateway.get("/v1beta/models/google%2Fgemini-2.5-flash").json() == flash
    assert sandboxed.gateway.get("/v1/models").json()["object"] == "list"
