"""What every client format can be asked for and what its answer says, in one set of words."""

from dataclasses import dataclass
from typing import Any, Protocol

Json = dict[str, Any]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A picture of one pixel, base64."""

TOOL_SCHEMA: Json = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@dataclass(frozen=True, kw_only=True)
class Question:
    """One request. `choice` is auto, none, any or a tool's name; `history` holds what user and model said before."""

    prompt: str = "one two three four"
    system: str | None = None
    history: tuple[tuple[str, str], ...] = ()
    image: bool = False
    tools: tuple[str, ...] = ()
    choice: str | None = None
    parallel: bool = True
    schema: Json | None = None
    any_json: bool = False
    think: bool = False
    stop: tuple[str, ...] = ()
    max_tokens: int = 4000
    top_k: int | None = None
    choices: int | None = None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One answer. `stop` is end, length, tool, refusal or stop_sequence; `pieces` counts a stream's text deltas.

    `error` is the message of an error, in the stream or instead of an answer.
    """

    text: str = ""
    calls: tuple[tuple[str, Json], ...] = ()
    stop: str | None = None
    input: int | None = None
    output: int | None = None
    cached: int | None = None
    reasoning: str = ""
    signed: bool = False
    pieces: int = 0
    error: str | None = None


class Speaker(Protocol):
    """How one format is spoken by a client, without any SDK."""

    format: str

    def path(self, model: str, stream: bool) -> str: ...

    def body(self, question: Question, model: str, stream: bool) -> Json: ...

    def whole(self, answer: Json) -> Seen: ...

    def streamed(self, events: list[Json]) -> Seen: ...

    def error(self, answer: Json) -> str:
        """The message of an error answer; a KeyError when it has not the format's shape."""
        ...

    def go_on(self, body: Json, answer: Json, results: list[str], prompt: str | None) -> Json:
        """The next request: `answer` sent back as it came, then a result for each of its calls, or a new prompt."""
        ...
