"""OpenAI's legacy text completions. They pass, or are read as a chat of one turn where a provider only chats."""

from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta, Struct

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire.errors import WireError
from ownkey.wire.events import RefusalDelta, Stopped, TextDelta
from ownkey.wire.fields import MAX_TOKENS, Temperature, TokenLimit, Unit, leftovers, read_request, unsupported
from ownkey.wire.format import ClientChat, Outline
from ownkey.wire.neutral import Answer, AnswerLabel, Conversation, Refusal, Sampling, StopReason, Text, Turn
from ownkey.wire.openai_chat import ask_usage
from ownkey.wire.openai_chat.answers import DONE
from ownkey.wire.openai_chat.errors import ERRORS
from ownkey.wire.openai_chat.stream_reading import ChunkObserver
from ownkey.wire.openai_chat.stream_writing import error_chunk
from ownkey.wire.openai_chat.usage import from_usage, usage_of
from ownkey.wire.writing import StreamWriter

_ENCODE = msgspec.json.Encoder().encode
_ONLY_COMPLETIONS = "is part of text completions, and the chosen provider only chats."
_FINISH_REASONS = {
    StopReason.END: "stop",
    StopReason.MAX_TOKENS: "length",
    StopReason.STOP_SEQUENCE: "stop",
    StopReason.TOOL_USE: "stop",
    StopReason.REFUSAL: "content_filter",
    StopReason.PAUSE: "stop",
    StopReason.CONTEXT_WINDOW: "length",
}

_Penalty = Annotated[float, Meta(ge=-2, le=2)]


class _Shape(Struct):
    model: str
    stream: bool | None = None
    max_tokens: int | None = None


class _StreamOptions(Struct):
    include_usage: bool | None = None


class _Request(Struct):
    """openai.types.completion_create_params"""

    prompt: Any = None
    model: str = ""
    best_of: int | None = None
    echo: bool | None = None
    frequency_penalty: _Penalty | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: int | None = None
    max_tokens: TokenLimit | None = None
    n: int | None = None
    presence_penalty: _Penalty | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    suffix: str | None = None
    temperature: Temperature | None = None
    top_k: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    top_p: Unit | None = None
    user: str | None = None


_KNOWN = frozenset(_Request.__struct_fields__)


class OpenAICompletions(ClientChat):
    name = WireFormat.OPENAI_COMPLETIONS
    errors = ERRORS
    messages = "prompt"
    hottest = 2.0

    def outline(self, parsed: dict[str, Any]) -> Outline:
        """`max_tokens` may be 0 where a provider only echoes the prompt."""
        shape = read_request(parsed, _Shape)
        limit = shape.max_tokens
        return Outline(shape.model, bool(shape.stream), None if limit is None else min(max(limit, 0), MAX_TOKENS))

    def defaults(
        self,
        parsed: dict[str, Any],
        temperature: float | None,
        max_tokens: int | None,
    ) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if temperature is not None and parsed.get("temperature") is None:
            changes["temperature"] = temperature
        if max_tokens is not None and parsed.get("max_tokens") is None:
            changes["max_tokens"] = max_tokens
        return changes

    def ask_usage(self, parsed: dict[str, Any]) -> dict[str, Any]:
        return ask_usage(parsed)

    def usage_of(self, body: bytes) -> Usage | None:
        return usage_of(body)

    def observer(self, request_wants_usage: bool) -> ChunkObserver:
        return ChunkObserver(request_wants_usage)

    def read_request(self, body: dict[str, Any]) -> Conversation:
        """Raises UnsupportedField for what a chat cannot do: several prompts, tokens, text after the gap."""
        asked = read_request(body, _Request)
        required, hints = leftovers(body, _KNOWN, frozenset())
        _check(asked)
        return Conversation(
            origin=self.name,
            turns=(Turn("user", (Text(_prompt(asked.prompt)),)),),
            sampling=Sampling(
                temperature=asked.temperature,
                top_p=asked.top_p,
                top_k=asked.top_k,
                frequency_penalty=asked.frequency_penalty,
                presence_penalty=asked.presence_penalty,
                logit_bias=asked.logit_bias,
                seed=asked.seed,
            ),
            stop=(asked.stop,) if isinstance(asked.stop, str) else tuple(asked.stop or ()),
            max_tokens=asked.max_tokens,
            stream=bool(asked.stream),
            include_usage=bool(asked.stream_options and asked.stream_options.include_usage),
            user=asked.user,
            required=required,
            hints=hints,
        )

    def write_answer(self, answer: Answer, label: AnswerLabel) -> bytes:
        """Reasoning has no place in the format and is left out; a refusal's words are the text."""
        text = "".join(part.text for part in answer.parts if isinstance(part, Text | Refusal))
        choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": _FINISH_REASONS[answer.stop.reason]}
        completion: dict[str, Any] = {
            "id": label.id,
            "object": "text_completion",
            "created": label.created,
            "model": label.model,
            "choices": [choice],
        }
        if answer.usage is not None:
            completion["usage"] = from_usage(answer.usage)
        return _ENCODE(completion)

    def writer(self, label: AnswerLabel, include_usage: bool) -> "CompletionWriter":
        return CompletionWriter(label, include_usage)


def _check(asked: _Request) -> None:
    """Raise UnsupportedField for what a chat has no words for."""
    if asked.suffix:
        raise unsupported("suffix", _ONLY_COMPLETIONS)
    if asked.echo:
        raise unsupported("echo", _ONLY_COMPLETIONS)
    if asked.logprobs is not None:
        raise unsupported("logprobs", _ONLY_COMPLETIONS)
    if asked.best_of not in (None, 1):
        raise unsupported("best_of", _ONLY_COMPLETIONS)
    if asked.n not in (None, 1):
        raise unsupported("n", "above 1 cannot be translated for the chosen provider.")


def _prompt(given: Any) -> str:
    """The one text to continue, which may be the single entry of a list."""
    if given is None:
        raise InvalidRequest("prompt is missing.", param="prompt")
    entries = cast("list[Any]", given if isinstance(given, list) else [given])
    if not entries:
        raise InvalidRequest("prompt is an empty list.", param="prompt")
    if not isinstance(entries[0], str):
        raise unsupported("prompt", "must be a text: tokens mean something to one provider only.")
    if len(entries) > 1:
        raise unsupported("prompt", "must be one text: a chat answers one at a time.")
    return entries[0]


class CompletionWriter(StreamWriter):
    """Writes the chunks of one answer; all carry the same id, model and time.

    With `include_usage` the last chunk holds the totals and no choices. Reasoning is left out.
    """

    __slots__ = ("_head", "_include_usage", "_tail")

    def __init__(self, label: AnswerLabel, include_usage: bool) -> None:
        super().__init__()
        common = {"id": label.id, "object": "text_completion", "created": label.created, "model": label.model}
        self._head = b"data: " + _ENCODE(common)[:-1] + b',"choices":['
        self._tail = b'],"usage":null}\n\n' if include_usage else b"]}\n\n"
        self._include_usage = include_usage

    def text(self, event: TextDelta | RefusalDelta) -> bytes:
        return self._chunk(event.text, b"null")

    def refusal(self, event: RefusalDelta) -> bytes:
        return self.text(event)

    def stopped(self, event: Stopped) -> bytes:
        return self._chunk("", _ENCODE(_FINISH_REASONS[event.stop.reason]))

    def end(self) -> bytes:
        if not self._include_usage or self.usage is None:
            return DONE
        return self._head + b'],"usage":' + _ENCODE(from_usage(self.usage)) + b"}\n\n" + DONE

    def error_event(self, error: WireError) -> bytes:
        return error_chunk(error)

    def _chunk(self, text: str, finish: bytes) -> bytes:
        choice = b'{"text":' + _ENCODE(text) + b',"index":0,"logprobs":null,"finish_reason":' + finish + b"}"
        return self._head + choice + self._tail


OPENAI_COMPLETIONS = OpenAICompletions()
