"""What the engine needs of the parts around it."""

from collections.abc import Sequence
from typing import Protocol

from ownkey.workbench.records import Grade, Message, Observation, Prompt, Sampling


class Caller(Protocol):
    """One model that can be called. Each target of a run has its own."""

    async def ask(self, messages: Sequence[Message], sampling: Sampling) -> Observation:
        """Call once, without retries. A failure is an observation and is not raised; only cancellation is."""
        ...


class Grader(Protocol):
    """Grades an answer by the prompt's checks."""

    async def grade(self, prompt: Prompt, observation: Observation) -> tuple[Grade, ...]:
        """One grade per check, in their order; empty for a prompt without checks. Never raises but for cancellation."""
        ...
