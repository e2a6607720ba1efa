"""Rerank: `POST /v1/rerank` as Cohere began it and Jina, Together and vLLM share it, and Cohere's version 2.

The former passes as it is. In version 2 (`cohere.ClientV2.rerank`) documents are texts, and are not given back.
Usage is tokens, or search units, which are billed per unit.
"""

from typing import Any, cast

import msgspec
from msgspec import Struct

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire.costs import Costs, nano_cost
from ownkey.wire.errors import ErrorReader, MalformedAnswer, read_error
from ownkey.wire.fields import Count, TokenLimit, decode, decode_or_none, encode, leftovers, read_request, unsupported
from ownkey.wire.format import Format, Outline, ProviderRerank, Written
from ownkey.wire.openai_chat.errors import ERRORS
from ownkey.wire.openai_chat.stream_reading import ChunkObserver

_ENCODE = msgspec.json.Encoder().encode


class _Shape(Struct):
    """`documents` are texts, or objects with a `text`; a provider may know other kinds."""

    model: str
    query: Any
    documents: list[Any]
    top_n: TokenLimit | None = None
    return_documents: bool | None = None


class _Request(_Shape):
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


class _Tokens(Costs):
    """`usage` of the shape that Jina, Together and vLLM share; OpenRouter adds search units."""

    prompt_tokens: Count | None = None
    total_tokens: Count | None = None
    search_units: Count | None = None


class _Units(Struct):
    input_tokens: Count | None = None
    search_units: Count | None = None


class _Meta(Struct):
    """Cohere's `meta` (cohere.types.ApiMeta)."""

    billed_units: _Units | None = None
    tokens: _Units | None = None


class _Body(Struct):
    usage: _Tokens | None = None
    meta: _Meta | None = None


_ANSWER = msgspec.json.Decoder(_Answer)
_META = msgspec.json.Decoder(_Meta)
_BODY = msgspec.json.Decoder(_Body)


class Rerank(Format):
    name = WireFormat.RERANK
    errors = ERRORS

    def outline(self, parsed: dict[str, Any]) -> Outline:
        """A rerank is never streamed and writes no tokens."""
        return Outline(read_request(parsed, _Shape).model, stream=False, max_tokens=0)

    def usage_of(self, body: bytes) -> Usage | None:
        return usage_of(body)

    def observer(self, request_wants_usage: bool) -> ChunkObserver:
        return ChunkObserver(request_wants_usage)


class CohereRerank(ProviderRerank):
    name = WireFormat.COHERE_RERANK
    errors = ErrorReader()

    def write(self, parsed: dict[str, Any], model: str) -> Written:
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

    def read(self, body: bytes, asked: dict[str, Any], model: str, answer_id: str) -> tuple[bytes, Usage | None]:
        answer = decode(_ANSWER, body)
        if answer.results is None:
            reported = read_error(200, body) if answer.message is not None else None
            raise MalformedAnswer("the answer has no results", reported)
        documents = cast("list[object]", asked["documents"])
        usage = _of_meta(decode(_META, bytes(answer.meta))) if bytes(answer.meta) not in (b"", b"null") else None
        results = [_result(result, documents, asked.get("return_documents") is True) for result in answer.results]
        written: dict[str, Any] = {"id": answer.id or answer_id, "model": model, "results": results}
        if usage is not None:
            written["meta"] = answer.meta
            if usage.input_tokens:
                written["usage"] = {"prompt_tokens": usage.input_tokens, "total_tokens": usage.input_tokens}
        return _ENCODE(written), usage


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


def usage_of(body: bytes) -> Usage | None:
    """The usage in a whole answer; None where there is none that can be read."""
    read = decode_or_none(_BODY, body)
    if read is None:
        return None
    if read.usage is not None:
        counts = read.usage
        tokens = counts.total_tokens if counts.prompt_tokens is None else counts.prompt_tokens
        if (usage := _usage(tokens, counts.search_units, nano_cost(counts))) is not None:
            return usage
    return _of_meta(read.meta) if read.meta is not None else None


def _of_meta(meta: _Meta) -> Usage | None:
    """None when no count is given."""
    units = meta.billed_units.search_units if meta.billed_units is not None else None
    counts = [each.input_tokens for each in (meta.billed_units, meta.tokens) if each is not None]
    tokens = next((count for count in counts if count is not None), None)
    return _usage(tokens, units)


def _usage(tokens: float | None, units: float | None, cost: int | None = None) -> Usage | None:
    if units is None and tokens is None and cost is None:
        return None
    return Usage(int(tokens or 0), units=1 if units is None else int(units), cost=cost)


RERANK = Rerank()
COHERE_RERANK = CohereRerank()
