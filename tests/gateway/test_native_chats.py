"""OpenAI's and Anthropic's clients with providers that are spoken to in their own formats: Cohere and Ollama."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from tests.gateway.conftest import Requests, Workshop
from tests.gateway.upstream import answer, stream
from tests.services.stack import Process, User

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
WEATHER: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
NATIVE = {"cohere": "/cohere/v2", "ollama": "/ollama/api"}
"""Where each provider's own interface is at the sandbox; such an address means that interface alone."""
PATHS = {"cohere": "/v2/chat", "ollama": "/api/chat"}


@pytest.fixture(params=list(NATIVE))
def provider(request: pytest.FixtureRequest, sandbox: Process, user: User, new_key: str) -> str:
    name: str = request.param
    user.add_key(name, new_key, base_url=sandbox.url + NATIVE[name])
    return name


@pytest.fixture
def gpt(workshop: Workshop, user: User) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{workshop.url}/v1", api_key=user.key, max_retries=0) as client:
        yield client


@pytest.fixture
def claude(workshop: Workshop, user: User) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=workshop.url, api_key=user.key, max_retries=0) as client:
        yield client


def tool(name: str) -> Any:
    return {"type": "function", "function": {"name": name, "parameters": WEATHER}}


def said(text: str = "Hello, world!") -> Any:
    return [{"role": "user", "content": text}]


def test_the_providers_own_path_is_called(
    provider: str, gpt: openai.OpenAI, sandbox_requests: Requests, new_key: str
) -> None:
    done = gpt.chat.completions.create(model=f"{provider}/echo", messages=said())
    assert done.choices[0].message.content == "Hello, world!"
    assert done.usage is not None
    assert done.usage.prompt_tokens == done.usage.completion_tokens == 4
    assert sandbox_requests(new_key[-4:])[-1]["path"].endswith(PATHS[provider])


def test_text_turns_and_images(provider: str, gpt: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    image: Any = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    done = gpt.chat.completions.create(
        model=f"{provider}/echo",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "first"},
            {"role": "assistant", "content": "noted"},
            {"role": "user", "content": [{"type": "text", "text": "second"}, image]},
        ],
    )
    assert done.choices[0].message.content == "second"
    assert done.usage is not None
    assert done.usage.prompt_tokens > 85
    source: Any = {"type": "base64", "media_type": "image/png", "data": PNG}
    message = claude.messages.create(
        model=f"{provider}/echo",
        max_tokens=100,
        system="Be brief.",
        messages=[{"role": "user", "content": [{"type": "image", "source": source}, {"type": "text", "text": "x"}]}],
    )
    assert message.content[0].type == "text"
    assert (message.content[0].text, message.stop_reason) == ("x", "end_turn")


def test_streams_with_usage(provider: str, gpt: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    chunks = list(
        gpt.chat.completions.create(
            model=f"{provider}/think-3", messages=said(), stream=True, stream_options={"include_usage": True}
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    thought = "".join(
        getattr(chunk.choices[0].delta, "reasoning_content", "") or "" for chunk in chunks if chunk.choices
    )
    assert (text, thought) == ("Hello, world!", "Lorem ipsum dolor")
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 7
    with claude.messages.stream(model=f"{provider}/think-3", max_tokens=100, messages=said()) as events:
        message = events.get_final_message()
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert message.usage.output_tokens == 7


@pytest.mark.parametrize("streamed", [False, True])
def test_parallel_calls_and_their_results_for_openais_client(provider: str, gpt: openai.OpenAI, streamed: bool) -> None:
    tools = [tool("weather"), tool("clock")]
    model = f"{provider}/tools"
    if streamed:
        with gpt.chat.completions.stream(model=model, messages=said(), tools=tools) as events:
            done: Any = events.get_final_completion()
    else:
        done = gpt.chat.completions.create(model=model, messages=said(), tools=tools)
    choice = done.choices[0]
    assert choice.finish_reason == "tool_calls"
    calls = choice.message.tool_calls
    assert [call.function.name for call in calls] == ["weather", "clock"]
    assert all(json.loads(call.function.arguments) == {"city": "sandbox"} for call in calls)
    assert len({call.id for call in calls}) == 2
    history: list[Any] = [*said(), choice.message.model_dump(exclude_none=True)]
    history += [{"role": "tool", "tool_call_id": call.id, "content": call.function.name} for call in calls]
    for message in history:
        for each in message.get("tool_calls", ()):
            each["function"].pop("parsed_arguments", None)
        message.pop("parsed", None)
    again = gpt.chat.completions.create(model=model, messages=history, tools=tools)
    assert again.choices[0].message.content == "weather\nclock"


def test_calls_and_results_for_anthropics_client(provider: str, claude: anthropic.Anthropic) -> None:
    tools: Any = [{"name": "weather", "input_schema": WEATHER}]
    done = claude.messages.create(model=f"{provider}/tool", max_tokens=100, messages=said(), tools=tools)
    assert done.stop_reason == "tool_use"
    call = done.content[-1]
    assert call.type == "tool_use"
    assert (call.name, call.input) == ("weather", {"city": "sandbox"})
    result: Any = {"type": "tool_result", "tool_use_id": call.id, "content": "rain"}
    history: list[Any] = [
        *said(),
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in done.content]},
        {"role": "user", "content": [result]},
    ]
    again = claude.messages.create(model=f"{provider}/tool", max_tokens=100, messages=history, tools=tools)
    assert again.content[0].type == "text"
    assert again.content[0].text == "rain"


def test_tools_that_may_not_be_called(provider: str, gpt: openai.OpenAI) -> None:
    done = gpt.chat.completions.create(
        model=f"{provider}/tool", messages=said(), tools=[tool("weather")], tool_choice="none"
    )
    assert done.choices[0].message.content == "Hello, world!"


def test_a_forced_tool(provider: str, gpt: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    named: Any = {"type": "function", "function": {"name": "clock"}}
    tools = [tool("weather"), tool("clock")]
    if provider == "ollama":
        with pytest.raises(openai.BadRequestError) as caught:
            gpt.chat.completions.create(model="ollama/tool", messages=said(), tools=tools, tool_choice=named)
        assert (caught.value.code, caught.value.param) == ("unsupported_field", "tool_choice")
        return
    done = gpt.chat.completions.create(model="cohere/tool", messages=said(), tools=tools, tool_choice=named)
    assert done.choices[0].message.tool_calls
    assert [call.function.name for call in done.choices[0].message.tool_calls if call.type == "function"] == ["clock"]
    message = claude.messages.create(
        model="cohere/tool",
        max_tokens=100,
        messages=said(),
        tools=[{"name": "weather", "input_schema": WEATHER}],
        tool_choice={"type": "any"},
    )
    assert message.stop_reason == "tool_use"


def test_json_by_a_schema(provider: str, gpt: openai.OpenAI) -> None:
    schema: Any = {"type": "json_schema", "json_schema": {"name": "n", "schema": WEATHER, "strict": True}}
    done = gpt.chat.completions.create(model=f"{provider}/json", messages=said(), response_format=schema)
    assert json.loads(done.choices[0].message.content or "") == {"city": "sandbox"}


def test_stops_and_lengths(provider: str, gpt: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    done = gpt.chat.completions.create(model=f"{provider}/echo", messages=said(), stop=["world"])
    assert (done.choices[0].message.content, done.choices[0].finish_reason) == ("Hello, ", "stop")
    short = claude.messages.create(model=f"{provider}/lorem-9", max_tokens=3, messages=said())
    assert (short.stop_reason, short.usage.output_tokens) == ("max_tokens", 3)


def test_errors_in_the_clients_format(provider: str, gpt: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        gpt.chat.completions.create(model=f"{provider}/error-400", messages=said())
    assert "could not be processed" in caught.value.message
    with pytest.raises(anthropic.BadRequestError):
        claude.messages.create(model=f"{provider}/error-400", max_tokens=9, messages=said())
    with pytest.raises(openai.APIError):
        list(gpt.chat.completions.create(model=f"{provider}/stream-error", messages=said("a b c d"), stream=True))
    for model in ("cut", "garbage"):
        with pytest.raises(openai.APIError):
            list(gpt.chat.completions.create(model=f"{provider}/{model}", messages=said("a b c d"), stream=True))


def test_another_key_steps_in(sandbox: Process, user: User, gpt: openai.OpenAI, new_key: str) -> None:
    for name, url in NATIVE.items():
        user.add_key(name, f"{new_key}-invalid-{name}", base_url=sandbox.url + url, priority=1, is_default=False)
        user.add_key(name, f"{new_key}-good-{name}", base_url=sandbox.url + url, priority=2, is_default=False)
        raw = gpt.chat.completions.with_raw_response.create(model=f"{name}/echo", messages=said())
        assert raw.headers["x-ownkey-attempts"] == "2"
        assert raw.parse().choices[0].message.content == "Hello, world!"


@pytest.mark.parametrize(
    ("ending", "path"),
    [
        ("", "/v1/chat/completions"),
        ("/v1", "/v1/chat/completions"),
        ("/api", "/api/chat"),
        ("/v1/", "/v1/chat/completions"),
    ],
)
def test_every_way_to_write_ollamas_address_works(
    workshop: Workshop, user: User, new_key: str, ending: str, path: str
) -> None:
    native = {"model": "m", "message": {"role": "assistant", "content": "hi"}, "done": True, "done_reason": "stop"}
    if ending == "/api":
        workshop.upstream.script(new_key, answer(200, native))
    user.add_key("ollama", new_key, base_url=workshop.upstream.url + ending)
    assert user.chat("ollama/m").status_code == 200
    assert workshop.upstream.seen(new_key)[-1].path == path


def test_openais_clients_pass_to_coheres_compatible_surface_and_others_are_translated(
    user: User, gpt: openai.OpenAI, claude: anthropic.Anthropic, sandbox_requests: Requests, new_key: str
) -> None:
    user.add_key("cohere", new_key)
    gpt.chat.completions.create(model="cohere/echo", messages=said())
    claude.messages.create(model="cohere/echo", max_tokens=9, messages=said())
    paths = [request["path"] for request in sandbox_requests(new_key[-4:])][-2:]
    assert [path.removeprefix("/cohere") for path in paths] == ["/compatibility/v1/chat/completions", "/v2/chat"]


def test_ollamas_stream_is_asked_for_as_lines(workshop: Workshop, user: User, new_key: str) -> None:
    line = b'{"model":"m","message":{"role":"assistant","content":"hi"},"done":false}\n'
    done = b'{"model":"m","message":{"content":""},"done":true,"prompt_eval_count":1,"eval_count":2}\n'
    whole = line + done
    workshop.upstream.script(new_key, stream([whole[at : at + 7] for at in range(0, len(whole), 7)]))
    user.add_key("ollama", new_key, base_url=workshop.upstream.url + "/api")
    streamed = user.chat("ollama/m", stream=True)
    assert '"content":"hi"' in streamed.text
    assert streamed.text.endswith("data: [DONE]\n\n")
    seen = workshop.upstream.seen(new_key)[-1]
    assert seen.headers["accept"] == "application/x-ndjson"
    assert seen.json()["stream"] is True
    assert user.receipt(streamed)["output_tokens"] == 2


def test_googles_format_is_translated_for_the_native_interface(
    provider: str, user: User, sandbox_requests: Requests, new_key: str
) -> None:
    body = {"contents": [{"parts": [{"text": "Hello, world!"}]}], "generationConfig": {"topK": 3}}
    done = user.gateway.post(f"/v1beta/models/{provider}/echo:generateContent", json=body)
    assert done.status_code == 200, done.text
    assert done.json()["candidates"][0]["content"]["parts"][0]["text"] == "Hello, world!"
    assert sandbox_requests(new_key[-4:])[-1]["path"].endswith(PATHS[provider])
