"""Rerank requests and answers for Cohere, and what a rerank is counted as."""

import json
from typing import Any

import pytest
from cohere.v2.types.v2rerank_response import V2RerankResponse

from ownkey.domain.errors import InvalidRequest, UnsupportedField
from ownkey.domain.formats import WireFormat
from ownkey.domain.price import Rates, list_cost
from ownkey.domain.usage import Usage
from ownkey.wire import FORMATS, MalformedAnswer
from ownkey.wire.rerank import COHERE_RERANK, usage_of

ASKED: dict[str, Any] = {"model": "m", "query": "q", "documents": ["a", {"text": "b"}]}
ANSWER: dict[str, Any] = {
    "id": "r",
    "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}],
    "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 3.0}},
}


def sent(**more: Any) -> Any:
    return json.loads(COHERE_RERANK.write(ASKED | more, "rerank-v4").body)


def answered(body: dict[str, Any] = ANSWER, **more: Any) -> Any:
    return json.loads(COHERE_RERANK.read(json.dumps(body).encode(), ASKED | more, "m", "id")[0])


def test_documents_become_texts() -> None:
    assert sent(top_n=1, return_documents=True) == {
        "model": "rerank-v4",
        "query": "q",
        "documents": ["a", "b"],
        "top_n": 1,
    }


def test_an_object_of_several_fields_becomes_yaml() -> None:
    person = {"name": 'Ann: "A"', "age": 7, "note": None, "id": "x"}
    assert sent(documents=[person])["documents"] == ['name: "Ann: \\"A\\""\nage: 7\nid: "x"']
    assert sent(documents=[person], rank_fields=["age"])["documents"] == ["age: 7"]


def test_hints_are_named_and_coheres_own_fields_pass() -> None:
    written = COHERE_RERANK.write(ASKED | {"max_chunks_per_doc": 5, "max_tokens_per_doc": 100, "priority": 1}, "m")
    assert written.adaptations == ("max_chunks_per_doc",)
    assert {"max_tokens_per_doc": 100, "priority": 1}.items() <= json.loads(written.body).items()


@pytest.mark.parametrize("documents", [[{"image": {"url": "x"}}], [{}]])
def test_what_is_no_text_is_refused(documents: list[Any]) -> None:
    with pytest.raises(UnsupportedField) as caught:
        sent(documents=documents)
    assert caught.value.param == "documents[0]"


def test_mistakes_name_their_field() -> None:
    with pytest.raises(InvalidRequest) as caught:
        sent(documents=[7])
    assert caught.value.param == "documents[0]"
    with pytest.raises(InvalidRequest) as caught:
        FORMATS[WireFormat.RERANK].outline({"model": "m", "query": "q"})
    assert caught.value.param == "documents"


def test_documents_come_back_when_asked_for() -> None:
    assert answered() == ANSWER | {"model": "m"}
    results = answered(return_documents=True)["results"]
    assert [result["document"] for result in results] == [{"text": "b"}, {"text": "a"}]
    V2RerankResponse.model_validate(answered())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b'{"results":[{"index":2,"relevance_score":1}]}',
        b'{"results":[{"index":-1,"relevance_score":1}]}',
        b'{"results":[{"index":"0","relevance_score":1}]}',
        b'{"results":[],"meta":{"billed_units":{"search_units":-1}}}',
        b'{"message":"No."}',
    ],
    ids=range(8),
)
def test_what_is_no_answer_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        COHERE_RERANK.read(body, ASKED, "m", "id")


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        (ANSWER, Usage(0, units=3)),
        ({"usage": {"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 5}}, Usage(5)),
        ({"usage": {"total_tokens": 7}}, Usage(7)),
        ({"usage": {"search_units": 2, "cost": 0.004}}, Usage(0, units=2, cost=4_000_000)),
        ({"meta": {"billed_units": {"input_tokens": 4.0}}}, Usage(4)),
        ({"meta": {}}, None),
        ({"usage": {"total_tokens": "x"}}, None),
        ([], None),
    ],
    ids=range(8),
)
def test_units_and_tokens_are_counted(body: Any, usage: Usage | None) -> None:
    assert usage_of(json.dumps(body).encode()) == usage


def test_search_units_multiply_the_price_of_a_request() -> None:
    assert list_cost(Rates(per_request=2_000_000), Usage(units=3)) == 6_000_000
    assert list_cost(Rates(per_request=2_000_000), Usage()) == 2_000_000
