"""Every fact of the catalogue, and requests of every client format that would break it: each arrives fit for its
model, translated or passed, streamed or not, or is refused by rule."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests.wire.fit.vendor import BEDROCK, CHAT, CLAUDE, GEMINI, RESPONSES, rejections

from ownkey.domain.errors import UnsupportedField
from ownkey.domain.facts import FactRow, Facts, facts_of
from ownkey.domain.formats import Operation, WireFormat
from ownkey.providers.catalogue import load_catalogue
from ownkey.wire import CHAT_FORMATS, FORMATS, splice
from ownkey.wire.fit import fit, watch
from ownkey.wire.registry import PROVIDER_CHATS
from ownkey.wire.translation import translate_request
from ownkey.wire.wishes import Wishes, fill_in

CATALOGUE = load_catalogue()
ROWS = [(name, row) for name, rows in sorted(CATALOGUE.facts().items()) for row in rows]
WISHES = (Wishes(), Wishes(temperature=0.3, max_tokens=700))
FUNCTION = {"name": "find", "parameters": {"type": "object", "properties": {}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": "{}"}}
DETAIL = {"type": "reasoning.text", "text": "hm", "signature": "S", "format": "anthropic-claude-v1", "index": 0}
PICTURE = "data:image/jpg;base64,/9j/4AAQ"


def chats(stream: bool) -> Iterator[dict[str, Any]]:
    answer = {"role": "assistant", "content": "4", "reasoning_content": "hm", "reasoning_details": [DETAIL]}
    calling = {"role": "assistant", "content": None, "tool_calls": [CALL], "reasoning_content": "hm"}
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": PICTURE}}], "name": "ada"},
        answer | {"refusal": None, "annotations": []},
        {"role": "user", "content": "And?"},
        calling,
        {"role": "tool", "tool_call_id": "call_1", "content": "4"},
    ]
    sampled = {"temperature": 0.4, "top_p": 0.5, "seed": 7, "user": "u-1", "store": True, "presence_penalty": 0}
    tools = {"tools": [{"type": "function", "function": FUNCTION}]}
    for effort in (None, "none", "minimal", "high", "xhigh"):
        asked = {} if effort is None else {"reasoning_effort": effort}
        for more in (
            sampled,
            tools | {"tool_choice": "required", "max_tokens": 900_000},
            tools | {"tool_choice": {"type": "function", "function": {"name": "find"}}, "max_completion_tokens": 9000},
            {"n": 1, "logprobs": False, "metadata": {"a": "b"}, "service_tier": "auto", "frequency_penalty": 0},
            {"logit_bias": {"1": 2}, "presence_penalty": 0.5},
            {"messages": [*messages, {"role": "user", "content": "And?"}], "response_format": {"type": "json_object"}},
            {"messages": [*messages, {"role": "assistant", "content": "It is"}]},
        ):
            yield {"model": "m", "messages": messages, "stream": stream} | asked | more


def claudes(stream: bool) -> Iterator[dict[str, Any]]:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/jpg", "data": "/9j/4AAQ"}}
    messages = [{"role": "user", "content": [image, {"type": "text", "text": "hi"}]}]
    tools = {"tools": [{"name": "find", "input_schema": {"type": "object"}}]}
    for thinking in (
        None,
        {"type": "enabled", "budget_tokens": 2000},
        {"type": "adaptive"},
        {"type": "disabled"},
    ):
        asked = {} if thinking is None else {"thinking": thinking}
        for more in (
            {"temperature": 0.4, "top_p": 0.5, "top_k": 9},
            tools | {"tool_choice": {"type": "any"}},
            tools | {"tool_choice": {"type": "tool", "name": "find"}, "output_config": {"effort": "xhigh"}},
            {"max_tokens": 900_000, "metadata": {"user_id": "u-1"}, "output_config": {"effort": "low"}},
            {"messages": [*messages, {"role": "assistant", "content": [{"type": "text", "text": "It is"}]}]},
        ):
            yield {"model": "m", "max_tokens": 4000, "messages": messages, "stream": stream} | asked | more


def geminis(stream: bool) -> Iterator[dict[str, Any]]:
    parts = [{"inlineData": {"mimeType": "image/jpg", "data": "/9j/4AAQ"}}, {"text": "hi"}]
    for thinking in (
        None,
        {"thinkingBudget": 0},
        {"thinkingBudget": 100, "includeThoughts": True},
        {"thinkingBudget": 90_000},
        {"thinkingBudget": -1},
        {"thinkingLevel": "MINIMAL"},
        {"thinkingLevel": "HIGH"},
    ):
        config = {"temperature": 0.4, "topP": 0.5, "seed": 7, "maxOutputTokens": 900_000}
        asked = {} if thinking is None else {"thinkingConfig": thinking}
        yield {"contents": [{"role": "user", "parts": parts}], "generationConfig": config | asked}
    yield {
        "contents": [{"role": "user", "parts": parts}, {"role": "model", "parts": [{"text": "It is"}]}],
        "generationConfig": {"responseMimeType": "application/json"},
    }


def responses(stream: bool) -> Iterator[dict[str, Any]]:
    tools = {"tools": [{"type": "function", "name": "find", "parameters": FUNCTION["parameters"]}]}
    called = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "hi"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "function_call", "call_id": "c1", "name": "find", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "4"},
    ]
    for effort in (None, "none", "minimal", "high", "xhigh"):
        asked = {} if effort is None else {"reasoning": {"effort": effort}}
        for more in (
            {"temperature": 0.4, "top_p": 0.5, "user": "u-1"},
            tools | {"tool_choice": "required", "max_output_tokens": 900_000},
            tools | {"input": called, "store": False},
            {"input": [*called, {"role": "user", "content": "And?"}], "text": {"format": {"type": "json_object"}}},
        ):
            yield {"model": "m", "input": "hi", "stream": stream} | asked | more


CLIENTS = {CHAT: chats, CLAUDE: claudes, GEMINI: geminis, RESPONSES: responses}


def models_of(row: FactRow) -> list[str]:
    """A model for each of a row's patterns that the row is about."""
    named = [pattern.replace("*", "") or "some-model" for pattern in row.models]
    found = [model for model in named if row.applies(model, row.formats[0] if row.formats else CHAT)]
    return [found[0], *found[-1:]] if len(found) > 1 else found


def targets_of(provider: str, row: FactRow) -> list[WireFormat]:
    found = CATALOGUE.provider(provider)
    assert found is not None
    return [
        format_
        for format_ in found.endpoints
        if format_.operation is Operation.CHAT and format_ in PROVIDER_CHATS and format_ in (row.formats or (format_,))
    ]


@pytest.mark.parametrize(("provider", "row"), ROWS, ids=[f"{name}-{'+'.join(row.models)[:40]}" for name, row in ROWS])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_request_that_would_break_a_fact_arrives_fit(provider: str, row: FactRow, client: WireFormat) -> None:
    arrived = 0
    refused: list[str | None] = []
    for model, target in itertools.product(models_of(row), targets_of(provider, row)):
        facts = facts_of(CATALOGUE.facts()[provider], model, target)
        for stream, wishes in zip((False, True), WISHES, strict=True):
            for body in CLIENTS[client](stream):
                try:
                    sent = arrive(client, target, body, model, facts, wishes, stream)
                except UnsupportedField as error:
                    refused.append(error.param)
                    continue
                assert list(rejections(target, facts, sent)) == [], (target, body, sent)
                arrived += 1
    assert arrived or not targets_of(provider, row)
    assert None not in refused, "what is refused is a demand that the error names"


def arrive(
    client: WireFormat,
    target: WireFormat,
    body: dict[str, Any],
    model: str,
    facts: Facts,
    wishes: Wishes,
    stream: bool,
    version: str = "",
) -> dict[str, Any]:
    """The body as the provider gets it: translated, or passed with what the watch and the fitting change."""
    before = msgspec.json.encode(body)
    if client is not target:
        written = translate_request(client, target, body, model=model, stream=stream, wishes=wishes, facts=facts)
        assert msgspec.json.encode(body) == before, "the client's request stays what it was"
        sent: dict[str, Any] = json.loads(written.body)
        return sent
    changes, ours = fill_in(FORMATS[client], body, wishes)
    watched = watch(target, facts)
    if stream and watched.asks_usage:
        asked = FORMATS[client].ask_usage(body)
        changes, ours = changes | asked, (*ours, *(["stream_options"] if asked else []))
    if watched.concerns(before, body | changes, version):
        changes |= fit(target, body | changes, facts, ours, model=model, version=version).changes
    assert msgspec.json.encode(body) == before, "the client's request stays what it was"
    passed: dict[str, Any] = json.loads(splice(before, body, changes))
    return passed


@pytest.mark.parametrize("body", [body for stream in (False, True) for body in claudes(stream)], ids=itertools.count())
@pytest.mark.parametrize("wishes", WISHES, ids=("plain", "wishes"))
def test_a_version_of_the_api_without_sampling(body: dict[str, Any], wishes: Wishes) -> None:
    for model in ("claude-sonnet-4-6", "claude-opus-5-5"):
        facts = facts_of(CATALOGUE.facts()["anthropic"], model, CLAUDE)
        sent = arrive(CLAUDE, CLAUDE, body, model, facts, wishes, stream=False, version="2026-10-21")
        assert list(rejections(CLAUDE, facts, sent, "2026-10-21")) == []


def test_what_no_fact_is_about_passes_byte_for_byte() -> None:
    """Whatever the format, a model without facts gets its request unchanged and without a look at it."""
    for format_ in CHAT_FORMATS:
        watched = watch(format_, Facts())
        assert watched.nothing
        assert not watched.concerns(b"{}", {"thinking": 1, "temperature": 2, "messages": []}, "2026-10-21")
    assert BEDROCK in PROVIDER_CHATS
