"""OpenAI's SDK and its responses, whichever provider answers and whoever keeps the conversation."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from pydantic import BaseModel
from tests.services.stack import Stack, User

PROVIDERS = ["openai", "groq", "mistral", "anthropic", "perplexity"]
"""Kept there, stateless responses, chat alone, Anthropic's messages, and a dialect of responses that keeps them."""
TOOL: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


class Weather(BaseModel):
    city: str
    degrees: int


@pytest.fixture(scope="module")
def user(stack: Stack) -> User:
    keys = {name: f"sk-test-{name}-responses-0001" for name in PROVIDERS}
    return stack.user("responses", **keys)


@pytest.fixture
def client(user: User) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=user.stack.url + "/v1", api_key=user.key, max_retries=0) as client:
        yield client


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return request.param


def test_a_whole_response(client: openai.OpenAI, provider: str) -> None:
    answer = client.responses.create(model=f"{provider}/echo", input="Hello there", instructions="Be brief.")
    assert answer.output_text == "Hello there"
    assert answer.status == "completed"
    assert answer.usage is not None
    assert answer.usage.output_tokens == 2
    assert answer.instructions == "Be brief."


def test_a_streamed_response(client: openai.OpenAI, provider: str) -> None:
    with client.responses.stream(model=f"{provider}/lorem-20", input="go") as stream:
        events = list(stream)
        final = stream.get_final_response()
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == final.output_text != ""
    assert final.usage is not None
    assert final.usage.output_tokens == 20
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_an_answer_cut_short(client: openai.OpenAI, provider: str) -> None:
    answer = client.responses.create(model=f"{provider}/lorem-50", input="go", max_output_tokens=16)
    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"


def test_structured_output(client: openai.OpenAI, provider: str) -> None:
    answer = client.responses.parse(model=f"{provider}/json", input="weather?", text_format=Weather)
    assert isinstance(answer.output_parsed, Weather)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_tools_loop_by_previous_response_id(client: openai.OpenAI, provider: str, streamed: bool) -> None:
    model = f"{provider}/tool"
    first: Any
    if streamed:
        with client.responses.stream(model=model, input="weather in Oslo?", tools=[TOOL]) as stream:
            first = stream.get_final_response()
    else:
        first = client.responses.create(model=model, input="weather in Oslo?", tools=[TOOL])
    (called,) = [item for item in first.output if item.type == "function_call"]
    assert called.name == "get_weather"
    result: Any = [{"type": "function_call_output", "call_id": called.call_id, "output": "4 degrees"}]
    second = client.responses.create(model=model, input=result, tools=[TOOL], previous_response_id=first.id)
    assert "4 degrees" in second.output_text
    if provider != "groq":
        assert second.previous_response_id == first.id
    third = client.responses.create(
        model=f"{provider}/echo", input="And now?", tools=[TOOL], previous_response_id=second.id
    )
    assert third.output_text == "And now?"
    assert third.usage is not None
    assert second.usage is not None
    assert third.usage.input_tokens > second.usage.input_tokens


def test_a_loop_without_anything_kept(client: openai.OpenAI, provider: str) -> None:
    model = f"{provider}/tool"
    conversation: list[Any] = [{"role": "user", "content": "weather in Oslo?"}]
    first = client.responses.create(
        model=model, input=conversation, tools=[TOOL], store=False, include=["reasoning.encrypted_content"]
    )
    conversation += first.output
    (called,) = [item for item in first.output if item.type == "function_call"]
    conversation.append({"type": "function_call_output", "call_id": called.call_id, "output": "4 degrees"})
    second = client.responses.create(model=model, input=conversation, tools=[TOOL], store=False)
    assert "4 degrees" in second.output_text
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model=model, input="more", previous_response_id=second.id)
    assert (caught.value.code, caught.value.param) == ("previous_response_not_found", "previous_response_id")
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(second.id)


def test_retrieve_list_and_delete(client: openai.OpenAI, provider: str) -> None:
    first = client.responses.create(model=f"{provider}/echo", input="one")
    made = client.responses.create(
        model=f"{provider}/echo",
        input=[{"role": "user", "content": "two"}],
        metadata={"a": "b"},
        previous_response_id=first.id,
    )
    found = client.responses.retrieve(made.id)
    assert found.to_dict() == made.to_dict()
    items: list[Any] = list(client.responses.input_items.list(made.id, order="asc", limit=2))
    assert [item.content[0].text for item in items] == ["one", "one", "two"]
    assert [item.role for item in items] == ["user", "assistant", "user"]
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        client.responses.cancel(made.id)
    client.responses.delete(made.id)
    for gone in (client.responses.retrieve, client.responses.delete, client.responses.cancel):
        with pytest.raises(openai.NotFoundError):
            gone(made.id)
    assert client.responses.retrieve(first.id).id == first.id


def test_thinking_of_claude_is_carried_through_a_kept_conversation(client: openai.OpenAI) -> None:
    """The simulated Claude refuses a conversation whose thinking comes back without its signature."""
    first: Any = client.responses.create(
        model="anthropic/think-4", input="hm", reasoning={"effort": "low", "summary": "auto"}, max_output_tokens=4000
    )
    assert first.output[0].type == "reasoning"
    assert first.output[0].summary[0].text
    second = client.responses.create(
        model="anthropic/think-4",
        input="and?",
        previous_response_id=first.id,
        reasoning={"effort": "low"},
        max_output_tokens=4000,
    )
    assert second.output_text == "and?"


def test_a_conversation_moves_from_one_vendor_to_another(client: openai.OpenAI) -> None:
    first = client.responses.create(model="anthropic/echo", input="one two three")
    second = client.responses.create(model="openai/echo", input="four", previous_response_id=first.id)
    assert second.usage is not None
    assert second.usage.input_tokens >= 7
    third = client.responses.create(model="openai/echo", input="five", previous_response_id=second.id)
    assert third.output_text == "five"


@pytest.mark.parametrize("streamed", [False, True])
def test_a_chat_client_at_a_provider_that_has_responses_alone(client: openai.OpenAI, streamed: bool) -> None:
    messages: list[Any] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "weather in Oslo?"},
    ]
    chat_tool: Any = {
        "type": "function",
        "function": {key: TOOL[key] for key in ("name", "description", "parameters", "strict")},
    }
    model = "perplexity/tool"
    if streamed:
        with client.chat.completions.stream(model=model, messages=messages, tools=[chat_tool]) as stream:
            completion: Any = stream.get_final_completion()
    else:
        completion = client.chat.completions.create(model=model, messages=messages, tools=[chat_tool])
    message = completion.choices[0].message
    assert completion.choices[0].finish_reason == "tool_calls"
    messages += [
        message.model_dump(exclude_none=True, exclude={"parsed"}),
        {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "4 degrees"},
    ]
    final = client.chat.completions.create(model=model, messages=messages, tools=[chat_tool])
    assert final.choices[0].message.content == "4 degrees"
    schema: Any = {
        "type": "json_schema",
        "json_schema": {"name": "weather", "schema": Weather.model_json_schema()},
    }
    asked: list[Any] = [{"role": "user", "content": "weather?"}]
    answer = client.chat.completions.create(model="perplexity/json", messages=asked, response_format=schema)
    assert Weather.model_validate_json(answer.choices[0].message.content or "")


def test_errors_are_the_sdks(client: openai.OpenAI, provider: str) -> None:
    with pytest.raises(openai.InternalServerError):
        client.responses.create(model=f"{provider}/error-500", input="x")
    with pytest.raises(openai.RateLimitError):
        client.responses.create(model=f"{provider}/error-429", input="x")


@pytest.mark.parametrize("fault", ["cut", "garbage", "stream-error"])
def test_a_stream_that_breaks_ends_in_an_error(client: openai.OpenAI, provider: str, fault: str) -> None:
    last: Any = None
    try:
        for event in client.responses.create(
            model=f"{provider}/{fault}", input="one two three four five six", stream=True
        ):
            last = event
    except openai.APIError:
        return
    assert last.type in ("error", "response.failed")
