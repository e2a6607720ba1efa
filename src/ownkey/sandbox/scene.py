"""What a behaviour has at hand: the question, the numbers in the model's name, and what lasts beyond one question."""

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from ownkey.sandbox.keys import KeyIdentity
from ownkey.sandbox.response_book import ResponseBook
from ownkey.sandbox.turn import Ask, Reply


class Scene:
    """What lasts beyond one question: how often each model was called, and the responses kept for later.

    `seed` is the sandbox's own.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.responses = ResponseBook()
        self.calls: dict[str, int] = {}

    def count_call(self, name: str) -> int:
        """How many times `name` has been called, this one included."""
        calls = self.calls[name] = self.calls.get(name, 0) + 1
        return calls


class Cue(Struct, frozen=True):
    """One question to a model. `numbers` are those in the model's name, in order; `seed` is for its dice."""

    ask: Ask
    numbers: tuple[int, ...]
    key: KeyIdentity | None
    scene: Scene
    seed: int

    @property
    def number(self) -> int:
        """The first number in the name; 0 when there is none."""
        return self.numbers[0] if self.numbers else 0


Behaviour: TypeAlias = Callable[[Cue], Reply]
"""Raises Refused when the answer is an error."""


def echo(cue: Cue) -> Reply:
    """The last user message again."""
    return Reply(text=cue.ask.prompt, size=cue.ask.prompt_tokens)
