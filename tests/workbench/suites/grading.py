"""Answers graded as a run grades them, without a judge."""

from ownkey.workbench.graders import Graders
from ownkey.workbench.graders.schema_workers import SchemaWorkers
from ownkey.workbench.records import Check, Observation, Prompt, Timing

JUDGED = frozenset({"llm-rubric", "similar"})
_TIMING = Timing(sent_at=0.0, ended_at=1.0)


def needs_judge(check: Check) -> bool:
    return check.type.removeprefix("not-") in JUDGED


async def unmet(prompt: Prompt, answer: str) -> list[str]:
    """What the answer fails of the checks that need no judge, in words; a check that cannot decide is failed."""
    with SchemaWorkers(limit=1) as workers:
        grades = await Graders(schemas=workers).grade(prompt, Observation(timing=_TIMING, text=answer))
    assert len(grades) == len(prompt.checks)
    return [
        f"{check.type}: {grade.reason}"
        for check, grade in zip(prompt.checks, grades, strict=True)
        if not needs_judge(check) and not grade.passed
    ]
