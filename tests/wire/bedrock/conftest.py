"""Bedrock as botocore's service model defines it: what it accepts, how it writes, and how it reads."""

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any

import botocore.session
import pytest
from botocore.eventstream import EventStreamBuffer
from botocore.parsers import EventStreamJSONParser, create_parser
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator

from ownkey.domain.formats import WireFormat
from ownkey.sandbox.formats.bedrock_converse import event, exception
from ownkey.wire import CHAT_FORMATS
from ownkey.wire.bedrock_converse import BEDROCK_CONVERSE
from ownkey.wire.format import Draft

CLAUDE = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
NEW_CLAUDE = "eu.anthropic.claude-opus-5-v1:0"
LLAMA = "meta.llama4-scout-17b-instruct-v1:0"
_BOTOCORE: Any = botocore.session.get_session()
SERVICE: Any = _BOTOCORE.get_service_model("bedrock-runtime")
"""botocore has no types of its own."""

Translate = Callable[..., tuple[dict[str, Any], Draft]]


def operation(name: str = "Converse") -> Any:
    return SERVICE.operation_model(name)


def checked(body: bytes, model: str, stream: bool = False) -> dict[str, Any]:
    """The body as JSON, once botocore accepts every field of it and would itself send the same to the same path."""
    sent: dict[str, Any] = json.loads(body)
    named = operation("ConverseStream" if stream else "Converse")
    parameters = with_bytes(sent) | {"modelId": model}
    report = ParamValidator().validate(parameters, named.input_shape)
    assert not report.has_errors(), report.generate_report()
    written: Any = create_serializer("rest-json").serialize_to_request(parameters, named)
    assert json.loads(written["body"]) == sent
    assert written["url_path"] == BEDROCK_CONVERSE.address("/model/{model}/converse", model, stream)
    assert written["method"] == "POST"
    return sent


def with_bytes(value: Any) -> Any:
    """Base64 as the bytes that botocore wants in its place, and unknown fields refused by never being touched."""
    if isinstance(value, list):
        return [with_bytes(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    return {
        name: base64.b64decode(inner, validate=True)
        if name in ("bytes", "redactedContent")
        else inner
        if name in ("input", "json", "additionalModelRequestFields")
        else with_bytes(inner)
        for name, inner in value.items()
    }


def _translator(source: WireFormat) -> Translate:
    def translate(body: dict[str, Any], model: str = CLAUDE, stream: bool = False) -> tuple[dict[str, Any], Draft]:
        written = BEDROCK_CONVERSE.write_request(CHAT_FORMATS[source].read_request(body), model, stream)
        return checked(written.encoded(), model, stream), written

    return translate


@pytest.fixture(scope="session")
def from_openai() -> Translate:
    return _translator(WireFormat.OPENAI_CHAT)


@pytest.fixture(scope="session")
def from_anthropic() -> Translate:
    return _translator(WireFormat.ANTHROPIC_MESSAGES)


def parsed_answer(body: dict[str, Any]) -> dict[str, Any]:
    """An answer as botocore reads it; every field in it must be one that the service model has."""
    response = {"status_code": 200, "headers": {}, "body": json.dumps(body).encode()}
    parsed = create_parser("rest-json").parse(response, operation().output_shape)
    parsed.pop("ResponseMetadata")
    return parsed


def parsed_stream(data: bytes) -> list[dict[str, Any]]:
    """A stream's events as botocore reads them."""
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    shape = operation("ConverseStream").output_shape.members["stream"]
    parser = EventStreamJSONParser()
    return [parser.parse(message.to_response_dict(), shape) for message in buffer]


def stream_of(*events: tuple[str, dict[str, Any]]) -> bytes:
    """Events, or exceptions where the name says so, as the service sends them."""
    return b"".join(
        (exception if name.endswith("Exception") else event)(name, json.dumps(body).encode()) for name, body in events
    )


def text_stream(*pieces: str, stop: str = "end_turn", usage: dict[str, int] | None = None) -> Iterable[tuple[str, Any]]:
    """The events of an answer of one text."""
    totals = usage or {"inputTokens": 3, "outputTokens": 5, "totalTokens": 8}
    return [
        ("messageStart", {"role": "assistant"}),
        *(("contentBlockDelta", {"delta": {"text": piece}, "contentBlockIndex": 0}) for piece in pieces),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": stop}),
        ("metadata", {"usage": totals, "metrics": {"latencyMs": 12}}),
    ]
