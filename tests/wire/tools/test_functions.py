"""Tools that a provider does not know as the client declares them: every client's format towards every provider's."""

import json
from typing import Any

import pytest
from tests.wire.tools.values import (
    ANTHROPIC,
    CHAT,
    GEMINI,
    LABEL,
    RESPONSES,
    SCHEMA,
    TARGETS,
    answer,
    called,
    calls_in,
    every_pair,
    request,
    streamed,
    tools_in,
    translated,
)

from ownkey.domain.errors import UnsupportedField
from ownkey.domain.formats import WireFormat
from ownkey.wire import events
from ownkey.wire.neutral import Stop, StopReason
from ownkey.wire.translation import translate_answer

LONG = "mcp__plugin_chrome-devtools-mcp_chrome-devtools__" + "list_console_messages_and_requests_" * 3
HOSTED: dict[WireFormat, list[tuple[dict[str, Any], str]]] = {
    CHAT: [],
    RESPONSES: [
        ({"type": kind}, f"tools.{kind}")
        for kind in (
            "web_search",
            "web_search_preview_2025_03_11",
            "file_search",
            "code_interpreter",
            "image_generation",
            "computer_use_preview",
            "mcp",
            "local_shell",
            "shell",
            "apply_patch",
            "tool_search",
            "of_next_year",
        )
    ],
    ANTHROPIC: [
        ({"type": kind, "name": name}, f"tools.{kind}")
        for kind, name in (
            ("web_search_20250305", "web_search"),
            ("web_fetch_20250910", "web_fetch"),
            ("code_execution_20250825", "code_execution"),
            ("computer_20250124", "computer"),
            ("bash_20250124", "bash"),
            ("text_editor_20250728", "str_replace_based_edit_tool"),
            ("memory_20250818", "memory"),
        )
    ]
    + [({"type": "mcp_toolset", "mcp_server_name": "s"}, "tools.mcp_toolset")],
    GEMINI: [
        ({kind: {}}, f"tools.{kind}")
        for kind in ("googleSearch", "codeExecution", "urlContext", "googleMaps", "fileSearch", "computerUse")
    ],
}


@every_pair
def test_a_name_that_the_provider_refuses_is_shortened_everywhere_and_comes_back(
    client: WireFormat, target: WireFormat
) -> None:
    sent, written = translated(client, target, request(client, LONG, "shell", history=True))
    [short] = [name for name in tools_in(target, sent) if name != "shell"]
    assert len(short) <= (128 if target is ANTHROPIC else 64)
    named = "tools.functionDeclarations.name" if client is GEMINI else "tools.name"
    assert (named in written.adaptations) is (short != LONG) is (LONG not in written.body.decode())
    assert written.body.decode().count(short) >= 2, "the call in the history bears the name, too"
    assert called(client, target, written, (short, {"q": "1"}), ("shell", {})) == [(LONG, {"q": "1"}), ("shell", {})]
    again, _ = translated(client, target, request(client, "shell", LONG))
    assert short in tools_in(target, again), "the next turn sends the same name"


@every_pair
def test_a_forced_tool_is_forced_under_the_name_that_is_sent(client: WireFormat, target: WireFormat) -> None:
    if target in (WireFormat.COHERE_CHAT, WireFormat.OLLAMA_CHAT):
        return  # They take no name in a choice.
    name = "x" * 129
    forced: dict[WireFormat, dict[str, Any]] = {
        CHAT: {"tool_choice": {"type": "function", "function": {"name": name}}},
        RESPONSES: {"tool_choice": {"type": "function", "name": name}},
        ANTHROPIC: {"tool_choice": {"type": "tool", "name": name}},
        GEMINI: {"toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [name]}}},
    }
    sent, _ = translated(client, target, request(client, "shell", name, **forced[client]))
    [short] = [each for each in tools_in(target, sent) if each != "shell"]
    assert short in json.dumps(sent.get("tool_choice") or sent.get("toolConfig", {}) | {"tools": None})


@pytest.mark.parametrize("name", ["files.read", "read file", "工具", "a/b:c"])
@every_pair
def test_characters_that_the_provider_refuses_come_back_too(client: WireFormat, target: WireFormat, name: str) -> None:
    sent, written = translated(client, target, request(client, name, name + "_", history=True))
    assert len(set(tools_in(target, sent))) == 2
    first = next(iter(tools_in(target, sent)))
    assert called(client, target, written, (first, {})) == [(name, {})]


@every_pair
def test_an_offered_tool_of_the_clients_vendor_is_left_out_and_named(client: WireFormat, target: WireFormat) -> None:
    for declared, field in HOSTED[client]:
        sent, written = translated(client, target, request(client, "shell", hosted=declared))
        assert tools_in(target, sent) == {"shell": SCHEMA}
        assert field in written.adaptations
        alone, written = translated(client, target, request(client, hosted=declared))
        assert not tools_in(target, alone)
        assert "tool_choice" not in alone
        assert field in written.adaptations


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("client", "more", "field"),
    [
        (RESPONSES, {"tool_choice": {"type": "web_search"}}, "tool_choice.type"),
        (RESPONSES, {"tool_choice": {"type": "mcp", "server_label": "s"}}, "tool_choice.type"),
        (RESPONSES, {"tools": [{"type": "web_search"}], "tool_choice": "required"}, "tool_choice"),
        (
            RESPONSES,
            {"tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]}},
            "tool_choice",
        ),
        (
            ANTHROPIC,
            {
                "tools": [{"type": "web_search_20250305", "name": "web_search"}],
                "tool_choice": {"type": "tool", "name": "web_search"},
            },
            "tool_choice.name",
        ),
        (
            ANTHROPIC,
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}], "tool_choice": {"type": "any"}},
            "tool_choice",
        ),
    ],
)
def test_a_forced_tool_of_the_clients_vendor_is_refused(
    client: WireFormat, target: WireFormat, more: dict[str, Any], field: str
) -> None:
    if client is target:
        return
    with pytest.raises(UnsupportedField) as refused:
        translated(client, target, request(client, "shell", **more))
    assert refused.value.param == field
    assert field in refused.value.public


@every_pair
def test_what_hosted_tools_left_in_the_conversation_is_left_out(client: WireFormat, target: WireFormat) -> None:
    body = request(client, "shell", history=True)
    if client is RESPONSES:
        body["input"].insert(1, {"type": "web_search_call", "id": "ws", "action": {"type": "search", "query": "q"}})
        field = "input.web_search_call"
    elif client is ANTHROPIC:
        used = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
        body["messages"][1]["content"].insert(0, used)
        field = "messages.content.server_tool_use"
    elif client is GEMINI:
        body["contents"][1]["parts"].insert(0, {"executableCode": {"code": "print()", "language": "PYTHON"}})
        field = "contents.parts.executableCode"
    else:
        return
    before, _ = translated(client, target, request(client, "shell", history=True))
    sent, written = translated(client, target, body)
    assert (sent, field in written.adaptations) == (before, True)


PATCH = "*** Begin Patch\n+é\n*** End Patch"


def freeform(client: WireFormat) -> dict[str, Any]:
    """A request with a free-form tool that was called once, and a function."""
    body = request(client, "shell")
    grammar = {"syntax": "lark", "definition": "start: /.+/s"}
    if client is CHAT:
        custom = {"name": "apply_patch", "format": {"type": "grammar", "grammar": grammar}}
        call = {"id": "c1", "type": "custom", "custom": {"name": "apply_patch", "input": PATCH}}
        body["tools"].append({"type": "custom", "custom": custom})
        body["messages"] += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "Done"},
        ]
    else:
        body["tools"].append({"type": "custom", "name": "apply_patch", "format": {"type": "grammar", **grammar}})
        body["input"] += [
            {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": PATCH},
            {"type": "custom_tool_call_output", "call_id": "c1", "output": "Done"},
        ]
    return body


@every_pair
def test_a_free_form_tool_is_a_function_with_one_text_and_comes_back(client: WireFormat, target: WireFormat) -> None:
    if client not in (CHAT, RESPONSES):
        return
    sent, written = translated(client, target, freeform(client))
    schema = tools_in(target, sent)["apply_patch"]
    assert (list(schema["properties"]), schema["required"]) == (["input"], ["input"])
    assert schema["properties"]["input"]["type"] == "string"
    assert "start: /.+/s" in written.body.decode()
    assert "Done" in written.body.decode()
    assert "tools.custom" in written.adaptations
    told = json.loads(_told(client, target, written, {"input": PATCH}))
    if client is CHAT:
        [call] = told["choices"][0]["message"]["tool_calls"]
        assert call["type"] == "custom"
        assert call["custom"] == {"name": "apply_patch", "input": PATCH}
    else:
        [item] = told["output"]
        assert item["type"] == "custom_tool_call"
        assert (item["name"], item["input"], item["call_id"]) == ("apply_patch", PATCH, item["call_id"])
        assert "arguments" not in item


def _told(client: WireFormat, target: WireFormat, written: Any, arguments: dict[str, Any]) -> bytes:
    return translate_answer(target, client, answer(target, ("apply_patch", arguments)), LABEL, written.back.restoring)[
        0
    ]


def test_a_free_form_call_streams_its_raw_text() -> None:
    _, written = translated(RESPONSES, CHAT, freeform(RESPONSES))
    arguments = json.dumps({"input": PATCH})
    cuts = [arguments[start : start + 7] for start in range(0, len(arguments), 7)]
    data = streamed(
        RESPONSES,
        written,
        events.Started("a", "m"),
        events.ToolCallStarted(0, "c1", "apply_patch"),
        *(events.ToolCallDelta(0, cut) for cut in cuts),
        events.Stopped(Stop(StopReason.TOOL_USE)),
        events.Finished(),
    ).decode()
    told = [json.loads(line.removeprefix("data: ")) for line in data.splitlines() if line.startswith("data: ")]
    by_kind: dict[str, list[Any]] = {}
    for event in told:
        by_kind.setdefault(event["type"], []).append(event)
    assert "response.function_call_arguments.delta" not in by_kind
    assert len(by_kind["response.custom_tool_call_input.delta"]) > 3
    assert "".join(event["delta"] for event in by_kind["response.custom_tool_call_input.delta"]) == PATCH
    [done] = by_kind["response.custom_tool_call_input.done"]
    [item] = [event["item"] for event in by_kind["response.output_item.done"]]
    assert (done["input"], item["input"], item["type"], item["status"]) == (
        PATCH,
        PATCH,
        "custom_tool_call",
        "completed",
    )
    assert by_kind["response.completed"][0]["response"]["output"] == [item]


def test_text_in_another_form_than_asked_for_streams_at_the_end() -> None:
    _, written = translated(CHAT, ANTHROPIC, freeform(CHAT))
    data = streamed(
        CHAT,
        written,
        events.Started("a", "m"),
        events.ToolCallStarted(0, "c1", "apply_patch"),
        events.ToolCallDelta(0, "*** Begin"),
        events.Pinged(),
        events.ToolCallDelta(0, " Patch"),
        events.Stopped(Stop(StopReason.TOOL_USE)),
        events.Finished(),
    ).decode()
    assert '"custom":{"name":"apply_patch","input":""}' in data
    assert '"custom":{"input":"*** Begin Patch"}' in data
    assert "function" not in data


@every_pair
def test_tools_of_a_namespace_are_functions_with_its_name_and_come_back(client: WireFormat, target: WireFormat) -> None:
    if client is not RESPONSES:
        return
    inner = [{"type": "function", "name": "shell", "parameters": SCHEMA}, {"type": "custom", "name": "note"}]
    body = request(client, "shell", hosted={"type": "namespace", "name": "agents", "description": "d", "tools": inner})
    body["input"] += [
        {"type": "function_call", "call_id": "c1", "name": "shell", "namespace": "agents", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "42"},
    ]
    sent, written = translated(client, target, body)
    assert list(tools_in(target, sent)) == ["shell", "agents__shell", "agents__note"]
    assert written.body.decode().count("agents__shell") >= 2
    assert "tools.namespace" in written.adaptations
    made = answer(target, ("agents__shell", {"q": "1"}), ("agents__note", {"input": "n"}), ("shell", {}))
    told = json.loads(translate_answer(target, client, made, LABEL, written.back.restoring)[0])
    assert [(item["type"], item.get("namespace"), item["name"]) for item in told["output"]] == [
        ("function_call", "agents", "shell"),
        ("custom_tool_call", "agents", "note"),
        ("function_call", None, "shell"),
    ]
    assert told["output"][1]["input"] == "n"


def test_a_function_with_the_joined_name_of_another_keeps_its_own() -> None:
    inner = [{"type": "function", "name": "b"}]
    body = request(RESPONSES, "a__b", hosted={"type": "namespace", "name": "a", "tools": inner})
    sent, written = translated(RESPONSES, CHAT, body)
    own, joined = (tool["function"]["name"] for tool in sent["tools"])
    assert own == "a__b" != joined
    assert called(RESPONSES, CHAT, written, (own, {}), (joined, {})) == [("a__b", {}), ("b", {})]


@pytest.mark.parametrize("target", TARGETS)
def test_one_call_at_a_time_is_kept(target: WireFormat) -> None:
    client = RESPONSES if target is CHAT else CHAT
    sent, written = translated(client, target, request(client, "a", "b", parallel_tool_calls=False))
    knows = target in (CHAT, RESPONSES, ANTHROPIC)
    assert ("parallel_tool_calls" in written.adaptations) is not knows
    made = called(client, target, written, ("a", {}), ("b", {}))
    assert made == ([("a", {}), ("b", {})] if knows else [("a", {})])
    if knows:
        assert "parallel" in json.dumps(sent)


def test_further_calls_of_a_stream_are_held_back() -> None:
    _, written = translated(CHAT, GEMINI, request(CHAT, "a", "b", parallel_tool_calls=False))
    data = streamed(
        CHAT,
        written,
        events.Started("x", "m"),
        events.TextDelta(0, "I call"),
        events.ToolCallStarted(1, "c1", "a"),
        events.ToolCallStarted(2, "c2", "b"),
        events.ToolCallDelta(1, '{"q":1}'),
        events.ToolCallDelta(2, '{"q":2}'),
        events.Stopped(Stop(StopReason.TOOL_USE)),
        events.Finished(),
    ).decode()
    assert "c1" in data
    assert '{\\"q\\":1}' in data
    assert "c2" not in data
    assert '{\\"q\\":2}' not in data
    assert "I call" in data
    assert "[DONE]" in data


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("mode", ["auto", "required"])
def test_allowed_tools_narrow_the_list(target: WireFormat, mode: str) -> None:
    if target is WireFormat.OLLAMA_CHAT and mode == "required":
        return
    client = RESPONSES if target is CHAT else CHAT
    named = (
        {"type": "function", "name": "b"} if client is RESPONSES else {"type": "function", "function": {"name": "b"}}
    )
    allowed = {"mode": mode, "tools": [named]}
    choice = {"type": "allowed_tools"} | (allowed if client is RESPONSES else {"allowed_tools": allowed})
    sent, written = translated(client, target, request(client, "a", "b", "c", tool_choice=choice))
    assert list(tools_in(target, sent)) == ["b"]
    assert "allowed_tools" not in json.dumps(sent)
    assert "tool_choice.allowed_tools" in written.adaptations
    forced = json.dumps(sent.get("tool_choice") or sent.get("toolConfig") or "").lower()
    assert any(word in forced for word in ("required", "any")) is (mode == "required")


@pytest.mark.parametrize("target", TARGETS)
def test_two_thousand_tools_arrive(target: WireFormat) -> None:
    client = RESPONSES if target is CHAT else CHAT
    names = [f"{'n' * 130}{number}" for number in range(2000)]
    sent, written = translated(client, target, request(client, *names))
    assert len(tools_in(target, sent)) == 2000
    last = list(tools_in(target, sent))[-1]
    assert called(client, target, written, (last, {})) == [(names[-1], {})]


def test_a_call_of_a_tool_that_was_not_offered_keeps_its_name() -> None:
    _, written = translated(CHAT, GEMINI, request(CHAT, "x" * 70))
    assert called(CHAT, GEMINI, written, ("unheard_of", {})) == [("unheard_of", {})]
    assert calls_in(CHAT, {"choices": [{"message": {"tool_calls": []}}]}) == []
