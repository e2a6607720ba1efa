"""Models and observations for the graders' tests."""

from collections.abc import Sequence
from typing import Any

from ownkey.domain.errors import UpstreamError
from ownkey.workbench.graders import Graders
from ownkey.workbench.records import (
    Check,
    Failure,
    FailureKind,
    Grade,
    Message,
    Observation,
    Prompt,
    Sampling,
    Timing,
    Tokens,
)

QUESTION = "What is the capital of France?"


def observed(text: str, *, e2e_ms: float | None = 100.0, cost: int | None = None) -> Observation:
    return Observation(timing=Timing(sent_at=0, ended_at=1, e2e_ms=e2e_ms), text=text, cost=cost)


def failed(kind: FailureKind = FailureKind.TIMEOUT, message: str = "no answer in 60 s") -> Observation:
    return Observation(timing=Timing(sent_at=0, ended_at=60), failure=Failure(kind, message))


def prompt(*checks: Check, reference: str | None = None) -> Prompt:
    return Prompt(id="p1", messages=(Message("user", QUESTION),), checks=checks, reference=reference)


async def grade(check: Check, answer: str | Observation, graders: Graders | None = None) -> Grade:
    """The one grade of an answer by one check."""
    observation = observed(answer) if isinstance(answer, str) else answer
    (only,) = await (graders or Graders()).grade(prompt(check), observation)
    return only


async def passes(kind: str, value: Any, answer: str, threshold: float | None = None) -> bool | None:
    return (await grade(Check(kind, value, threshold), answer)).passed


class ScriptedModel:
    """A `Caller` that says what it is told to, in order, the last for ever, and remembers what it was asked."""

    def __init__(self, *answers: str | Observation, cost: int | None = 1000) -> None:
        self._answers = list(answers)
        self._cost = cost
        self.asked: list[tuple[Message, ...]] = []
        self.samplings: list[Sampling] = []

    async def ask(self, messages: Sequence[Message], sampling: Sampling) -> Observation:
        self.asked.append(tuple(messages))
        self.samplings.append(sampling)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Observation):
            return answer
        return Observation(
            timing=Timing(sent_at=0, ended_at=1, e2e_ms=1000),
            text=answer,
            tokens=Tokens(input=100, output=20),
            cost=self._cost,
        )


class TableEmbedder:
    """An `Embedder` that knows a vector for some texts, and fails for all others."""

    def __init__(self, vectors: dict[str, list[float]]) -> None:
        self._vectors = vectors

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        unknown = [text for text in texts if text not in self._vectors]
        if unknown:
            raise UpstreamError("The embedding model is away. Try again.")
        return [self._vectors[text] for text in texts]
