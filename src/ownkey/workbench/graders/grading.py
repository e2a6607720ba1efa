"""Grading answers: the engine's `Grader`, and the verdict over one answer's grades."""

import asyncio
from collections.abc import Sequence
from functools import partial

from ownkey.workbench.graders.finding import MAX_ANSWER, Answer, Finding, Ungradable
from ownkey.workbench.graders.judge import Judge, rubric_finding
from ownkey.workbench.graders.kinds import Form, kind_of, read_check, split_type
from ownkey.workbench.graders.measures import Embedder, similar
from ownkey.workbench.graders.schema import Against
from ownkey.workbench.graders.schema_workers import SchemaWorker, SchemaWorkers
from ownkey.workbench.records import Check, Grade, Observation, Prompt

INLINE = 20_000
"""Characters up to which a cheap check is done on the event loop; longer answers and costly checks go to a thread."""


class Graders:
    """Grades answers by checks; implements `ports.Grader`.

    A call that failed has no grades: there is no answer that could be good or bad. It counts in the success rate, and
    its cost in the cost per passed answer, and `passed` is over graded answers only. An empty answer is an answer.
    A check that needs a judge, an embedder or workers for schemas which are not there, or cannot decide, has a grade
    with `passed` None.
    """

    def __init__(
        self,
        judge: Judge | None = None,
        embedder: Embedder | None = None,
        schemas: SchemaWorkers | None = None,
    ) -> None:
        self._judge = judge
        self._embedder = embedder
        self._schemas = schemas

    async def grade(self, prompt: Prompt, observation: Observation) -> tuple[Grade, ...]:
        """One grade a check, in their order; empty for a failed call. Raises nothing but cancellation."""
        if not observation.ok:
            return ()
        answer = Answer(observation.text[:MAX_ANSWER], observation)
        return tuple([await self._grade(check, prompt, answer) for check in prompt.checks])

    async def _grade(self, check: Check, prompt: Prompt, answer: Answer) -> Grade:
        try:
            finding = await self._find(check, prompt, answer)
        except Ungradable as error:
            return Grade(check.type, None, None, f"not graded: {error}", check.weight)
        _, negated = split_type(check.type)
        score = finding.score if finding.score is not None else float(finding.passed)
        length = len(answer.observation.text)
        cut = f" (graded: the first {MAX_ANSWER} of {length} characters)" if length > MAX_ANSWER else ""
        return Grade(
            check=check.type,
            passed=finding.passed is not negated,
            score=1 - score if negated else score,
            reason=finding.reason + cut,
            weight=check.weight,
        )

    async def _find(self, check: Check, prompt: Prompt, answer: Answer) -> Finding:
        kind = kind_of(check)
        if kind.find is None:
            return await self._ask_model(check, prompt, answer)
        if kind.form is Form.SCHEMA and check.value is not None and check.value != "":
            if self._schemas is None:
                raise Ungradable("this run has no workers to check schemas")
            return await self._schemas.run(partial(_decide, check, answer))
        if kind.costly or len(answer.text) > INLINE:
            return await asyncio.to_thread(_decide, check, answer)
        return _decide(check, answer)

    async def _ask_model(self, check: Check, prompt: Prompt, answer: Answer) -> Finding:
        _, spec = read_check(check)
        if split_type(check.type)[0] == "llm-rubric":
            if self._judge is None:
                raise Ungradable("the run has no judge; choose a judge model to grade rubrics")
            rubric, threshold = spec
            opinion = await self._judge.opinion(prompt, answer.text, rubric)
            return rubric_finding(opinion, threshold, len(answer.text))
        if self._embedder is None:
            raise Ungradable("the run has no embedding model; choose one to grade similarity")
        return await similar(spec, answer, self._embedder)


def verdict(grades: Sequence[Grade], threshold: float | None = None) -> tuple[bool | None, float | None]:
    """Whether an answer passed, and its score: the mean of the scores by weight.

    Only grades that could decide count. It passed when all of them did or, where the prompt has a `threshold`, when the
    score reaches it; a check of weight 0 is shown and cannot fail an answer (promptfoo's rules). (None, None) when
    there is no grade that counts.
    """
    decided = [grade for grade in grades if grade.passed is not None and grade.weight > 0]
    if not decided:
        return None, None
    weight = sum(grade.weight for grade in decided)
    score = sum((grade.score or 0.0) * grade.weight for grade in decided) / weight
    if threshold is not None:
        return score >= threshold, score
    return all(grade.passed for grade in decided), score


def _decide(check: Check, answer: Answer, worker: SchemaWorker | None = None) -> Finding:
    kind, spec = read_check(check)
    if kind.find is None:
        raise Ungradable(f"{check.type} is graded by a model")
    return kind.find(spec if worker is None or spec is None else Against(spec, worker), answer)
