"""Embeddings pass between OpenAI's format and Gemini's two."""

import json
import struct
from base64 import b64decode, b64encode
from typing import Any

import pytest
from google.genai import types
from openai.types import CreateEmbeddingResponse

from ownkey.domain.errors import InvalidRequest, UnsupportedField
from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire import MalformedAnswer
from ownkey.wire.neutral import AnswerLabel
from ownkey.wire.registry import EMBEDDING_FORMATS
from ownkey.wire.translation import translate_answer, translate_request
from ownkey.wire.wishes import Wishes

OPENAI, SINGLE, BATCH = WireFormat.OPENAI_EMBEDDINGS, WireFormat.GEMINI_EMBED, WireFormat.GEMINI_BATCH_EMBED
NAMED = AnswerLabel("asked", 1, "id")
PACKED = AnswerLabel("asked", 1, "id", {"encoding_format": "base64"})


def translated(source: WireFormat, target: WireFormat, body: dict[str, Any]) -> tuple[Any, tuple[str, ...]]:
    found = translate_request(
        source, target, body, model="m", stream=False, wishes=Wishes(temperature=1.0, max_tokens=5), quirks=()
    )
    return json.loads(found.body), found.adaptations


def batch(*texts: str, **more: Any) -> dict[str, Any]:
    return {"requests": [{"content": {"parts": [{"text": text}]}, "model": "models/x"} | more for text in texts]}


def test_requests_in_every_direction() -> None:
    asked = {"model": "x", "input": ["a", "b"], "dimensions": 8, "user": "u", "encoding_format": "base64"}
    vectors = [
        {"model": "models/m", "content": {"parts": [{"text": text}]}, "outputDimensionality": 8} for text in "ab"
    ]
    assert translated(OPENAI, BATCH, asked) == ({"requests": vectors}, ("user",))
    assert translated(OPENAI, SINGLE, {"model": "x", "input": "a"}) == ({"content": {"parts": [{"text": "a"}]}}, ())
    single = {"content": {"parts": [{"text": "a"}, {"text": "b"}]}, "task_type": "X", "outputDimensionality": 8}
    assert translated(SINGLE, OPENAI, single) == ({"model": "m", "input": "a\nb", "dimensions": 8}, ("taskType",))
    assert translated(BATCH, OPENAI, batch("a", "b", title="t")) == (
        {"model": "m", "input": ["a", "b"]},
        ("requests.title",),
    )


@pytest.mark.parametrize(
    ("source", "target", "body", "param"),
    [
        (OPENAI, BATCH, {"model": "x", "input": [[1, 2]]}, "input"),
        (OPENAI, BATCH, {"model": "x", "input": [1, 2]}, "input"),
        (OPENAI, SINGLE, {"model": "x", "input": ["a", "b"]}, "input"),
        (SINGLE, OPENAI, {"content": {"parts": [{"inlineData": {"mimeType": "a", "data": ""}}]}}, "content.parts[0]"),
        (BATCH, OPENAI, {"requests": batch("a")["requests"] + batch("b", outputDimensionality=3)["requests"]},
         "requests.outputDimensionality"),
    ],
)  # fmt: skip
def test_what_the_target_cannot_say_is_refused(
    source: WireFormat, target: WireFormat, body: dict[str, Any], param: str
) -> None:
    with pytest.raises(UnsupportedField) as caught:
        translated(source, target, body)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("source", "body", "param"),
    [
        (OPENAI, {"model": "x", "input": "a", "dimensions": 0}, "dimensions"),
        (OPENAI, {"model": "x", "input": "a", "encoding_format": "hex"}, "encoding_format"),
        (SINGLE, {"content": {}}, "content.parts"),
        (BATCH, {"requests": []}, "requests"),
        (BATCH, {"requests": [{"content": {"parts": [{"text": 1}]}}]}, "requests[0].content.parts[0].text"),
    ],
)
def test_a_bad_field_is_named(source: WireFormat, body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        EMBEDDING_FORMATS[source].read_ask(body)
    assert caught.value.param == param


def test_answers_for_openais_clients() -> None:
    body = json.dumps(
        {"embeddings": [{"values": [1.0, 0.5]}, {"values": [2, 0]}], "usageMetadata": {"promptTokenCount": 3}}
    ).encode()
    told, usage = translate_answer(BATCH, OPENAI, body, NAMED)
    assert usage == Usage(3)
    answer = CreateEmbeddingResponse.model_validate_json(told)
    assert [row.embedding for row in answer.data] == [[1.0, 0.5], [2.0, 0.0]]
    assert (answer.model, answer.usage.prompt_tokens, answer.usage.total_tokens) == ("asked", 3, 3)
    packed, _ = translate_answer(BATCH, OPENAI, body, PACKED)
    row = json.loads(packed)["data"][0]["embedding"]
    assert struct.unpack("<2f", b64decode(row)) == (1.0, 0.5)


def test_answers_for_geminis_clients() -> None:
    floats = b64encode(struct.pack("<2f", 1.0, 0.5)).decode()
    rows = [{"embedding": floats, "index": 1}, {"embedding": [2.0], "index": 0}]
    body = json.dumps({"data": rows, "usage": {"prompt_tokens": 3, "total_tokens": 3}}).encode()
    told, usage = translate_answer(OPENAI, BATCH, body, NAMED)
    assert usage == Usage(3)
    answer = types.EmbedContentResponse.model_validate_json(told)
    assert answer.embeddings is not None
    assert [embedding.values for embedding in answer.embeddings] == [[2.0], [1.0, 0.5]]
    single, _ = translate_answer(OPENAI, SINGLE, json.dumps({"data": rows[1:]}).encode(), NAMED)
    assert json.loads(single) == {"embedding": {"values": [2.0]}}


@pytest.mark.parametrize(
    ("source", "body"),
    [
        (OPENAI, b"{}"),
        (OPENAI, b'{"data":[{"embedding":"?"}]}'),
        (OPENAI, b'{"data":[{"embedding":"AAA="}]}'),
        (OPENAI, b'{"data":[{"embedding":["x"]}]}'),
        (OPENAI, b'{"error":{"message":"no"}}'),
        (SINGLE, b"{}"),
        (SINGLE, b'{"error":{"message":"no","code":500}}'),
        (BATCH, b'{"embedding":{"values":[1]}}'),
        (BATCH, b"not json"),
    ],
)
def test_what_is_no_answer_is_malformed(source: WireFormat, body: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        EMBEDDING_FORMATS[source].read_answer(body)


def test_a_wrong_number_of_vectors_or_one_beyond_single_precision_is_malformed() -> None:
    with pytest.raises(MalformedAnswer):
        translate_answer(BATCH, SINGLE, b'{"embeddings":[]}', NAMED)
    with pytest.raises(MalformedAnswer):
        translate_answer(
            BATCH,
            OPENAI,
            b'{"embeddings":[{"values":[1e300]}]}',
            AnswerLabel("asked", 1, "id", {"encoding_format": "base64"}),
        )
