"""What a provider's error body says, in whichever shape it says it.

Shapes seen: OpenAI's `{"error":{message,type,code}}`, Anthropic's `{"type":"error","error":{…}}`, Google's
`{"error":{code,status,details}}` also inside an array, `{"error":"text","code":"text"}` (xAI, Hugging Face),
`{"message","code"}` (Mistral, Cohere), `{"message"}` or `{"Message"}` with the kind in `__type` or in the header
x-amzn-errortype (AWS), `{"detail"}` (Mistral, FastAPI servers), `{"errors":[…]}`.
"""

from collections.abc import Iterable, Iterator
from typing import Any, cast
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from ownkey.providers.waits import duration

_TYPE_HEADER = b"x-amzn-errortype"
_LARGEST = 256 * 1024
_LONGEST_TEXT = 2000
_DEEPEST = 4


class Problem(Struct, frozen=True):
    """An error body understood. `words` are its machine-readable codes, lower case; `retry_delay` is in seconds."""

    message: str = ""
    words: frozenset[str] = frozenset()
    retry_delay: float | None = None
    reset_header: str | None = None
    is_json: bool = False


def read_problem(body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> Problem:
    """Read an error body. Text that is not JSON, and anything beyond 256 KiB, gives a problem without a message."""
    named = frozenset(
        word for name, value in headers if name == _TYPE_HEADER and (word := _plain(value.decode("latin-1")))
    )
    if len(body) > _LARGEST:
        return Problem(words=named)
    try:
        content: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Problem(words=named)
    if isinstance(content, list) and content:
        content = cast("list[Any]", content)[0]
    if not isinstance(content, dict):
        return Problem(words=named, is_json=True)
    levels = list(_levels(cast("dict[str, Any]", content)))
    messages = [text for level in levels for text in _texts(level)]
    # xAI sends its message percent-encoded at times.
    message = unquote(messages[-1])[:_LONGEST_TEXT] if messages else ""
    return Problem(
        message=message,
        words=named | {word for level in levels for word in _words(level)},
        retry_delay=_retry_delay(levels),
        reset_header=_reset_header(levels),
        is_json=True,
    )


def _levels(content: dict[str, Any], depth: int = 1) -> Iterator[dict[str, Any]]:
    """The body and the objects inside it that describe the error, outermost first."""
    yield content
    if depth == _DEEPEST:
        return
    for name in ("error", "errors", "details", "metadata", "detail"):
        inner = content.get(name)
        for each in cast("list[Any]", inner) if isinstance(inner, list) else [inner]:
            if isinstance(each, dict):
                yield from _levels(cast("dict[str, Any]", each), depth + 1)


def _texts(level: dict[str, Any]) -> Iterator[str]:
    for name in ("detail", "error", "Message", "message"):
        text = level.get(name)
        if isinstance(text, str) and text and "@type" not in level:
            yield text


def _words(level: dict[str, Any]) -> Iterator[str]:
    for name in ("type", "code", "status", "reason", "error_code", "limit_source", "error_type", "__type"):
        word = level.get(name)
        if isinstance(word, str) and word:
            yield _plain(word) if name == "__type" else word.lower()


def _plain(kind: str) -> str:
    """AWS's `com.amazon.coral.service#ThrottlingException:http://…` without the text around the name."""
    return kind.partition(":")[0].rpartition("#")[2].strip().lower()


def _retry_delay(levels: list[dict[str, Any]]) -> float | None:
    """Google's RetryInfo: `"retryDelay": "34.07s"`."""
    for level in levels:
        delay = level.get("retryDelay")
        if isinstance(delay, str):
            return duration(delay)
    return None


def _reset_header(levels: list[dict[str, Any]]) -> str | None:
    """OpenRouter repeats the rate limit's headers inside the error's metadata."""
    for level in levels:
        headers = level.get("headers")
        if isinstance(headers, dict):
            value = cast("dict[str, Any]", headers).get("X-RateLimit-Reset")
            if isinstance(value, str):
                return value
    return None
