"""Google's own SDK, unmodified, against models of every format."""

from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from tests.services.stack import Stack, User

PROVIDERS = ["gemini", "openai", "anthropic"]
PIXEL = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff\xff\x7f\x00\t\xfb\x03\xfd*\x86\xe3\x8a\x00\x00\x00\x00IEND\xaeB`\x82"
)
WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]},
}
TOOLS = types.Tool(function_declarations=[types.FunctionDeclaration.model_validate(WEATHER)])


@pytest.fixture(scope="module")
def user(stack: Stack) -> User:
    keys = {"openai": "sk-test-openai-0001", "anthropic": "sk-ant-test-0001", "gemini": "AIza-test-gemini-0001"}
    return stack.user("google", **keys)


def client_for(user: User, key: str | None = None, version: str = "v1beta", **headers: str) -> genai.Client:
    options = types.HttpOptions(base_url=user.stack.url, api_version=version, headers=headers)
    return genai.Client(api_key=key or user.key, http_options=options)


@pytest.fixture(scope="module")
def client(user: User) -> Iterator[genai.Client]:
    with client_for(user) as client:
        yield client


def parts_of(response: types.GenerateContentResponse) -> list[types.Part]:
    assert response.candidates
    content = response.candidates[0].content
    assert content is not None
    return content.parts or []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_content(client: genai.Client, provider: str) -> None:
    answer = client.models.generate_content(model=f"{provider}/echo", contents="Hello there")
    assert answer.text == "Hello there"
    assert answer.candidates
    assert answer.candidates[0].finish_reason is types.FinishReason.STOP
    assert answer.usage_metadata is not None
    assert answer.usage_metadata.candidates_token_count == 2
    assert answer.response_id
    assert answer.model_version


def test_the_environment_is_all_that_changes(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", user.stack.url)
    monkeypatch.setenv("GEMINI_API_KEY", user.key)
    with genai.Client() as client:
        assert client.models.generate_content(model="openai/echo", contents="Hello there").text == "Hello there"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_stream(client: genai.Client, provider: str) -> None:
    chunks = list(client.models.generate_content_stream(model=f"{provider}/lorem-20", contents="go"))
    assert len(chunks) > 10
    assert "".join(chunk.text or "" for chunk in chunks).startswith("Lorem ipsum")
    last = chunks[-1]
    assert last.candidates
    assert last.candidates[0].finish_reason is types.FinishReason.STOP
    assert last.usage_metadata is not None
    assert last.usage_metadata.candidates_token_count == 20


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_chat_with_tools(client: genai.Client, provider: str, streamed: bool) -> None:
    config = types.GenerateContentConfig(
        tools=[TOOLS], automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True)
    )
    chat = client.chats.create(model=f"{provider}/tool", config=config)

    def send(message: Any) -> list[types.Part]:
        if streamed:
            return [part for chunk in chat.send_message_stream(message) for part in parts_of(chunk)]
        return parts_of(chat.send_message(message))

    calls = [part.function_call for part in send("weather in Oslo?") if part.function_call is not None]
    assert len(calls) == 1
    assert calls[0].name == "get_weather"
    assert "city" in (calls[0].args or {})
    result = types.FunctionResponse(id=calls[0].id, name="get_weather", response={"output": "4 degrees"})
    assert "4 degrees" in "".join(part.text or "" for part in send(types.Part(function_response=result)))
    assert any(part.function_call is not None for part in send("and tomorrow?"))  # the whole history goes again


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_python_function_is_called_by_the_sdk(client: genai.Client, provider: str) -> None:
    asked: list[str] = []

    def get_weather(city: str) -> str:
        """The weather in a city."""
        asked.append(city)
        return "4 degrees"

    answer = client.models.generate_content(
        model=f"{provider}/tool", contents="weather in Oslo?", config=types.GenerateContentConfig(tools=[get_weather])
    )
    assert asked
    assert "4 degrees" in (answer.text or "")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_parallel_and_forced_calls(client: genai.Client, provider: str) -> None:
    other = types.FunctionDeclaration.model_validate(WEATHER | {"name": "get_time"})
    tools = [TOOLS, types.Tool(function_declarations=[other])]
    off = types.AutomaticFunctionCallingConfig(disable=True)

    def names(model: str, **config: Any) -> list[str | None]:
        answer = client.models.generate_content(
            model=f"{provider}/{model}",
            contents="go",
            config=types.GenerateContentConfig(tools=tools, automatic_function_calling=off, **config),
        )
        return [call.name for call in answer.function_calls or []]

    def calling(mode: str, *allowed: str) -> dict[str, Any]:
        config = types.FunctionCallingConfig.model_validate(
            {"mode": mode, "allowed_function_names": list(allowed) or None}
        )
        return {"tool_config": types.ToolConfig(function_calling_config=config)}

    assert names("tools") == ["get_weather", "get_time"]
    assert names("tool", **calling("ANY", "get_time")) == ["get_time"]
    assert names("tool", **calling("ANY")) == ["get_weather"]
    assert names("tool", **calling("NONE")) == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_images_system_limits_and_stops(client: genai.Client, provider: str) -> None:
    image = types.Part.from_bytes(data=PIXEL, mime_type="image/png")
    answer = client.models.generate_content(
        model=f"{provider}/echo",
        contents=[image, "what is this thing"],
        config=types.GenerateContentConfig(system_instruction="Be short.", temperature=0.5, top_p=0.9),
    )
    assert answer.text == "what is this thing"
    assert answer.usage_metadata is not None
    assert (answer.usage_metadata.prompt_token_count or 0) > 85
    limited = client.models.generate_content(
        model=f"{provider}/lorem-50", contents="go", config=types.GenerateContentConfig(max_output_tokens=5)
    )
    assert limited.candidates
    assert limited.candidates[0].finish_reason is types.FinishReason.MAX_TOKENS
    stopped = client.models.generate_content(
        model=f"{provider}/echo",
        contents="one two three",
        config=types.GenerateContentConfig(stop_sequences=[" two"]),
    )
    assert stopped.text == "one"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_json_by_both_kinds_of_schema(client: genai.Client, provider: str) -> None:
    schema = types.Schema.model_validate(
        {"type": "OBJECT", "properties": {"age": {"type": "INTEGER", "nullable": False}}, "required": ["age"]}
    )
    plain = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    kinds: list[dict[str, Any]] = [{"response_schema": schema}, {"response_json_schema": plain}]
    for given in kinds:
        answer = client.models.generate_content(
            model=f"{provider}/json",
            contents="go",
            config=types.GenerateContentConfig(response_mime_type="application/json", **given),
        )
        assert answer.parsed == {"age": 1}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("provider", ["gemini", "anthropic"])
def test_thoughts_and_their_signatures_come_back(client: genai.Client, provider: str, streamed: bool) -> None:
    """The sandbox's thinking models refuse signatures that were changed on the way."""
    config = types.GenerateContentConfig(
        max_output_tokens=4000,
        thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_budget=1024),
    )
    chat = client.chats.create(model=f"{provider}/think-12", config=config)
    for turn in ("first", "second", "third"):
        if streamed:
            parts = [part for chunk in chat.send_message_stream(turn) for part in parts_of(chunk)]
        else:
            parts = parts_of(chat.send_message(turn))
        assert any(part.thought and part.text for part in parts)
        assert any(part.thought_signature for part in parts)
        assert turn in "".join(part.text or "" for part in parts if not part.thought)


def test_counts(client: genai.Client, user: User) -> None:
    assert client.models.count_tokens(model="gemini/echo", contents="Hello there").total_tokens == 2
    estimated = client.models.count_tokens(model="openai/gpt-5-mini", contents="Hello there " * 100)
    assert 200 < (estimated.total_tokens or 0) < 450
    with pytest.raises(errors.ClientError) as unknown:
        client.models.count_tokens(model="no-such-model", contents="Hello there")
    assert unknown.value.code == 404


@pytest.mark.parametrize("model", ["gemini/gemini-embedding-001", "openai/text-embedding-3-small"])
def test_embeddings(client: genai.Client, model: str) -> None:
    answer = client.models.embed_content(
        model=model, contents=["a", "b"], config=types.EmbedContentConfig(output_dimensionality=16)
    )
    assert answer.embeddings is not None
    assert [len(embedding.values or []) for embedding in answer.embeddings] == [16, 16]
    assert answer.embeddings[0].values != answer.embeddings[1].values


@pytest.mark.parametrize("version", ["v1beta", "v1"])
def test_models_in_googles_shape(user: User, version: str) -> None:
    with client_for(user, version=version) as client:
        listed = {model.name: model for model in client.models.list()}
        sonnet = listed["models/anthropic/claude-sonnet-4.5"]
        assert sonnet.input_token_limit
        assert "generateContent" in (sonnet.supported_actions or [])
        assert client.models.get(model="google/gemini-2.5-flash").name == "models/google/gemini-2.5-flash"
        with pytest.raises(errors.ClientError) as unknown:
            client.models.get(model="no-such-model")
        assert (unknown.value.code, unknown.value.status) == (404, "NOT_FOUND")
        answer = client.models.generate_content(model="openai/echo", contents="either version")
        assert answer.text == "either version"


STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "RESOURCE_EXHAUSTED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("status", STATUSES)
def test_every_error(client: genai.Client, provider: str, status: int, streamed: bool) -> None:
    def ask(model: str) -> None:
        if streamed:
            list(client.models.generate_content_stream(model=model, contents="go"))
        else:
            client.models.generate_content(model=model, contents="go")

    with pytest.raises(errors.ClientError if status < 500 else errors.ServerError) as raised:
        ask(f"{provider}/error-{status}")
    assert raised.value.code == status
    assert raised.value.message
    if (provider, status) not in (("gemini", 402), ("gemini", 413)):
        assert raised.value.status == STATUSES[status]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("fault", ["cut", "garbage", "stream-error"])
def test_spoilt_answers_raise(client: genai.Client, provider: str, fault: str) -> None:
    with pytest.raises(errors.ServerError):
        client.models.generate_content(model=f"{provider}/{fault}", contents="one two three four")
    with pytest.raises(errors.APIError):
        list(client.models.generate_content_stream(model=f"{provider}/{fault}", contents="one two three four"))


@pytest.mark.parametrize(("mood", "code"), [("invalid", 401), ("limited", 429), ("revoked", 403), ("rejected", 400)])
def test_bad_provider_keys(user: User, mood: str, code: int) -> None:
    key = user.add_key("gemini", f"AIza-{mood}-0001", label=mood)
    try:
        with client_for(user, **{"x-ownkey-credential": mood}) as client:
            with pytest.raises(errors.ClientError) as raised:
                client.models.generate_content(model="gemini/echo", contents="go")
            assert raised.value.code == code
    finally:
        user.api.delete(f"/credentials/{key['id']}")


def test_our_own_refusals(user: User) -> None:
    with client_for(user, "ok_wrong") as client, pytest.raises(errors.ClientError) as wrong:
        client.models.generate_content(model="openai/echo", contents="go")
    assert (wrong.value.code, wrong.value.status) == (401, "UNAUTHENTICATED")
    with client_for(user) as client, pytest.raises(errors.ClientError) as unsupported:
        client.models.generate_content(
            model="openai/echo",
            contents="go",
            config=types.GenerateContentConfig(candidate_count=2),
        )
    assert unsupported.value.code == 400
    assert "candidateCount" in (unsupported.value.message or "")
