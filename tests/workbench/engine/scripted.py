"""Callers and graders that do as a test says: real implementations of the ports, in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

from ownkey.workbench.engine import PromptSource
from ownkey.workbench.records import (
    EndpointKind,
    Failure,
    FailureKind,
    Grade,
    Message,
    Observation,
    Prices,
    Prompt,
    Result,
    RunPlan,
    Sampling,
    SuiteInfo,
    Target,
    Timing,
    Tokens,
)


def a_target(label: str = "a", prices: Prices | None = None) -> Target:
    return Target(
        id=label, label=label, kind=EndpointKind.DIRECT, model=label, base_url="https://x.example/v1", prices=prices
    )


def a_plan(prompts: int, *targets: Target, **more: object) -> RunPlan:
    suite = SuiteInfo(id="s", name="s", prompts=prompts)
    return RunPlan(suite=suite, targets=targets or (a_target(),), **more)  # type: ignore[arg-type]


def source_of(count: int) -> PromptSource:
    async def prompts() -> AsyncIterator[Prompt]:
        for number in range(count):
            yield Prompt(f"p{number}", (Message("user", f"question {number}"),))

    return prompts


def answered(text: str = "yes", cost: int | None = None) -> Observation:
    return Observation(timing=Timing(1.0, 2.0, e2e_ms=1.0), text=text, tokens=Tokens(1, 1), cost=cost)


def failed(kind: FailureKind, retry_after_ms: float | None = None) -> Observation:
    failure = Failure(kind, "as the test says", retry_after_ms=retry_after_ms)
    return Observation(timing=Timing(1.0, 2.0), failure=failure)


Script = Callable[[int, str], Observation]


class ScriptedCaller:
    """Answers by a script of (number of the call from 0, the question). `asked` holds the questions as they came.

    With `held`, a call waits until `release` is called; `under_way` tells how many wait, `most` how many ever did.
    """

    def __init__(self, script: Script | None = None, *, held: bool = False) -> None:
        self.asked: list[str] = []
        self.under_way = 0
        self.most = 0
        self.cancelled = 0
        self._script = script or (lambda _, __: answered())
        self._gate = asyncio.Event()
        self._changed = asyncio.Event()
        if not held:
            self._gate.set()

    def release(self) -> None:
        self._gate.set()

    async def until_under_way(self, count: int) -> None:
        while self.under_way < count:
            self._changed.clear()
            await self._changed.wait()

    async def ask(self, messages: Sequence[Message], sampling: Sampling) -> Observation:
        number, question = len(self.asked), messages[-1].content
        self.asked.append(question)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self._changed.set()
        try:
            await self._gate.wait()
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.under_way -= 1
        return self._script(number, question)


class YesGrader:
    """Passes every answer that is `yes`."""

    async def grade(self, prompt: Prompt, observation: Observation) -> tuple[Grade, ...]:
        return (Grade("equals", observation.text == "yes", 1.0 if observation.text == "yes" else 0.0),)


class Kept:
    """Takes results as a store would."""

    def __init__(self) -> None:
        self.results: list[Result] = []

    async def keep(self, results: Sequence[Result]) -> None:
        await asyncio.sleep(0)
        self.results.extend(results)

    @property
    def measured(self) -> list[Result]:
        return [result for result in self.results if not result.warm_up]
