"""Recorded streams, one folder for each format, and translations checked against the SDKs' own types."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter

from ownkey.domain.formats import WireFormat
from ownkey.wire import CHAT_FORMATS
from ownkey.wire.format import Draft

CHAT = CHAT_FORMATS[WireFormat.OPENAI_CHAT]
MESSAGES = CHAT_FORMATS[WireFormat.ANTHROPIC_MESSAGES]
RECORDINGS = sorted(
    path for path in (Path(__file__).parent / "recordings").glob("*/*.sse") if path.parent.name in CHAT_FORMATS
)
"""Those of formats that clients speak; what only providers speak has tests of its own."""
UNTYPED = {"stream", "temperature", "top_p", "top_k"}
"""Fields of both formats that this version of Anthropic's SDK, or its type for whole answers, leaves out."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `recording` once for every recorded stream."""
    if "recording" in metafunc.fixturenames:
        names = [f"{path.parent.name}/{path.stem}" for path in RECORDINGS]
        metafunc.parametrize("recording", RECORDINGS, ids=names)


@pytest.fixture(scope="session")
def to_anthropic() -> Callable[..., tuple[Any, Draft]]:
    adapter: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsNonStreaming)

    def translate(body: dict[str, Any], model: str = "claude-opus-5", stream: bool = False) -> tuple[Any, Draft]:
        written = MESSAGES.write_request(CHAT.read_request(body), model, stream)
        return checked(adapter, written.encoded()), written

    return translate


@pytest.fixture(scope="session")
def to_openai() -> Callable[..., tuple[Any, Draft]]:
    adapter: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsNonStreaming)

    def translate(body: dict[str, Any], stream: bool = False) -> tuple[Any, Draft]:
        written = CHAT.write_request(MESSAGES.read_request(body), "gpt", stream)
        return checked(adapter, written.encoded()), written

    return translate


def checked(adapter: TypeAdapter[Any], body: bytes) -> dict[str, Any]:
    """The body, once the SDK's types know every field of it; what they do not know, their copy leaves out."""
    sent: dict[str, Any] = json.loads(body)
    typed = {name: value for name, value in sent.items() if name not in UNTYPED}
    assert whole(adapter.validate_python(typed)) == typed
    return sent


def whole(value: Any) -> Any:
    """The SDKs' types hold iterables, which are validated only as they are read."""
    if isinstance(value, dict):
        return {name: whole(inner) for name, inner in value.items()}
    if hasattr(value, "__iter__") and not isinstance(value, str):
        return [whole(inner) for inner in value]
    return value
