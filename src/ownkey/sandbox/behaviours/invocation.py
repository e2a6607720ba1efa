"""How a client steers a simulated model: by its name, and by directives in the last user message.

    lorem-50+ttft=lognormal:200:0.5+gap=exponential:10+chunk=4+seed=7

The last segment of the name counts, so `openai/echo` is `echo`. After the behaviour come, each after a plus: `ttft`
and `gap` as distributions in milliseconds, `chunk` as the tokens of each streamed event, and `seed` for the model's
dice. Directives:

    sandbox:call Read {"file_path": "/tmp/notes.txt"}                       for `tool` and `tools`: a call to make
    sandbox:answer Paris                                                    for `right-P`: the right answer
    sandbox:verdict {"pass": false, "score": 0.2, "reason": "As told."}     for `judge`: the verdict to give

JSON objects may span lines. What only looks like a directive is text like any other.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TypeAlias

from msgspec import Struct

from ownkey.sandbox.chat import ChatRequest, Reply
from ownkey.sandbox.keys import KeyIdentity
from ownkey.sandbox.options import parse_distribution
from ownkey.sandbox.pacing import Timing
from ownkey.sandbox.state import State

MOST_TOKENS_IN_A_CHUNK = 1000
_NUMBERED = re.compile(r"(?P<word>[a-z]+(?:-[a-z]+)*)(?P<numbers>(?:-[0-9]{1,7}){0,2})")
_KNOWN = ("ttft", "gap", "chunk", "seed")
_PLAIN_NUMBER = re.compile(r"[0-9]{1,9}")


class ModelName(Struct, frozen=True):
    """`word` is the behaviour and `numbers` follow it, as in `flaky-3-429`; `timing` is None when nothing is said."""

    word: str
    numbers: tuple[int, ...] = ()
    timing: Timing | None = None
    chunk: int = 1


def last_segment(model: str) -> str:
    """`openrouter/openai/echo` → `echo`."""
    return model[model.rfind("/") + 1 :]


@lru_cache(maxsize=1024)
def parse_model_name(model: str) -> ModelName:
    """Raises ValueError, which says what is wrong, for additions that cannot be read."""
    base, *additions = last_segment(model).split("+")
    if additions and "=" not in additions[0]:
        base, additions = last_segment(model), []
    match = _NUMBERED.fullmatch(base)
    if match is None:
        word, numbers = base, ()
    else:
        word, numbers = match["word"], tuple(int(number) for number in match["numbers"].split("-")[1:])
    if not additions:
        return ModelName(word, numbers)
    given = dict(map(_addition, additions))
    timing = Timing(
        ttft=parse_distribution(given["ttft"]) if "ttft" in given else None,
        gap=parse_distribution(given["gap"]) if "gap" in given else None,
        seed=_number(given, "seed") if "seed" in given else None,
    )
    chunk = _number(given, "chunk") if "chunk" in given else 1
    if not 1 <= chunk <= MOST_TOKENS_IN_A_CHUNK:
        raise ValueError(f"chunk={chunk}: write a number of tokens from 1 to {MOST_TOKENS_IN_A_CHUNK}.")
    return ModelName(word, numbers, timing, chunk)


def _addition(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if name not in _KNOWN or not equals:
        raise ValueError(f"{text!r} is no addition to a model's name; there are {', '.join(_KNOWN)}, as in chunk=4.")
    return name, value


def _number(given: dict[str, str], name: str) -> int:
    if _PLAIN_NUMBER.fullmatch(given[name]) is None:
        raise ValueError(f"{name}={given[name]}: write a whole number.")
    return int(given[name])


class Invocation(Struct, frozen=True):
    """One question to a model. `numbers` are those in the model's name, in order; `seed` is for its dice."""

    chat: ChatRequest
    numbers: tuple[int, ...]
    key: KeyIdentity | None
    state: State
    seed: int

    @property
    def number(self) -> int:
        """The first number in the name; 0 when there is none."""
        return self.numbers[0] if self.numbers else 0


Behaviour: TypeAlias = Callable[[Invocation], Reply]
"""Raises Refused when the answer is an error."""


def echo(invocation: Invocation) -> Reply:
    """The last user message again."""
    return Reply(text=invocation.chat.prompt, size=invocation.chat.prompt_tokens)


_OPENING = re.compile(r"sandbox:call\s+([A-Za-z0-9_.-]{1,128})\s+(?=\{)")
_ANSWER = re.compile(r"sandbox:answer[ \t]+(\S[^\r\n]*)")
_VERDICT = re.compile(r"sandbox:verdict\s+(?=\{)")
_DECODER = json.JSONDecoder()


class Directive(Struct, frozen=True):
    """One call to make; `arguments` is the JSON text as it was given."""

    tool: str
    arguments: str


def directives_in(text: str) -> list[Directive]:
    """The directives in `text`, in order."""
    return list(_found(text)) if "sandbox:call" in text else []


def _found(text: str) -> Iterator[Directive]:
    at = 0
    while opening := _OPENING.search(text, at):
        at = start = opening.end()
        try:
            _, at = _DECODER.raw_decode(text, start)
        except (json.JSONDecodeError, RecursionError):
            continue
        yield Directive(opening[1], text[start:at])


def answer_in(text: str) -> str | None:
    """What follows `sandbox:answer` on its line; None when there is none."""
    found = _ANSWER.search(text)
    return found[1].strip() if found else None


def verdict_in(text: str) -> str | None:
    """The JSON object after the first `sandbox:verdict`, as it was given; None when there is none."""
    found = _VERDICT.search(text)
    if found is None:
        return None
    try:
        _, end = _DECODER.raw_decode(text, found.end())
    except (json.JSONDecodeError, RecursionError):
        return None
    return text[found.end() : end]
