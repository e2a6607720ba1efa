"""What the connection check asks an endpoint, and the words for what it finds."""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ownkey.workbench.endpoint.answer import AnswerReader
from ownkey.workbench.endpoint.call import Call, call
from ownkey.workbench.endpoint.caller import withheld
from ownkey.workbench.endpoint.request import NO_EXTRAS, chat_body
from ownkey.workbench.endpoint.transport import Transport
from ownkey.workbench.records import Abilities, Failure, FailureKind, Message, Sampling, Target

_LONGEST_WORD = 8192
"""As long as a key can be."""


async def speak(
    transport: Transport, target: Target, messages: Sequence[Message], sampling: Sampling
) -> AsyncGenerator[str | Failure | None]:
    """The pieces of the answer's text, then None, or what the call failed with.

    Leaving the generator early gives the call up. Raises InvalidRequest for a text that cannot be sent.
    """
    body = chat_body(target.model, messages, sampling, target.abilities)
    news: asyncio.Queue[str | None] = asyncio.Queue()
    told = 0

    def heard(reader: AnswerReader) -> None:
        nonlocal told
        text, told = reader.text_after(told)
        if text:
            news.put_nowait(text)

    async def ask() -> Call:
        try:
            return await call(transport, body, sampling.timeout_ms, heard)
        finally:
            news.put_nowait(None)

    asking = asyncio.create_task(ask())
    held = ""
    try:
        while (piece := await news.get()) is not None:
            whole, held = _whole_words(held + piece)
            if whole:
                yield transport.scrub(whole)
        if held:
            yield transport.scrub(held)
        made = await asking
        yield made.failure or withheld(made)
    finally:
        asking.cancel()
        await asyncio.wait((asking,))


def _whole_words(text: str) -> tuple[str, str]:
    """What may be told, and the last word, which may still grow: a key that came in two pieces is one word."""
    cut = max(text.rfind(" "), text.rfind("\n")) + 1
    if not cut and len(text) > _LONGEST_WORD:
        return text, ""
    return text[:cut], text[cut:]


MOST_CALLS = 8
SAMPLING = Sampling(max_tokens=20, temperature=0.0, timeout_ms=30_000.0)

_HELLO = (Message("system", "You answer briefly."), Message("user", "Say hello in one short sentence."))
_FOR_A_TOOL = (Message("user", "Call the tool get_time for Paris."),)
_FOR_JSON = (Message("user", 'Answer with the JSON object {"ok": true} and nothing else.'),)
_TOOL: Mapping[str, object] = {
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "get_time",
                "description": "The time in a city.",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
            },
        }
    ]
}
_JSON: Mapping[str, object] = {"response_format": {"type": "json_object"}}
_PROBE_TOKENS = 60
"""A call with its argument, or a small object, needs more than a greeting."""

_FIRST_LIMIT = "max_tokens"
"""Older, and the one that most endpoints know."""
_REFUSALS = frozenset(
    {
        FailureKind.UNKNOWN,
        FailureKind.MALFORMED_RESPONSE,
        FailureKind.MODEL_NOT_FOUND,
        FailureKind.SERVER_ERROR,
    }
)
_OTHER_LIMIT = {_FIRST_LIMIT: "max_completion_tokens", "max_completion_tokens": _FIRST_LIMIT}
_LIMIT = re.compile(r"max_(?:completion_)?tokens")
_SYSTEM = re.compile(r"system (?:role|message|prompt|instruction)|role.{0,40}\bsystem\b|developer instruction", re.I)
_STREAMING = re.compile(r"\bstream(?:ing|ed)?\b", re.IGNORECASE)


class Found(Struct, kw_only=True):
    """What is known so far; `last` is the latest call."""

    abilities: Abilities = Abilities()
    calls: int = 0
    last: Call | None = None


class Prober:
    """Asks one model, at most `MOST_CALLS` times, of which `calls` are spent. `found` grows with each call."""

    def __init__(self, transport: Transport, model: str, sampling: Sampling = SAMPLING, calls: int = 0) -> None:
        self._transport = transport
        self._model = model
        self._sampling = sampling
        self.found = Found(abilities=Abilities(token_limit=_FIRST_LIMIT), calls=calls)

    async def greet(self) -> Failure | None:
        """The test of the connection itself: one small prompt, asked again without a parameter that is refused.

        None when an answer came.
        """
        tried = {self.found.abilities}
        while True:
            made = await self._ask(_HELLO, self._sampling, NO_EXTRAS)
            failure = made.failure or withheld(made)
            # A model that only reasons within so few tokens works all the same.
            if made.failure is None and (failure is None or made.reader.finish_reason == "length"):
                self._learn(made)
                return None
            adapted = adapted_to(self.found.abilities, failure) if failure is not None else None
            if adapted is None or adapted in tried or self.found.calls >= MOST_CALLS - 2:
                return failure
            tried.add(adapted)
            self.found.abilities = adapted

    async def tools(self) -> str:
        """Whether tools are accepted and called; what was seen, in words."""
        made = await self._ask(_FOR_A_TOOL, replace(self._sampling, max_tokens=_PROBE_TOKENS), _TOOL)
        if made.failure is not None:
            return self._refused("tools", made.failure)
        if made.reader.calls:
            self._set(tools=True)
            return "The model called the tool."
        return "Tools are accepted, but the model did not call one, so that nothing is known."

    async def json_mode(self) -> str:
        """Whether `response_format` makes an answer JSON; what was seen, in words."""
        made = await self._ask(_FOR_JSON, replace(self._sampling, max_tokens=_PROBE_TOKENS), _JSON)
        if made.failure is not None:
            return self._refused("json_mode", made.failure)
        if _is_object(made.reader.text):
            self._set(json_mode=True)
            return "The answer is a JSON object."
        if made.reader.finish_reason == "length":
            return "JSON mode is accepted, but the answer was cut off, so that nothing is known."
        self._set(json_mode=False)
        return "JSON mode is accepted, but the answer is not JSON."

    async def _ask(self, messages: Sequence[Message], sampling: Sampling, extras: Mapping[str, object]) -> Call:
        self.found.calls += 1
        body = chat_body(self._model, messages, sampling, self.found.abilities, extras)
        self.found.last = made = await call(self._transport, body, sampling.timeout_ms)
        if made.reader.reasoning_field is not None:
            self._set(reasoning_field=made.reader.reasoning_field)
        return made

    def _learn(self, made: Call) -> None:
        """A request that was answered was accepted with all that it held."""
        abilities, reader = self.found.abilities, made.reader
        streamed = reader.streamed is not False
        self._set(streaming=streamed and abilities.streaming is not False)
        if abilities.stream_usage is None and streamed:
            self._set(stream_usage=bool(reader.usage))
        self._set(temperature=abilities.temperature is not False, system_role=abilities.system_role is not False)

    def _refused(self, ability: str, failure: Failure) -> str:
        if is_refusal(failure):
            self._set(**{ability: False})
            return f"Not accepted. {failure.message}"
        return f"Not known: {failure.message}"

    def _set(self, **abilities: Any) -> None:
        self.found.abilities = replace(self.found.abilities, **abilities)


def is_refusal(failure: Failure) -> bool:
    """Whether the endpoint understood and declined the request, so that another one may be accepted."""
    return failure.status in (400, 404, 415, 422, 501) and failure.kind in _REFUSALS


def adapted_to(abilities: Abilities, failure: Failure) -> Abilities | None:
    """Abilities without what the refusal names; without everything optional where it names nothing; None if no
    other request is left to try."""
    if failure.status not in (400, 422) or failure.kind is not FailureKind.UNKNOWN:
        return None
    text = failure.message.lower()
    limit = abilities.token_limit or _FIRST_LIMIT
    if "stream_options" in text or "include_usage" in text:
        return replace(abilities, stream_usage=False)
    if _LIMIT.search(text):
        # A refusal may name both, the wrong one and the right one; there are only two.
        return replace(abilities, token_limit=_OTHER_LIMIT[limit])
    if "temperature" in text:
        return replace(abilities, temperature=False)
    if _SYSTEM.search(text):
        return replace(abilities, system_role=False)
    if _STREAMING.search(text):
        return replace(abilities, streaming=False)
    return replace(abilities, streaming=False, stream_usage=False, temperature=False, system_role=False)


def _is_object(text: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(text.strip()), dict)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
