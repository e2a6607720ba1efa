"""What models demand of the turns of a conversation, and what becomes of turns that lack it."""

from typing import Any

import pytest

from ownkey.domain.facts import Facts, SchemaFacts
from ownkey.domain.formats import WireFormat
from ownkey.wire.fit import fit, watch
from ownkey.wire.fit.prefill import CONTINUE

CHAT, RESPONSES = WireFormat.OPENAI_CHAT, WireFormat.OPENAI_RESPONSES
CLAUDE, BEDROCK = WireFormat.ANTHROPIC_MESSAGES, WireFormat.BEDROCK_CONVERSE
MISTRAL = Facts(call_id_length=9, user_after_tool=False, prefill_mark="prefix")
DEEPSEEK = Facts(reasoning_replay="returned")
UNBEGUN = Facts(prefill=False)
WORD = Facts(json_word=True)
HI: dict[str, Any] = {"role": "user", "content": "hi"}
BEGUN: dict[str, Any] = {"role": "assistant", "content": "It is"}
DONE = {"role": "assistant", "content": "Done."}
IN_JSON = {"role": "system", "content": "Answer in JSON."}
OBJECT = {"type": "json_object"}


def calls(*ids: str, **more: Any) -> dict[str, Any]:
    listed = [{"id": id_, "type": "function", "function": {"name": "f", "arguments": "{}"}} for id_ in ids]
    return {"role": "assistant", "content": None, "tool_calls": listed} | more


def result(id_: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": "4"}


def fitted(format_: WireFormat, facts: Facts, body: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The body after fitting; what is changed must have been found to need it."""
    found = fit(format_, body, facts)
    assert watch(format_, facts).concerns(b"", body, "") or not found.changes
    return found.applied_to(body), found.adaptations


@pytest.mark.parametrize(
    ("facts", "given", "wanted", "adapted"),
    [
        (MISTRAL, [HI, calls("abcDEF123"), result("abcDEF123")], None, ()),
        (MISTRAL, [HI, calls("abcDEF123"), result("abcDEF123"), DONE, HI], None, ()),
        (MISTRAL, [calls("a" * 9), result("a" * 9), HI], [calls("a" * 9), result("a" * 9), DONE, HI], ("messages",)),
        (MISTRAL, [HI, BEGUN], [HI, BEGUN | {"prefix": True}], ("messages.prefill",)),
        (MISTRAL, [HI, BEGUN | {"prefix": False}], [HI, BEGUN | {"prefix": True}], ("messages.prefill",)),
        (MISTRAL, [HI, BEGUN | {"prefix": True}], None, ()),
        (MISTRAL, [HI, BEGUN, HI], None, ()),
        (DEEPSEEK, [HI, calls("a")], [HI, calls("a", reasoning_content="")], ()),
        (DEEPSEEK, [HI, calls("a", reasoning_content=None)], [HI, calls("a", reasoning_content="")], ()),
        (DEEPSEEK, [HI, calls("a", reasoning_content="hm"), result("a"), HI, BEGUN], None, ()),
        (Facts(), [HI, calls("x"), result("x"), HI, BEGUN], None, ()),
        (MISTRAL, ["x", None, {"role": "tool"}, {"role": "assistant", "tool_calls": [1]}], None, ()),
    ],
)
def test_turns_of_a_chat(facts: Facts, given: list[Any], wanted: list[Any] | None, adapted: tuple[str, ...]) -> None:
    if wanted is None:
        wanted = given
    assert fitted(CHAT, facts, {"messages": given}) == ({"messages": wanted}, adapted)


def test_ids_of_calls_and_results_agree_in_every_turn() -> None:
    ids = ("call_0", "toolu_01A", "abcDEF123", "call-1", "x" * 70)
    history = [HI, calls(*ids), *map(result, ids)]
    body, adapted = fitted(CHAT, MISTRAL, {"messages": history})
    sent = [call["id"] for call in body["messages"][1]["tool_calls"]]
    assert [turn["tool_call_id"] for turn in body["messages"][2:]] == sent
    assert all(len(id_) == 9 and id_.isalnum() and id_.isascii() for id_ in sent)
    assert (len(set(sent)), sent[2], adapted) == (len(ids), "abcDEF123", ())
    later, _ = fitted(CHAT, MISTRAL, {"messages": [*history, DONE, calls("call_9"), result("call_9")]})
    assert later["messages"][: len(history)] == body["messages"]


def claude(*content: dict[str, Any] | str) -> dict[str, Any]:
    return {"role": "assistant", "content": content[0] if isinstance(content[0], str) else list(content)}


TEXT = {"type": "text", "text": "It is"}
ASKED = {"role": "user", "content": CONTINUE}


@pytest.mark.parametrize(
    ("format_", "facts", "last", "more"),
    [
        (CLAUDE, UNBEGUN, claude("It is"), [ASKED]),
        (CLAUDE, UNBEGUN, claude(TEXT), [ASKED]),
        (CLAUDE, UNBEGUN, claude({"type": "thinking", "thinking": "hm", "signature": "S"}, TEXT), [ASKED]),
        (CLAUDE, UNBEGUN, HI, []),
        (CLAUDE, UNBEGUN, claude(TEXT, {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}), []),
        (CLAUDE, Facts(prefill=True), claude(TEXT), []),
        (CLAUDE, Facts(), claude(TEXT), []),
        (BEDROCK, UNBEGUN, claude({"text": "It is"}), [{"role": "user", "content": [{"text": CONTINUE}]}]),
        (BEDROCK, UNBEGUN, claude({"toolUse": {"toolUseId": "t", "name": "f", "input": {}}}), []),
    ],
)
def test_an_answer_that_was_begun(format_: WireFormat, facts: Facts, last: Any, more: list[Any]) -> None:
    body: dict[str, Any] = {"messages": [HI, last]}
    found = fit(format_, body, facts)
    assert found.applied_to(body) == {"messages": [HI, last, *more]}
    assert found.adaptations == (("messages.prefill",) if more else ())


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([HI], [IN_JSON, HI]),
        (
            [{"role": "developer", "content": "Be brief."}, HI],
            [{"role": "developer", "content": "Be brief."}, IN_JSON, HI],
        ),
        ([{"role": "user", "content": "as Json"}], None),
        ([{"role": "user", "content": [{"type": "text", "text": "JSON!"}]}], None),
        ("hi", [IN_JSON, HI]),
        ("in json", None),
        ([], None),
    ],
)
def test_the_word_json(given: Any, wanted: Any) -> None:
    bodies: tuple[tuple[WireFormat, dict[str, Any], str], ...] = (
        (CHAT, {"messages": given, "response_format": OBJECT}, "messages"),
        (RESPONSES, {"input": given, "text": {"format": OBJECT}}, "input"),
    )
    for format_, body, name in bodies:
        adapted = () if wanted is None else ("response_format",)
        assert fitted(format_, WORD, body) == (body | {name: given if wanted is None else wanted}, adapted)
        assert fitted(format_, Facts(), body) == (body, ())


def test_no_word_is_added_for_other_formats() -> None:
    for wanted in ({"type": "text"}, {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}, None):
        body = {"messages": [HI], "response_format": wanted}
        assert fitted(CHAT, WORD, body) == (body, ())


F: dict[str, Any] = {"type": "function", "function": {"name": "f"}}
G: dict[str, Any] = {"type": "function", "function": {"name": "g"}}


@pytest.mark.parametrize(
    ("known", "choice", "sent", "tools"),
    [
        (("none", "auto"), "required", "auto", [F, G]),
        (("none", "auto"), F, "auto", [F]),
        (("none", "auto", "required"), G, "required", [G]),
        (("none", "auto", "required"), "required", "required", [F, G]),
        (("none", "auto"), {"type": "function", "function": "f"}, "auto", [F, G]),
        (("none", "auto"), "none", "none", [F, G]),
        ((), F, F, [F, G]),
    ],
)
def test_a_choice_of_tools_that_a_chat_model_does_not_know(known: Any, choice: Any, sent: Any, tools: Any) -> None:
    body = {"messages": [HI], "tools": [F, G], "tool_choice": choice}
    adapted = ("tool_choice",) if sent != choice else ()
    wanted = body | {"tool_choice": sent, "tools": tools}
    assert fitted(CHAT, Facts(tool_choices=known), body) == (wanted, adapted)


@pytest.mark.parametrize("choice", ["required", F])
def test_a_forced_tool_turns_off_thinking_that_excludes_it(choice: Any) -> None:
    facts = Facts(forced_tool_beside_thinking=False)
    body = {"messages": [HI], "tools": [F, G], "tool_choice": choice}
    wanted = body | {"thinking": {"type": "disabled"}}
    assert fitted(CHAT, facts, body | {"reasoning_effort": "high"}) == (wanted, ("thinking",))
    assert fitted(CHAT, facts, wanted) == (wanted, ())
    assert fitted(CHAT, facts, body | {"tool_choice": "auto"}) == (body | {"tool_choice": "auto"}, ())


CLOSED = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (CLOSED, True),
        (CLOSED | {"required": []}, False),
        ({name: value for name, value in CLOSED.items() if name != "additionalProperties"}, False),
        (CLOSED | {"properties": {"a": {"type": "array", "items": {"type": "object"}}}}, False),
        (CLOSED | {"properties": {"a": {"anyOf": [CLOSED, {"type": ["object", "null"]}]}}}, False),
        (CLOSED | {"$defs": {"B": {"properties": {"b": {}}}}}, False),
        (CLOSED | {"$defs": {"B": CLOSED}}, True),
    ],
)
def test_only_a_complete_schema_is_called_strict_where_that_is_demanded(schema: dict[str, Any], strict: bool) -> None:
    facts = Facts(schema=SchemaFacts(strict_is_complete=True))
    tool = {"name": "f", "parameters": schema, "strict": True}
    wanted = {"name": "a", "schema": schema, "strict": True}
    chat: dict[str, Any] = {
        "tools": [{"type": "function", "function": tool}],
        "response_format": {"type": "json_schema", "json_schema": wanted},
    }
    found = fit(CHAT, chat, facts, translated=True)
    sent = found.applied_to(chat)
    held = (sent["tools"][0]["function"]["strict"], sent["response_format"]["json_schema"]["strict"])
    assert (*held, found.adaptations) == (strict, strict, () if strict else ("tools.strict", "response_format"))
    own: dict[str, Any] = {"tools": [{"type": "function"} | tool], "text": {"format": {"type": "json_schema"} | wanted}}
    sent = fit(RESPONSES, own, facts, translated=True).applied_to(own)
    assert (sent["tools"][0]["strict"], sent["text"]["format"]["strict"]) == (strict, strict)
    assert fit(CHAT, chat, facts).changes == {}, "a client's own claim passes"
