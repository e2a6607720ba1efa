"""The curated suites' checks against the graders: usable, and met by the reference answers they come with."""

from tests.workbench.graders.scripted import observed

from ownkey.workbench.graders import Graders, validate_check
from ownkey.workbench.records import Prompt
from ownkey.workbench.suites.files import CuratedSuites


def prompts() -> list[Prompt]:
    suites = CuratedSuites()
    return [prompt for suite in suites.curated_suites() for prompt in suites.curated_prompts(suite.id)]


def test_every_curated_check_passes_the_gate() -> None:
    refused = [(prompt.id, why) for prompt in prompts() for check in prompt.checks if (why := validate_check(check))]
    assert refused == []


async def test_every_reference_answer_meets_the_checks_of_its_prompt() -> None:
    failures: list[tuple[str, str]] = []
    for prompt in prompts():
        if prompt.reference is not None:
            grades = await Graders().grade(prompt, observed(prompt.reference, e2e_ms=1, cost=0))
            failures += [(prompt.id, grade.reason) for grade in grades if grade.passed is False]
    assert failures == []
