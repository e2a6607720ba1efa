"""A model as judge: by a rubric, and between two answers.

It is asked through a `Caller`, so that the engine decides how it is reached (the gateway, under the caller's key), at
temperature 0. A verdict that cannot be read is requested once more; after that the check is not graded. A call that
failed is not repeated here: the gateway behind the caller has its own retries.
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from typing import TypeVar

from ownkey.workbench.graders.finding import BadCheck, Finding, Ungradable, text_value, threshold_between
from ownkey.workbench.graders.questions import (
    MAX_QUOTED,
    UNREADABLE,
    Better,
    Opinion,
    preference_question,
    read_better,
    read_opinion,
    rubric_question,
)
from ownkey.workbench.ports import Caller
from ownkey.workbench.records import Check, Message, Prompt, Sampling
from ownkey.workbench.summary import Preference, Verdict

SAMPLING = Sampling(max_tokens=2048, temperature=0.0, stream=False)
"""Room for thoughts before the verdict; reasoning models use it up first."""

_ECHOED = 2000
"""Characters of an unreadable verdict that are shown to the judge when it is asked again."""

T = TypeVar("T")


class Judge:
    """Judges answers by one model. `name` is shown beside its verdicts."""

    def __init__(self, caller: Caller, name: str, sampling: Sampling = SAMPLING) -> None:
        self._caller = caller
        self._sampling = sampling
        self.name = name

    async def opinion(self, prompt: Prompt, answer: str, rubric: str) -> Opinion:
        """Whether an answer meets a rubric. Raises Ungradable where the judge fails or cannot be understood."""
        question = rubric_question(prompt, answer, rubric, _mark())
        return await self._ask(question, lambda said: read_opinion(said, (answer,)))

    async def prefer(self, prompt: Prompt, answer_a: str, answer_b: str) -> tuple[Verdict, bool]:
        """Which of two answers is better, asked in both orders, and whether the two verdicts disagreed.

        A disagreement is a tie (`CANNOT_TELL`), as is a tie itself. Raises Ungradable where an order has no verdict.
        """

        def read(said: str) -> Better | None:
            return read_better(said, (answer_a, answer_b))

        forward = await self._ask(preference_question(prompt, answer_a, answer_b, _mark()), read)
        backward = await self._ask(preference_question(prompt, answer_b, answer_a, _mark()), read)
        one, other = _AS_ASKED[forward], _AS_TURNED[backward]
        return (one, False) if one is other else (Verdict.CANNOT_TELL, True)

    async def _ask(self, question: tuple[Message, ...], read: Callable[[str], T | None]) -> T:
        said = await self._call(question)
        verdict = await asyncio.to_thread(read, said)
        if verdict is not None:
            return verdict
        again = (*question, Message("assistant", said[-_ECHOED:] or "(nothing)"), Message("user", UNREADABLE))
        verdict = await asyncio.to_thread(read, await self._call(again))
        if verdict is None:
            raise Ungradable(f"the judge {self.name} gave no verdict that could be read, twice")
        return verdict

    async def _call(self, messages: Sequence[Message]) -> str:
        observation = await self._caller.ask(messages, self._sampling)
        if observation.failure is not None:
            failure = observation.failure
            raise Ungradable(f"the judge {self.name} did not answer ({failure.kind}): {failure.message[:200]}")
        return observation.text


def read_rubric(check: Check) -> tuple[str, float | None]:
    """The rubric and the least score, if one is asked for. Raises BadCheck."""
    if not isinstance(check.value, str) or not check.value.strip():
        raise BadCheck(f"{check.type} needs a value: the rubric, as a text.")
    return text_value(check), threshold_between(check, 0, 1, "score")


def rubric_finding(opinion: Opinion, threshold: float | None, length: int) -> Finding:
    """Passed where the judge says so and the score reaches the threshold, if there is one. `length` is the answer's."""
    reached = threshold is None or opinion.score >= threshold
    limit = "" if threshold is None else f" of {threshold:g} needed"
    cut = f" (it saw {MAX_QUOTED} of {length} characters)" if length > MAX_QUOTED else ""
    said = "pass" if opinion.passed else "fail"
    reason = f"the judge says {said}, score {opinion.score:g}{limit}{cut}: {opinion.reason}"
    return Finding(opinion.passed and reached, reason, opinion.score)


_AS_ASKED = {Better.FIRST: Verdict.A, Better.SECOND: Verdict.B, Better.TIE: Verdict.CANNOT_TELL}
_AS_TURNED = {Better.FIRST: Verdict.B, Better.SECOND: Verdict.A, Better.TIE: Verdict.CANNOT_TELL}


def _mark() -> str:
    return secrets.token_hex(8)


class PreferenceTally:
    """Counts the outcomes of `Judge.prefer`. Pairs without a verdict are counted apart and in no rate."""

    def __init__(self, judge: str) -> None:
        self._judge = judge
        self._wins = {Verdict.A: 0, Verdict.B: 0, Verdict.CANNOT_TELL: 0}
        self._flips = 0
        self.unjudged = 0

    def add(self, outcome: Verdict, *, flipped: bool) -> None:
        """One pair: who won, and whether the judge disagreed with itself."""
        self._wins[outcome] += 1
        self._flips += flipped

    def add_unjudged(self) -> None:
        """One pair of which the judge gave no verdict."""
        self.unjudged += 1

    def preference(self) -> Preference | None:
        """The sums, `flip_rate` over all judged pairs; None before the first."""
        pairs = sum(self._wins.values())
        if not pairs:
            return None
        return Preference(
            judge=self._judge,
            a_wins=self._wins[Verdict.A],
            b_wins=self._wins[Verdict.B],
            ties=self._wins[Verdict.CANNOT_TELL],
            flip_rate=self._flips / pairs,
        )
