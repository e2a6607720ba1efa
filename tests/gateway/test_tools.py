"""Tools that a provider does not take as the client declares them, through the gateway: translated and passing."""

import json
from typing import Any

import pytest
from tests.gateway.conftest import Workshop
from tests.gateway.upstream import DONE, answer, chunk_event, stream
from tests.services.stack import User

LONG = "mcp__plugin_chrome-devtools-mcp_chrome-devtools__list_console_messages"
SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}}
SHELL = {"type": "function", "name": "shell", "parameters": SCHEMA}
PATCH = "*** Begin Patch\n+é\n*** End Patch"


def function(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA}}


def completion(name: str, arguments: str = "{}") -> bytes:
    call = {"id": "call_a", "type": "function", "function": {"name": name, "arguments": arguments}}
    message = {"role": "assistant", "content": f'I call "{name}"', "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return answer(200, {"id": "c", "object": "chat.completion", "choices": [choice], "usage": usage})


def sent(workshop: Workshop, key: str) -> Any:
    return workshop.upstream.seen(key)[-1].json()


@pytest.fixture
def openai(workshop: Workshop, user: User, new_key: str) -> str:
    user.add_key("openai", new_key, base_url=workshop.upstream.url + "/v1")
    return new_key


def name_sent(workshop: Workshop, key: str) -> str:
    return sent(workshop, key)["tools"][0]["function"]["name"]


def probe(workshop: Workshop, user: User, key: str, path: str, body: dict[str, Any]) -> str:
    """The name under which a tool is sent: the same in every request."""
    workshop.upstream.script(key, completion("nothing"))
    assert user.gateway.post(path, json=body).status_code == 200
    return name_sent(workshop, key)


def test_a_long_name_of_a_claude_client_reaches_openai_shortened(workshop: Workshop, user: User, openai: str) -> None:
    body: dict[str, Any] = {
        "model": "openai/gpt-4o",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": "Which shelf holds the blue ledger?"}],
        "tools": [{"name": LONG, "input_schema": SCHEMA}],
    }
    short = probe(workshop, user, openai, "/v1/messages", body)
    assert len(short) == 64
    workshop.upstream.script(openai, completion(short))
    told = user.gateway.post("/v1/messages", json=body)
    assert [block.get("name") for block in told.json()["content"]] == [None, LONG]
    assert "tools.name" in user.receipt(told)["adaptations"]


def test_a_long_name_that_passes_is_shortened_in_every_place_and_comes_back(
    workshop: Workshop, user: User, openai: str
) -> None:
    call = {"id": "c0", "type": "function", "function": {"name": LONG, "arguments": "{}"}}
    body: dict[str, Any] = {
        "model": "openai/gpt-4o",
        "messages": [
            {"role": "user", "content": f"Use {LONG}"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c0", "content": "4"},
        ],
        "tools": [function(LONG), function("shell")],
        "tool_choice": {"type": "function", "function": {"name": LONG}},
        "unknown_field": {"kept": [1.50, None]},
    }
    short = probe(workshop, user, openai, "/v1/chat/completions", body)
    arrived = sent(workshop, openai)
    assert len(short) == 64
    assert arrived["messages"][1]["tool_calls"][0]["function"]["name"] == short
    assert arrived["tool_choice"]["function"]["name"] == short
    assert arrived["tools"][1] == function("shell")
    assert arrived["messages"][0] == body["messages"][0], "what a person wrote stays"
    assert arrived["unknown_field"] == body["unknown_field"]
    workshop.upstream.script(openai, completion(short))
    told = user.gateway.post("/v1/chat/completions", json=body)
    message = told.json()["choices"][0]["message"]
    assert message["tool_calls"][0]["function"]["name"] == LONG
    assert message["content"] == f'I call "{short}"', "only whole values are names"
    assert "tools.name" in user.receipt(told)["adaptations"]
    started = {"index": 0, "id": "c1", "type": "function", "function": {"name": short, "arguments": ""}}
    event = chunk_event("", choices=[{"index": 0, "delta": {"tool_calls": [started]}, "finish_reason": None}])
    cut = event.index(short.encode()) + 20
    workshop.upstream.script(openai, stream([event[:cut], event[cut:], chunk_event("bye"), DONE]))
    streamed = user.gateway.post("/v1/chat/completions", json=body | {"stream": True})
    assert f'"name":"{LONG}"' in streamed.text
    assert short not in streamed.text
    assert streamed.text.endswith("data: [DONE]\n\n")


def test_names_that_fit_pass_byte_for_byte(workshop: Workshop, user: User, openai: str) -> None:
    workshop.upstream.script(openai, completion("shell"))
    body = (
        b'{"model":"gpt-4o",  "messages":[{"role":"user","content":"hi"}], "tools":[%b]}'
        % json.dumps(function("shell")).encode()
    )
    told = user.gateway.post("/v1/chat/completions", content=body, headers={"content-type": "application/json"})
    assert workshop.upstream.seen(openai)[-1].body == body
    assert told.json()["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "shell"


CUSTOM = {
    "type": "custom",
    "name": "apply_patch",
    "description": "Edits files",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: /.+/s"},
}
CODEX = [CUSTOM, SHELL, {"type": "web_search"}, {"type": "namespace", "name": "agents", "tools": [SHELL]}]


@pytest.mark.parametrize("provider", ["deepseek", "vllm"])
def test_what_codex_declares_reaches_a_provider_that_knows_functions_alone(
    workshop: Workshop, user: User, new_key: str, provider: str
) -> None:
    user.add_key(provider, new_key, base_url=workshop.upstream.url + "/v1")
    arguments = json.dumps({"input": PATCH})
    if provider == "deepseek":
        workshop.upstream.script(new_key, completion("apply_patch", arguments))
    else:
        call = {"type": "function_call", "id": "f", "call_id": "call_a", "name": "apply_patch", "arguments": arguments}
        response = {"id": "resp_x", "object": "response", "status": "completed", "output": [call]}
        workshop.upstream.script(new_key, answer(200, response))
    body = {"model": f"{provider}/m", "input": "edit", "tools": CODEX, "tool_choice": "auto"}
    first = user.gateway.post("/v1/responses", json=body)
    assert first.status_code == 200
    arrived = sent(workshop, new_key)
    assert {tool["type"] for tool in arrived["tools"]} == {"function"}
    functions = [tool.get("function", tool) for tool in arrived["tools"]]
    assert [each["name"] for each in functions] == ["apply_patch", "shell", "agents__shell"]
    assert list(functions[0]["parameters"]["properties"]) == ["input"]
    item = first.json()["output"][-1]
    assert (item["type"], item["name"], item["input"]) == ("custom_tool_call", "apply_patch", PATCH)
    assert {"tools.custom", "tools.namespace", "tools.web_search"} <= set(user.receipt(first)["adaptations"])
    result = {"type": "custom_tool_call_output", "call_id": item["call_id"], "output": "Done"}
    follow_up = body | {"input": [result], "previous_response_id": first.json()["id"]}
    second = user.gateway.post("/v1/responses", json=follow_up)
    assert second.status_code == 200
    assert "Done" in json.dumps(sent(workshop, new_key))
    called = json.dumps({"input": PATCH}, ensure_ascii=False, separators=(",", ":"))
    assert called in texts_in(sent(workshop, new_key)), "the call goes back as the function's"


def texts_in(value: Any) -> list[str]:
    """Every text within a decoded body."""
    if isinstance(value, dict):
        return texts_in(list(value.values()))
    return [text for each in value for text in texts_in(each)] if isinstance(value, list) else [str(value)]


def test_a_strict_client_is_told_instead(workshop: Workshop, user: User, new_key: str) -> None:
    user.add_key("deepseek", new_key, base_url=workshop.upstream.url + "/v1")
    body = {"model": "deepseek/m", "input": "hi", "tools": [SHELL, {"type": "web_search"}]}
    refused = user.gateway.post("/v1/responses", json=body, headers={"x-ownkey-strict": "true"})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "tools.web_search")
    assert not workshop.upstream.seen(new_key)


def test_openai_gets_codexs_tools_as_they_are(workshop: Workshop, user: User, openai: str) -> None:
    workshop.upstream.script(openai, answer(200, {"id": "resp_1", "object": "response", "output": []}))
    body = {"model": "openai/gpt-5", "input": "edit", "tools": CODEX, "store": False}
    assert user.gateway.post("/v1/responses", json=body).status_code == 200
    assert sent(workshop, openai)["tools"] == CODEX


def test_allowed_tools_pass_where_they_are_known_and_narrow_the_list_elsewhere(
    workshop: Workshop, user: User, openai: str, new_key: str
) -> None:
    allowed = {"mode": "auto", "tools": [{"type": "function", "function": {"name": "b"}}]}
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [function("a"), function("b")],
        "tool_choice": {"type": "allowed_tools", "allowed_tools": allowed},
    }
    workshop.upstream.script(openai, completion("b"))
    user.gateway.post("/v1/chat/completions", json=body | {"model": "openai/gpt-4o"})
    assert sent(workshop, openai)["tool_choice"] == body["tool_choice"]
    other = new_key + "-groq"
    workshop.upstream.script(other, completion("b"))
    user.add_key("groq", other, base_url=workshop.upstream.url + "/v1")
    told = user.gateway.post("/v1/chat/completions", json=body | {"model": "groq/m"})
    assert told.json()["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "b"
    assert sent(workshop, other)["tools"] == [function("b")]
    assert sent(workshop, other)["tool_choice"] == "auto"


def test_a_schema_reaches_a_provider_that_knows_objects_alone(workshop: Workshop, user: User, new_key: str) -> None:
    workshop.upstream.script(new_key, completion("none"))
    user.add_key("deepseek", new_key, base_url=workshop.upstream.url + "/v1")
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}
    body = {"model": "deepseek/m", "messages": [{"role": "user", "content": "hi"}], "response_format": form}
    told = user.gateway.post("/v1/chat/completions", json=body)
    arrived = sent(workshop, new_key)
    assert arrived["response_format"] == {"type": "json_object"}
    assert "title" in arrived["messages"][0]["content"]
    assert "response_format" in user.receipt(told)["adaptations"]


BOX: dict[str, Any] = {
    "type": "object",
    "$defs": {"Box": {"type": "object", "properties": {"w": {"type": "integer"}}}},
    "properties": {"box": {"$ref": "#/$defs/Box", "description": "The box to open", "default": None}},
}


@pytest.mark.parametrize("client", ["gemini", "anthropic"])
def test_nothing_stands_beside_a_reference_for_gemini(
    workshop: Workshop, user: User, new_key: str, client: str
) -> None:
    done = {"candidates": [{"content": {"parts": [{"text": "{}"}], "role": "model"}, "finishReason": "STOP"}]}
    workshop.upstream.script(new_key, answer(200, done))
    user.add_key("gemini", new_key, base_url=workshop.upstream.url + "/v1beta")
    if client == "gemini":
        path = "/v1beta/models/gemini/gemini-2.5-flash:generateContent"
        body: dict[str, Any] = {
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
            "tools": [{"functionDeclarations": [{"name": "open_box", "parametersJsonSchema": BOX}]}],
            "generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": BOX},
        }
    else:
        path = "/v1/messages"
        body = {
            "model": "gemini/gemini-2.5-flash",
            "max_tokens": 9,
            "messages": [{"role": "user", "content": "hi"}],
            "tools": [{"name": "open_box", "input_schema": BOX}],
            "output_config": {"format": {"type": "json_schema", "schema": BOX}},
        }
    told = user.gateway.post(path, json=body)
    assert told.status_code == 200
    arrived = sent(workshop, new_key)
    bare = BOX | {"properties": {"box": {"$ref": "#/$defs/Box"}}}
    assert arrived["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"] == bare
    assert arrived["generationConfig"]["responseJsonSchema"] == bare
    assert user.receipt(told)["adaptations"]


@pytest.mark.parametrize("client", ["openai", "anthropic"])
def test_the_root_of_a_tools_schema_is_an_object_for_anthropic(
    workshop: Workshop, user: User, new_key: str, client: str
) -> None:
    done = {"id": "m", "type": "message", "role": "assistant", "content": [], "stop_reason": "end_turn", "usage": {}}
    workshop.upstream.script(new_key, answer(200, done))
    user.add_key("anthropic", new_key, base_url=workshop.upstream.url)
    either = SCHEMA | {"anyOf": [{"required": ["title"]}, {"required": ["file"]}]}
    union = {"anyOf": [SCHEMA]}
    body: dict[str, Any] = {
        "model": "anthropic/claude-sonnet-4-5",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "hi"}],
    }
    if client == "openai":
        path = "/v1/chat/completions"
        body["tools"] = [
            {"type": "function", "function": {"name": name, "parameters": schema}}
            for name, schema in (("impact", either), ("union", union))
        ]
    else:
        path = "/v1/messages"
        body["tools"] = [{"name": "impact", "input_schema": either}, {"name": "union", "input_schema": union}]
    assert user.gateway.post(path, json=body).status_code == 200
    assert [tool["input_schema"] for tool in sent(workshop, new_key)["tools"]] == [SCHEMA, SCHEMA]


def test_a_jpg_reaches_anthropic_as_a_jpeg(workshop: Workshop, user: User, new_key: str) -> None:
    done = {"id": "m", "type": "message", "role": "assistant", "content": [], "stop_reason": "end_turn", "usage": {}}
    workshop.upstream.script(new_key, answer(200, done))
    user.add_key("anthropic", new_key, base_url=workshop.upstream.url)
    image = {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,/9j/4AAQ"}}
    body = {"model": "anthropic/claude-sonnet-4-5", "messages": [{"role": "user", "content": [image]}]}
    assert user.gateway.post("/v1/chat/completions", json=body).status_code == 200
    source = sent(workshop, new_key)["messages"][0]["content"][0]["source"]
    assert source == {"type": "base64", "media_type": "image/jpeg", "data": "/9j/4AAQ"}


def test_a_signature_of_gemini_3_goes_back_by_previous_response_id(
    workshop: Workshop, user: User, new_key: str
) -> None:
    part = {"functionCall": {"name": "find_shelf", "args": {"title": "blue"}}, "thoughtSignature": "U0lHMQ=="}
    first = {"candidates": [{"content": {"parts": [part], "role": "model"}, "finishReason": "STOP"}], "responseId": "r"}
    done = {"candidates": [{"content": {"parts": [{"text": "ok"}], "role": "model"}, "finishReason": "STOP"}]}
    workshop.upstream.script(new_key, answer(200, first), answer(200, done))
    user.add_key("gemini", new_key, base_url=workshop.upstream.url + "/v1beta")
    body = {"model": "gemini/gemini-3-pro-preview", "tools": [SHELL | {"name": "find_shelf"}]}
    made = user.gateway.post("/v1/responses", json=body | {"input": "x"}).json()
    call = next(item for item in made["output"] if item["type"] == "function_call")
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "4"}
    follow_up = body | {"input": [result], "previous_response_id": made["id"]}
    assert user.gateway.post("/v1/responses", json=follow_up).status_code == 200
    [returned] = sent(workshop, new_key)["contents"][1]["parts"]
    assert returned["thoughtSignature"] == "U0lHMQ=="


def test_what_codex_asks_beside_responses(workshop: Workshop, user: User, new_key: str) -> None:
    user.add_key("openai", new_key, base_url=workshop.upstream.url + "/v1")
    compact = user.gateway.post("/v1/responses/compact", json={"model": "openai/gpt-5", "input": "hi"})
    assert (compact.status_code, compact.json()["error"]["type"]) == (404, "invalid_request_error")
    assert "not offered" in compact.json()["error"]["message"]
    body = {"model": "openai/gpt-5", "input": "Which shelf holds the blue ledger?", "tools": CODEX}
    counted = user.gateway.post("/v1/responses/input_tokens", json=body)
    assert counted.json()["object"] == "response.input_tokens"
    assert 10 < counted.json()["input_tokens"] < 200
    assert counted.headers["x-ownkey-estimated"] == "true"
    assert not workshop.upstream.seen(new_key)
