"""Model lists and embeddings as the SDKs see them."""

from math import isclose, sqrt

import pytest
from anthropic import AsyncAnthropic
from anthropic.types import ModelInfo
from openai import AsyncOpenAI, BadRequestError, InternalServerError
from openai.types import CreateEmbeddingResponse, Model
from pydantic import BaseModel
from tests.sandbox.raw import call
from tests.sandbox.strict import strictly

from ownkey.sandbox import Options, SandboxServer


class OpenAIModels(BaseModel):
    object: str
    data: list[Model]


class AnthropicModels(BaseModel):
    data: list[ModelInfo]
    has_more: bool
    first_id: str | None
    last_id: str | None


async def test_the_openai_sdk_lists_and_retrieves_models(sandbox: SandboxServer, openai_client: AsyncOpenAI):
    names = [model.id async for model in openai_client.models.list()]
    assert {"echo", "tool", "json", "cut"} <= set(names)
    assert (await openai_client.models.retrieve("lorem-7")).id == "lorem-7"
    strictly(OpenAIModels, (await call(sandbox.url, "/openai/v1/models")).body)


async def test_the_anthropic_sdk_lists_models_page_by_page(sandbox: SandboxServer, anthropic_client: AsyncAnthropic):
    names = [model.id async for model in anthropic_client.models.list(limit=5)]
    assert len(names) == len(set(names)) > 10
    assert names == [model.id async for model in anthropic_client.models.list(limit=1000)]
    assert (await anthropic_client.models.retrieve("echo")).id == "echo"
    page = strictly(AnthropicModels, (await call(sandbox.url, "/anthropic/v1/models?limit=3")).body)
    assert (page.has_more, len(page.data)) == (True, 3)
    before = await call(sandbox.url, f"/anthropic/v1/models?limit=2&before_id={names[3]}")
    assert [row["id"] for row in before.json["data"]] == names[1:3]
    assert before.json["has_more"] is True


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "limit=-1", "after_id=absent"])
async def test_bad_pages_are_refused(sandbox: SandboxServer, query: str):
    answer = await call(sandbox.url, f"/anthropic/v1/models?{query}")
    assert (answer.status, answer.json["type"]) == (400, "error")


async def test_vendors_list_models_in_their_own_shapes(sandbox: SandboxServer):
    row = (await call(sandbox.url, "/openrouter/api/v1/models")).json["data"][0]
    assert {"architecture", "pricing", "top_provider", "supported_parameters", "context_length"} <= set(row)
    assert (await call(sandbox.url, "/gemini/v1beta/openai/models")).json["data"][0]["id"].startswith("models/")
    assert isinstance((await call(sandbox.url, "/together/v1/models")).json, list)
    assert (await call(sandbox.url, "/ollama/api/tags")).json["models"][0]["name"] == "echo:latest"


async def test_options_add_models_to_a_providers_list():
    async with SandboxServer(options=Options(models={"openai": ("gpt-5",)})) as server:
        listed = await call(server.url, "/openai/v1/models")
        assert listed.json["data"][0]["id"] == "gpt-5"
        assert "gpt-5" not in (await call(server.url, "/groq/openai/v1/models")).body.decode()


async def test_embeddings_are_unit_vectors_that_depend_on_the_text_alone(openai_client: AsyncOpenAI):
    got = await openai_client.embeddings.create(model="any", input=["a", "b", "a"], encoding_format="float")
    first, second, third = (row.embedding for row in got.data)
    assert len(first) == 1536
    assert isclose(sqrt(sum(value * value for value in first)), 1, rel_tol=1e-5)
    assert first == third != second
    assert [row.index for row in got.data] == [0, 1, 2]


async def test_texts_that_share_words_have_near_vectors(openai_client: AsyncOpenAI):
    texts = ["The cat sat on the mat.", "the cat sat on a mat", "Interest rates rose sharply again", "!?", "é"]
    got = await openai_client.embeddings.create(model="any", input=texts, encoding_format="float")
    vectors = [row.embedding for row in got.data]

    def cosine(a: int, b: int) -> float:
        return sum(x * y for x, y in zip(vectors[a], vectors[b], strict=True))

    assert cosine(0, 1) > 0.7
    assert abs(cosine(0, 2)) < 0.2
    assert all(isclose(cosine(at, at), 1, rel_tol=1e-5) for at in range(len(texts)))


async def test_base64_says_the_same_as_float(openai_client: AsyncOpenAI):
    decoded = await openai_client.embeddings.create(model="any", input="text", dimensions=8)
    plain = await openai_client.embeddings.create(model="any", input="text", dimensions=8, encoding_format="float")
    assert decoded.data[0].embedding == plain.data[0].embedding


async def test_embeddings_hold_exactly_what_the_sdk_types_know(sandbox: SandboxServer):
    body = {"model": "openai/any", "input": ["Hello, world!", "one two"], "dimensions": 3}
    answer = await call(sandbox.url, "/openai/v1/embeddings", body)
    got = strictly(CreateEmbeddingResponse, answer.body)
    assert (got.usage.prompt_tokens, got.usage.total_tokens) == (6, 6)
    assert got.model == "openai/any"


async def test_token_lists_are_embedded_too(openai_client: AsyncOpenAI):
    one = await openai_client.embeddings.create(model="any", input=[1, 2, 3], dimensions=4)
    two = await openai_client.embeddings.create(model="any", input=[[1, 2, 3], [4]], dimensions=4)
    assert (len(one.data), one.usage.prompt_tokens) == (1, 3)
    assert (len(two.data), two.usage.prompt_tokens) == (2, 4)
    assert one.data[0].embedding == two.data[0].embedding


@pytest.mark.parametrize(
    "body",
    [
        {"model": "any"},
        {"input": "x"},
        {"model": "any", "input": []},
        {"model": "any", "input": [""]},
        {"model": "any", "input": ["x", 1]},
        {"model": "any", "input": ["x"] * 2049},
        {"model": "any", "input": "x", "dimensions": 0},
        {"model": "any", "input": "x", "dimensions": 10**9},
        {"model": "any", "input": "x", "encoding_format": "hex"},
        {"model": "any", "input": {"a": 1}},
    ],
)
async def test_bad_embedding_requests_are_refused(sandbox: SandboxServer, body: object):
    assert (await call(sandbox.url, "/openai/v1/embeddings", body)).status == 400


async def test_failing_models_fail_for_embeddings_too(openai_client: AsyncOpenAI):
    with pytest.raises(InternalServerError):
        await openai_client.embeddings.create(model="error-500", input="x")
    with pytest.raises(BadRequestError):
        await openai_client.embeddings.create(model="error-400", input="x")
