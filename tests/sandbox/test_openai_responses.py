"""OpenAI responses as the `openai` package and its types see them."""

import json
from typing import Any

import pytest
from openai import APIConnectionError, APIError, AsyncOpenAI, BadRequestError, NotFoundError
from openai.types.responses import Response, ResponseItemList, ResponseStreamEvent
from pydantic import TypeAdapter
from tests.sandbox.raw import call, events
from tests.sandbox.strict import strictly

from ownkey.sandbox import SandboxServer

PATH = "/openai/v1/responses"
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
WEATHER: Any = {
    "type": "function",
    "name": "weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


def ask(model: str = "echo", **more: Any) -> dict[str, Any]:
    return {"model": model, "input": "Hello, world!", **more}


@pytest.mark.parametrize("model", ["echo", "lorem-5", "cached", "tool", "think-4", "json"])
@pytest.mark.parametrize("provider", ["openai", "openrouter", "xai", "perplexity", "azure"])
async def test_an_answer_is_of_the_sdks_type(sandbox: SandboxServer, model: str, provider: str):
    body = ask(model, tools=[WEATHER], reasoning={"summary": "auto", "effort": "low"}, instructions="Be brief.")
    answer = await call(sandbox.url, f"/{provider}/v1/responses", body)
    assert answer.status == 200
    response = strictly(Response, answer.body)
    assert response.status == "completed"
    assert response.instructions == "Be brief."


@pytest.mark.parametrize("model", ["echo", "lorem-5", "tools", "think-4", "json"])
async def test_every_event_is_of_the_sdks_type_and_numbered(sandbox: SandboxServer, model: str):
    body = ask(model, stream=True, tools=[WEATHER], reasoning={"summary": "auto"})
    answer = await call(sandbox.url, "/xai/v1/responses", body)
    told = events(answer.body)
    typed = [EVENT.validate_json(json.dumps(event), strict=True) for event in told]
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    assert [event.type for event in typed[:2]] == ["response.created", "response.in_progress"]
    assert typed[-1].type == "response.completed"
    done = [event.item.to_dict() for event in typed if event.type == "response.output_item.done"]
    assert done == [item.to_dict() for item in typed[-1].response.output]


async def test_padding_is_openais_alone_and_can_be_left_out(sandbox: SandboxServer):
    for path, options, padded in (
        (PATH, None, True),
        (PATH, {"include_obfuscation": False}, False),
        ("/xai/v1/responses", None, False),
    ):
        answer = await call(sandbox.url, path, ask(stream=True, stream_options=options))
        assert (b'"obfuscation"' in answer.body) is padded


async def test_usage_and_limits(openai_client: AsyncOpenAI):
    done = await openai_client.responses.create(model="lorem-25", input="one two three", max_output_tokens=20)
    assert done.usage is not None
    assert (done.usage.input_tokens, done.usage.output_tokens, done.usage.total_tokens) == (3, 20, 23)
    assert done.status == "incomplete"
    assert done.incomplete_details is not None
    assert done.incomplete_details.reason == "max_output_tokens"


async def test_reasoning_is_shown_in_summary_and_travels_encrypted_when_asked_for(openai_client: AsyncOpenAI):
    plain = await openai_client.responses.create(model="think-4", input="hi")
    assert plain.output[0].to_dict() == {"id": plain.output[0].id, "type": "reasoning", "summary": []}
    shown: Any = await openai_client.responses.create(
        model="think-4", input="hi", reasoning={"summary": "auto"}, include=["reasoning.encrypted_content"]
    )
    assert shown.output[0].summary[0].text
    assert shown.output[0].encrypted_content
    assert shown.usage.output_tokens_details.reasoning_tokens == 4


async def test_a_conversation_goes_on_by_its_id(openai_client: AsyncOpenAI):
    first: Any = await openai_client.responses.create(model="tool", input="weather in Oslo?", tools=[WEATHER])
    called = first.output[0]
    output: Any = [{"type": "function_call_output", "call_id": called.call_id, "output": "4 degrees"}]
    second = await openai_client.responses.create(
        model="tool", input=output, tools=[WEATHER], previous_response_id=first.id
    )
    assert second.output_text == "4 degrees"
    assert second.previous_response_id == first.id
    assert second.usage is not None
    assert first.usage.input_tokens < second.usage.input_tokens
    with pytest.raises(BadRequestError, match="No tool output found for function call"):
        await openai_client.responses.create(model="echo", input="never mind", previous_response_id=first.id)
    with pytest.raises(BadRequestError, match="No tool call found for function call output"):
        await openai_client.responses.create(model="echo", input=output)


async def test_kept_responses_are_retrieved_listed_and_deleted(sandbox: SandboxServer, openai_client: AsyncOpenAI):
    made = await openai_client.responses.create(model="echo", input=[{"role": "user", "content": "hi"}])
    assert (await openai_client.responses.retrieve(made.id)).to_dict() == made.to_dict()
    answer = await call(sandbox.url, f"{PATH}/{made.id}/input_items")
    listed = strictly(ResponseItemList, answer.body)
    assert [item.to_dict()["content"] for item in listed.data] == [[{"type": "input_text", "text": "hi"}]]
    with pytest.raises(BadRequestError, match="Cannot cancel a synchronous response"):
        await openai_client.responses.cancel(made.id)
    await openai_client.responses.delete(made.id)
    with pytest.raises(NotFoundError):
        await openai_client.responses.retrieve(made.id)
    with pytest.raises(BadRequestError) as caught:
        await openai_client.responses.create(model="echo", input="hi", previous_response_id=made.id)
    assert (caught.value.code, caught.value.param) == ("previous_response_not_found", "previous_response_id")


async def test_lists_have_pages(sandbox: SandboxServer):
    body = ask(input=[{"role": "user", "content": text} for text in "abc"])
    made = (await call(sandbox.url, PATH, body)).json
    path = f"{PATH}/{made['id']}/input_items?order=asc&limit=2"
    page = (await call(sandbox.url, path)).json
    assert ([item["content"][0]["text"] for item in page["data"]], page["has_more"]) == (["a", "b"], True)
    rest = (await call(sandbox.url, f"{path}&after={page['last_id']}")).json
    assert ([item["content"][0]["text"] for item in rest["data"]], rest["has_more"]) == (["c"], False)
    assert (await call(sandbox.url, f"{path}0000")).status == 400


async def test_nothing_is_kept_when_not_wanted_nor_shown_to_another_key(sandbox: SandboxServer):
    private = (await call(sandbox.url, PATH, ask(store=False))).json
    assert (await call(sandbox.url, f"{PATH}/{private['id']}")).status == 404
    kept = (await call(sandbox.url, PATH, ask())).json
    assert (await call(sandbox.url, f"{PATH}/{kept['id']}")).status == 200
    assert (await call(sandbox.url, f"{PATH}/{kept['id']}", key="sk-sandbox-key-0002")).status == 404
    assert (await call(sandbox.url, f"/xai/v1/responses/{kept['id']}")).status == 404


@pytest.mark.parametrize("more", [{"store": True}, {"previous_response_id": "resp_1"}])
async def test_a_stateless_provider_refuses_to_keep(sandbox: SandboxServer, more: dict[str, Any]):
    answer = await call(sandbox.url, "/openrouter/api/v1/responses", ask(**more))
    assert answer.status == 400
    assert (await call(sandbox.url, "/openrouter/api/v1/responses", ask(store=False))).status == 200


async def test_a_schema_is_obeyed_in_openais_words_and_perplexitys(sandbox: SandboxServer):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    ways: list[dict[str, Any]] = [
        {"text": {"format": {"type": "json_schema", "name": "a", "schema": schema}}},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": schema}}},
    ]
    for more in ways:
        answer = (await call(sandbox.url, PATH, ask("json", **more))).json
        assert isinstance(json.loads(answer["output"][0]["content"][0]["text"])["n"], int)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": "x"}, "model"),
        ({"model": "echo"}, "input"),
        (ask(max_output_tokens=5), "max_output_tokens"),
        (ask(temperature=3), "temperature"),
        (ask(input=[{"role": "nobody", "content": "x"}]), "input[0].role"),
        (ask(tools=[{"type": "function"}]), "tools[0].name"),
        (ask(tools=[WEATHER], tool_choice={"type": "function", "name": "x"}), "tool_choice"),
    ],
)
async def test_bad_requests_name_the_field(sandbox: SandboxServer, body: dict[str, Any], param: str):
    answer = await call(sandbox.url, PATH, body)
    assert (answer.status, answer.json["error"]["param"]) == (400, param)


@pytest.mark.parametrize("model", ["cut", "garbage", "stream-error"])
async def test_spoilt_streams(openai_client: AsyncOpenAI, model: str):
    text = "one two three four five six"
    stream: Any = await openai_client.responses.create(model=model, input=text, stream=True)
    seen: list[Any] = []
    try:
        async for event in stream:
            seen.append(event)
    except (APIConnectionError, APIError, ValueError):
        pass
    else:
        assert seen[-1].type == "error"
    assert all(event.type != "response.completed" for event in seen)
