"""Images and documents under names that clients write and vendors refuse, in messages and in results of tools."""

import json
from typing import Any

import pytest
from tests.wire.tools.values import ANTHROPIC, CHAT, GEMINI, RESPONSES, every_pair, request, translated

from ownkey.domain.formats import WireFormat

JPEG = "/9j/4AAQ"


def image(client: WireFormat, kind: str) -> dict[str, Any]:
    match client:
        case WireFormat.OPENAI_CHAT:
            return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{JPEG}"}}
        case WireFormat.OPENAI_RESPONSES:
            return {"type": "input_image", "image_url": f"data:{kind};base64,{JPEG}"}
        case WireFormat.ANTHROPIC_MESSAGES:
            return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": JPEG}}
        case _:
            return {"inlineData": {"mimeType": kind, "data": JPEG}}


def in_message(client: WireFormat, part: dict[str, Any]) -> dict[str, Any]:
    body = request(client)
    if client is GEMINI:
        return body | {"contents": [{"role": "user", "parts": [part, {"text": "?"}]}]}
    return body | {"input" if client is RESPONSES else "messages": [{"role": "user", "content": [part]}]}


def in_result(client: WireFormat, part: dict[str, Any]) -> dict[str, Any]:
    body = request(client, "f", history=True)
    if client is CHAT:
        body["messages"][2]["content"] = [part]
    elif client is RESPONSES:
        body["input"][2]["output"] = [part]
    elif client is ANTHROPIC:
        body["messages"][2]["content"][0]["content"] = [part]
    else:
        body["contents"][2]["parts"][0]["functionResponse"]["parts"] = [part]
    return body


@every_pair
@pytest.mark.parametrize("kind", ["image/jpg", "IMAGE/JPG", "image/pjpeg"])
@pytest.mark.parametrize("place", [in_message, in_result])
def test_a_jpeg_of_another_name_is_a_jpeg(client: WireFormat, target: WireFormat, kind: str, place: Any) -> None:
    body, written = translated(client, target, place(client, image(client, kind)))
    sent = written.body.decode()
    assert JPEG in sent.replace("\\/", "/")
    assert kind not in sent
    if target is WireFormat.BEDROCK_CONVERSE:
        assert '"format":"jpeg"' in sent
    elif target is not WireFormat.OLLAMA_CHAT:
        assert "image/jpeg" in sent
    assert body


PDF = "JVBERi0xLjQK"


@every_pair
def test_a_document_in_a_result_arrives(client: WireFormat, target: WireFormat) -> None:
    if client is ANTHROPIC:
        part = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}}
    elif client is RESPONSES:
        part = {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}
    elif client is GEMINI:
        part = {"inlineData": {"mimeType": "application/pdf", "data": PDF}}
    else:
        part = {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}}
    if target in (WireFormat.COHERE_CHAT, WireFormat.OLLAMA_CHAT):
        return  # They read no documents anywhere.
    sent, _ = translated(client, target, in_result(client, part))
    assert PDF in json.dumps(sent)
