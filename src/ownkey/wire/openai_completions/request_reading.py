"""A client's completion request into a Conversation of one turn (openai.types.completion_create_params)."""

from typing import Annotated, Any, cast

from msgspec import Meta, Struct

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.wire.fields import Temperature, TokenLimit, Unit, leftovers, read_request, unsupported
from ownkey.wire.neutral import Conversation, Sampling, Text, Turn

_Penalty = Annotated[float, Meta(ge=-2, le=2)]


class _StreamOptions(Struct):
    include_usage: bool | None = None


class _Request(Struct):
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
_ONLY_COMPLETIONS = "is part of text completions, and the chosen provider only chats."


def read(body: dict[str, Any]) -> Conversation:
    """Raises UnsupportedField for what a chat cannot do: several prompts, tokens, text after the gap."""
    asked = read_request(body, _Request)
    required, hints = leftovers(body, _KNOWN, frozenset())
    _refuse_what_chat_cannot_say(asked)
    return Conversation(
        origin=WireFormat.OPENAI_COMPLETIONS,
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


def _refuse_what_chat_cannot_say(asked: _Request) -> None:
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
    """The one text to go on from, which may be the single entry of a list."""
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
