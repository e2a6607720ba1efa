"""Rerank as Cohere (version 2) and those that followed it serve it: scores by the words a document shares.

Written from https://docs.cohere.com/v2/reference/rerank and the types of the `cohere` and `together` packages.
"""

import re
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.sandbox import tokens
from ownkey.sandbox.behaviours import reply_to
from ownkey.sandbox.chat import ChatRequest
from ownkey.sandbox.exchange import Answer, Context
from ownkey.sandbox.faults import finish_answer
from ownkey.sandbox.reading import check_range, invalid, missing, read_json

_DOCUMENTS_IN_A_UNIT = 100
"""Cohere bills one search unit for a query and up to so many documents."""
_WORD = re.compile(r"\w+")


class _CohereBody(Struct):
    model: str | None = None
    query: str | None = None
    documents: list[str] | None = None
    top_n: int | None = None
    max_tokens_per_doc: int | None = None


class _Body(Struct):
    """`documents` hold texts or objects with a text."""

    model: str | None = None
    query: str | None = None
    documents: list[str | dict[str, Any]] | None = None
    top_n: int | None = None
    return_documents: bool | None = None


_COHERE = msgspec.json.Decoder(_CohereBody)
_SHARED = msgspec.json.Decoder(_Body)


def cohere_rerank(context: Context) -> Answer:
    """POST /v2/rerank."""
    body = read_json(context.request.body, _COHERE, dotted=True)
    if not body.model or body.query is None or not body.documents:
        raise invalid("documents", "invalid request: model, query and at least one document are required")
    ranked = _ranked(body.query, body.documents, body.top_n)
    units = float(-(-len(body.documents) // _DOCUMENTS_IN_A_UNIT))
    meta = {"api_version": {"version": "2"}, "billed_units": {"search_units": units}}
    results = [{"index": index, "relevance_score": score} for index, score in ranked]
    size = _size(body.query, body.documents)
    return _answer(context, body.model, size, {"id": context.ident, "results": results, "meta": meta})


def rerank(context: Context) -> Answer:
    """POST …/rerank."""
    body = read_json(context.request.body, _SHARED)
    if not body.model:
        raise missing("model")
    if body.query is None:
        raise missing("query")
    if not body.documents:
        raise missing("documents")
    check_range("top_n", body.top_n, 1, len(body.documents))
    texts = [document if isinstance(document, str) else str(document.get("text", "")) for document in body.documents]
    results: list[dict[str, Any]] = []
    for index, score in _ranked(body.query, texts, body.top_n):
        result: dict[str, Any] = {"index": index, "relevance_score": score}
        if body.return_documents:
            result["document"] = {"text": texts[index]}
        results.append(result)
    size = _size(body.query, texts)
    usage = {"prompt_tokens": size, "completion_tokens": 0, "total_tokens": size}
    written = {"object": "rerank", "id": context.ident, "model": body.model, "results": results, "usage": usage}
    return _answer(context, body.model, size, written)


def _answer(context: Context, model: str, size: int, written: dict[str, Any]) -> Answer:
    """The models that fail do so here, too."""
    chat = ChatRequest(model=model, prompt="", prompt_tokens=0, input_tokens=size)
    reply = reply_to(chat, context.plan.key, context.state)
    answer = Answer(200, context.head(), msgspec.json.encode(written), delay=context.delay(reply))
    return finish_answer(answer, reply)


def _ranked(query: str, texts: list[str], top_n: int | None) -> list[tuple[int, float]]:
    """(index, score) of the best, by the share of the query's words that a text has."""
    wanted = set(_words(query))
    scores = [len(wanted & set(_words(text))) / max(len(wanted), 1) for text in texts]
    order = sorted(range(len(texts)), key=lambda index: -scores[index])
    return [(index, scores[index]) for index in order[:top_n]]


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _size(query: str, texts: list[str]) -> int:
    return len(texts) * tokens.count(query) + sum(map(tokens.count, texts))
