"""Cohere's rerank, version 2 (`cohere.ClientV2.rerank`): documents are texts, and are not given back."""

from typing import Any, cast

import msgspec
from msgspec import Struct

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire.cohere_chat import errors
from ownkey.wire.errors import MalformedAnswer, read_error
from ownkey.wire.fields import TokenLimit, decode, encode, leftovers, read_request, unsupported
from ownkey.wire.format import OutgoingRerank, Written
from ownkey.wire.rerank.format import Shape
from ownkey.wire.rerank.usage import Meta, of_meta

_ENCODE = msgspec.json.Encoder().encode


class _Request(Shape):
    """`rank_fields` are the parts of an object that count; version 2 wants them as YAML."""

    rank_fields: list[str] | None = None
    max_tokens_per_doc: TokenLimit | None = None
    relevant_spans: dict[str, Any] | None = None
    priority: int | None = None


class _Result(Struct):
    index: int
    relevance_score: float
    relevant_spans: msgspec.Raw = msgspec.Raw()


class _Answer(Struct):
    results: list[_Result] | None = None
    id: str | None = None
    meta: msgspec.Raw = msgspec.Raw()
    message: str | None = None


_ANSWER = msgspec.json.Decoder(_Answer)
_META = msgspec.json.Decoder(Meta)


def write(parsed: dict[str, Any], model: str) -> Written:
    asked = read_request(parsed, _Request)
    if not isinstance(asked.query, str):
        raise unsupported("query", "must be a text for the chosen provider.")
    _, hints = leftovers(parsed, _Request.__struct_fields__, frozenset())
    documents = [_text(document, asked.rank_fields, index) for index, document in enumerate(asked.documents)]
    body: dict[str, Any] = {"model": model, "query": asked.query, "documents": documents}
    for name in ("top_n", "max_tokens_per_doc", "relevant_spans", "priority"):
        value = getattr(asked, name)
        if value is not None:
            body[name] = value
    return Written(encode(body), tuple(hints))


def _text(document: object, fields: list[str] | None, index: int) -> str:
    """A document as text; an object of several fields as YAML, which Cohere recommends for structured data."""
    if isinstance(document, str):
        return document
    where = f"documents[{index}]"
    if not isinstance(document, dict):
        raise InvalidRequest(f"{where} must be a text or an object with a text.", param=where)
    given = cast("dict[str, Any]", document)
    values = {name: given[name] for name in (fields or given) if given.get(name) is not None}
    if list(values) == ["text"] and isinstance(values["text"], str):
        return values["text"]
    if not values or any(isinstance(value, dict | list) for value in values.values()):
        raise unsupported(where, "must hold nothing but text for the chosen provider.")
    # A JSON scalar is a YAML scalar.
    return "\n".join(f"{name}: {encode(value).decode()}" for name, value in values.items())


def read(body: bytes, asked: dict[str, Any], model: str, answer_id: str) -> tuple[bytes, Usage | None]:
    answer = decode(_ANSWER, body)
    if answer.results is None:
        told = read_error(200, body) if answer.message is not None else None
        raise MalformedAnswer("the answer has no results", told)
    documents = cast("list[object]", asked["documents"])
    usage = of_meta(decode(_META, bytes(answer.meta))) if bytes(answer.meta) not in (b"", b"null") else None
    results = [_result(result, documents, asked.get("return_documents") is True) for result in answer.results]
    written: dict[str, Any] = {"id": answer.id or answer_id, "model": model, "results": results}
    if usage is not None:
        written["meta"] = answer.meta
        if usage.input_tokens:
            written["usage"] = {"prompt_tokens": usage.input_tokens, "total_tokens": usage.input_tokens}
    return _ENCODE(written), usage


def _result(result: _Result, documents: list[object], with_documents: bool) -> dict[str, Any]:
    if not 0 <= result.index < len(documents):
        raise MalformedAnswer("a result for a document that was not sent")
    written: dict[str, Any] = {"index": result.index, "relevance_score": result.relevance_score}
    if with_documents:
        document = documents[result.index]
        written["document"] = {"text": document} if isinstance(document, str) else document
    if bytes(result.relevant_spans) not in (b"", b"null"):
        written["relevant_spans"] = result.relevant_spans
    return written


COHERE_RERANK = OutgoingRerank(name=WireFormat.COHERE_RERANK, write=write, read=read, errors=errors)
