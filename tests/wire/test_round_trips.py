"""A request written in the format it was read from means the same."""

import json
from pathlib import Path
from typing import Any

from ownkey.domain.formats import WireFormat
from ownkey.wire import CHAT_FORMATS

CHAT = CHAT_FORMATS[WireFormat.OPENAI_CHAT]
MESSAGES = CHAT_FORMATS[WireFormat.ANTHROPIC_MESSAGES]
RECORDINGS = Path(__file__).parent / "recordings"
CHAT_REQUEST: dict[str, Any] = json.loads((RECORDINGS / "openai_chat" / "request.json").read_text())
MESSAGES_REQUEST: dict[str, Any] = json.loads((RECORDINGS / "anthropic_messages" / "request.json").read_text())
GEMINI = CHAT_FORMATS[WireFormat.GEMINI]
GEMINI_REQUEST: dict[str, Any] = json.loads((RECORDINGS / "gemini" / "request.json").read_text())


def test_chat_keeps_its_meaning() -> None:
    written = CHAT.write_request(CHAT.read_request(CHAT_REQUEST), "m", False)
    assert json.loads(written.encoded()) == CHAT_REQUEST
    assert written.dropped == ()


def test_messages_keep_their_meaning() -> None:
    written = MESSAGES.write_request(MESSAGES.read_request(MESSAGES_REQUEST), "m", False)
    assert json.loads(written.encoded()) == MESSAGES_REQUEST
    assert written.dropped == ()


def test_gemini_keeps_its_meaning() -> None:
    written = GEMINI.write_request(GEMINI.read_request(GEMINI_REQUEST), "gemini-2.5-flash", False)
    assert json.loads(written.encoded()) == GEMINI_REQUEST
    assert written.dropped == ()


def test_a_detour_through_the_other_format_keeps_what_both_can_say() -> None:
    body: dict[str, Any] = {
        "model": "m",
        "messages": [message for message in CHAT_REQUEST["messages"] if message["role"] != "system"],
        "tools": [
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
        ],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "temperature": 0.5,
        "top_p": 0.5,
        "stop": ["a"],
        "max_tokens": 7,
        "user": "u",
        "reasoning_effort": "high",
    }
    body["messages"] = json.loads(json.dumps(body["messages"]))
    body["messages"][0].pop("name")
    body["messages"][0]["content"][1]["image_url"].pop("detail")
    body["messages"][1]["tool_calls"][1]["function"]["arguments"] = "{}"
    body["messages"][-1] = {"role": "assistant", "content": "Hm"}
    there = MESSAGES.write_request(CHAT.read_request(body), "m", False)
    back = json.loads(CHAT.write_request(MESSAGES.read_request(json.loads(there.encoded())), "m", False).encoded())
    back["messages"][1]["tool_calls"][0]["function"]["arguments"] = '{"x": 1.0}'
    assert back == body
    assert there.dropped == ()
