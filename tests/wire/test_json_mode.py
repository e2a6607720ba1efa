"""JSON towards targets that cannot be told to write it, from every client's format."""

import json
from typing import Any

import pytest
from tests.wire.tools.values import ANTHROPIC, CHAT, GEMINI, LABEL, RESPONSES, TARGETS, every_pair, request, translated

from ownkey.domain.catalogue import Quirk
from ownkey.domain.facts import Facts
from ownkey.domain.formats import WireFormat
from ownkey.wire import events
from ownkey.wire.json_mode import OPENING, Mode, fit_json, modes_of
from ownkey.wire.neutral import Answer, Conversation, OutputFormat, Stop, Text, Thinking, Tool, Turn
from ownkey.wire.tools.restoring import Restoring
from ownkey.wire.translation import translate_answer, translate_request
from ownkey.wire.wishes import Wishes

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
OBJECT: dict[WireFormat, dict[str, Any]] = {
    CHAT: {"response_format": {"type": "json_object"}},
    RESPONSES: {"text": {"format": {"type": "json_object"}}},
    GEMINI: {"generationConfig": {"responseMimeType": "application/json"}},
}
FIELD = {CHAT: "response_format", RESPONSES: "text.format", GEMINI: "generationConfig.responseMimeType"}


@every_pair
def test_json_without_a_schema_reaches_every_provider(client: WireFormat, target: WireFormat) -> None:
    if client is ANTHROPIC:
        return  # It knows JSON with a schema alone.
    sent, written = translated(client, target, request(client, **OBJECT[client]))
    emulated = target in (ANTHROPIC, WireFormat.BEDROCK_CONVERSE)
    assert (FIELD[client] in written.adaptations) is emulated
    text = json.dumps(sent)
    assert ("single JSON object" in text) is emulated
    assert "output_config" not in sent
    assert "outputConfig" not in sent


def test_cohere_takes_no_json_mode_beside_tools() -> None:
    sent, written = translated(CHAT, WireFormat.COHERE_CHAT, request(CHAT, "f", **OBJECT[CHAT]))
    assert "response_format" not in sent
    assert "response_format" in written.adaptations
    assert "single JSON object" in json.dumps(sent["messages"])


def test_quirks_of_a_provider_count() -> None:
    assert modes_of(asked(), RESPONSES, (Quirk.AGENT_API,)) == ("schema",)
    assert modes_of(asked(), RESPONSES, ()) == ("object", "schema")


def asked(schema: dict[str, Any] | None = None, **more: Any) -> Conversation:
    given: dict[str, Any] = {"turns": (Turn("user", (Text("hi"),)),), "output": OutputFormat(schema, "n")} | more
    return Conversation(origin=CHAT, **given)


@pytest.mark.parametrize(
    ("schema", "modes", "left", "told"),
    [
        (None, ("object", "schema"), "object", False),
        (None, ("object",), "object", False),
        (None, ("schema",), "nothing", True),
        (None, (), "nothing", True),
        (SCHEMA, ("object", "schema"), "schema", False),
        (SCHEMA, ("schema",), "schema", False),
        (SCHEMA, ("object",), "object", True),
        (SCHEMA, (), "nothing", True),
    ],
)
def test_what_becomes_of_a_wish_for_json(
    schema: dict[str, Any] | None, modes: tuple[Mode, ...], left: str, told: bool
) -> None:
    fitted = fit_json(asked(schema), modes, prefill=False)
    output = fitted.conversation.output
    assert left == ("nothing" if output is None else "object" if output.schema is None else "schema")
    assert bool(fitted.conversation.system) is told is bool(fitted.adapted)
    if told and schema is not None:
        assert json.dumps(SCHEMA, separators=(",", ":")) in fitted.conversation.system[0].text
    assert not fitted.begun


@pytest.mark.parametrize(
    ("conversation", "begun"),
    [
        (asked(), True),
        (asked(SCHEMA), True),
        (asked({"type": "array"}), False),
        (asked(tools=(Tool("f"),)), False),
        (asked(thinking=Thinking("high")), False),
        (asked(thinking=Thinking("none")), True),
        (asked(thinking=Thinking(mode="adaptive")), False),
        (asked(turns=(Turn("assistant", (Text("I"),)),)), False),
    ],
)
def test_an_answer_is_begun_where_the_target_goes_on(conversation: Conversation, begun: bool) -> None:
    fitted = fit_json(conversation, (), prefill=True)
    assert fitted.begun is begun
    last = fitted.conversation.turns[-1]
    assert (last == Turn("assistant", (Text(OPENING),))) is begun


def test_facts_of_the_model_count() -> None:
    body = request(CHAT, **OBJECT[CHAT])
    facts = Facts(prefill=True)
    written = translate_request(CHAT, ANTHROPIC, body, model="m", stream=False, wishes=Wishes(), facts=facts)
    assert json.loads(written.body)["messages"][-1]["content"] == [{"type": "text", "text": OPENING}]
    assert written.back.restoring == Restoring({}, opening=OPENING)
    told = {"type": "message", "content": [{"type": "text", "text": '"a": 1}'}], "stop_reason": "end_turn"}
    answer, _ = translate_answer(ANTHROPIC, CHAT, json.dumps(told).encode(), LABEL, written.back.restoring)
    assert json.loads(answer)["choices"][0]["message"]["content"] == '{"a": 1}'


@pytest.mark.parametrize(("text", "whole"), [('"a": 1}', '{"a": 1}'), (' {"a": 1}', ' {"a": 1}'), ("}", "{}")])
def test_the_client_gets_the_beginning_too(text: str, whole: str) -> None:
    restoring = Restoring({}, opening=OPENING)
    answer = Answer(id="a", model="m", parts=(Text(text),), stop=Stop(), usage=None)
    assert restoring.answer(answer).parts == (Text(whole),)
    given = [events.Started("a", "m"), events.TextDelta(0, text), events.TextDelta(0, "!"), events.Finished()]
    streamed = [event for each in [given] for event in restoring.stream().feed(each)]
    assert [event.text for event in streamed if isinstance(event, events.TextDelta)] == [whole, "!"]


@pytest.mark.parametrize("target", TARGETS)
def test_hints_never_make_a_request_fail(target: WireFormat) -> None:
    client = ANTHROPIC if target is not ANTHROPIC else CHAT
    sent, written = translated(client, target, request(client, top_k=7, cache_control={"type": "ephemeral"}))
    takes = target in (ANTHROPIC, GEMINI, WireFormat.COHERE_CHAT, WireFormat.OLLAMA_CHAT)
    assert ("top_k" in written.adaptations) is not takes
    assert ("7" in json.dumps(sent)) is takes


def test_a_hint_beyond_the_providers_range_becomes_its_nearest_value() -> None:
    sent, written = translated(ANTHROPIC, WireFormat.COHERE_CHAT, request(ANTHROPIC, top_k=501))
    assert (sent["k"], written.adaptations) == (500, ("top_k",))
