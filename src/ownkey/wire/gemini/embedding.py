"""What Gemini's two embedding methods share: one content to embed, and its vector."""

from collections.abc import Collection
from typing import Any

from msgspec import Struct

from ownkey.domain.errors import InvalidRequest
from ownkey.wire.embeddings import EmbeddingAsk
from ownkey.wire.errors import MalformedAnswer
from ownkey.wire.fields import TokenLimit, unsupported
from ownkey.wire.gemini.errors import of_value
from ownkey.wire.gemini.request_shapes import Content
from ownkey.wire.gemini.usage import UsageShape


class EmbedRequest(Struct, rename="camel"):
    """`task_type` and `title` tune the vector for its use."""

    content: Content
    model: str | None = None
    task_type: str | None = None
    title: str | None = None
    output_dimensionality: TokenLimit | None = None


class Vector(Struct):
    values: list[float]


class EmbedAnswer(Struct, rename="camel"):
    embedding: Vector | None = None
    embeddings: list[Vector] | None = None
    usage_metadata: UsageShape | None = None
    error: Any = None


def defaults(
    parsed: dict[str, Any], temperature: float | None, max_tokens: int | None, quirks: Collection[str] = ()
) -> dict[str, Any]:
    """Nothing: the preferences speak of sampling and answers, which embeddings have not."""
    del parsed, temperature, max_tokens, quirks
    return {}


def text_of(content: Content, where: str) -> str:
    """The parts of one content make one vector. Raises UnsupportedField where they are more than text."""
    texts: list[str] = []
    for index, part in enumerate(content.parts or ()):
        if part.text is None:
            raise unsupported(f"{where}.parts[{index}]", "must hold text.")
        texts.append(part.text)
    if not texts:
        raise InvalidRequest(f"{where}.parts is missing.", param=f"{where}.parts")
    return "\n".join(texts)


def hints_of(asked: EmbedRequest) -> tuple[str, ...]:
    named = {"taskType": asked.task_type, "title": asked.title}
    return tuple(name for name, value in named.items() if value is not None)


def written_request(ask: EmbeddingAsk, text: str) -> dict[str, Any]:
    body: dict[str, Any] = {"content": {"parts": [{"text": text}]}}
    if ask.dimensions is not None:
        body["outputDimensionality"] = ask.dimensions
    return body


def check(answer: EmbedAnswer) -> None:
    """Raise MalformedAnswer where the answer is an error."""
    if answer.error is not None:
        error = of_value(200, {"error": answer.error})
        raise MalformedAnswer("an error in an answer with status 200", error)
