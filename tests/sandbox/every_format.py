"""One small question in every chat format, so that a behaviour is tried on each path."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from msgspec import Struct
from tests.sandbox.raw import RawAnswer, call


class Format(Struct, frozen=True):
    """`path` and `body` take (model, stream), and the body the words and the system's words as well."""

    name: str
    path: Callable[[str, bool], str]
    body: Callable[[str, bool, str, str | None], dict[str, Any]]
    headers: dict[str, str] = {}


def _messages(text: str, system: str | None) -> list[dict[str, Any]]:
    before = [] if system is None else [{"role": "system", "content": system}]
    return [*before, {"role": "user", "content": text}]


def _chat(model: str, stream: bool, text: str, system: str | None) -> dict[str, Any]:
    options = {"stream_options": {"include_usage": True}} if stream else {}
    return {"model": model, "stream": stream, "messages": _messages(text, system), **options}


def _plain(model: str, stream: bool, text: str, system: str | None) -> dict[str, Any]:
    return {"model": model, "stream": stream, "messages": _messages(text, system)}


def _responses(model: str, stream: bool, text: str, system: str | None) -> dict[str, Any]:
    return {"model": model, "stream": stream, "input": text, "instructions": system}


def _anthropic(model: str, stream: bool, text: str, system: str | None) -> dict[str, Any]:
    words = {} if system is None else {"system": system}
    return {"model": model, "stream": stream, "max_tokens": 1000, "messages": _messages(text, None), **words}


def _gemini(model: str, stream: bool, text: str, system: str | None) -> dict[str, Any]:
    words = {} if system is None else {"systemInstruction": {"parts": [{"text": system}]}}
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **words}


def _bedrock(model: str, stream: bool, text: str, system: str | None) -> dict[str, Any]:
    words = {} if system is None else {"system": [{"text": system}]}
    return {"messages": [{"role": "user", "content": [{"text": text}]}], **words}


def _gemini_path(model: str, stream: bool) -> str:
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return f"/gemini/v1beta/models/{quote(model, safe='')}:{verb}"


def _bedrock_path(model: str, stream: bool) -> str:
    return f"/bedrock/model/{quote(model, safe='')}/{'converse-stream' if stream else 'converse'}"


FORMATS = (
    Format("openai", lambda model, stream: "/openai/v1/chat/completions", _chat),
    Format("responses", lambda model, stream: "/openai/v1/responses", _responses),
    Format(
        "anthropic",
        lambda model, stream: "/anthropic/v1/messages",
        _anthropic,
        {"anthropic-version": "2023-06-01"},
    ),
    Format("gemini", _gemini_path, _gemini),
    Format("cohere", lambda model, stream: "/cohere/v2/chat", _plain),
    Format("ollama", lambda model, stream: "/ollama/api/chat", _plain),
    Format("bedrock", _bedrock_path, _bedrock),
)
NAMES = [wire.name for wire in FORMATS]


async def ask(
    url: str, wire: Format, model: str, text: str = "one two three", *, stream: bool = False, system: str | None = None
) -> RawAnswer:
    """The answer of `model` in that format."""
    return await call(
        url, wire.path(model, stream), wire.body(model, stream, text, system), method="POST", headers=wire.headers
    )
