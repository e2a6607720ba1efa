"""The curated suites: complete, and with checks that tell right answers from wrong ones."""

import tomllib
from pathlib import Path

import pytest
from tests.workbench.suites.grading import needs_judge, unmet

from ownkey.domain.errors import NotFound
from ownkey.workbench.graders import validate_check
from ownkey.workbench.records import Prompt
from ownkey.workbench.suites import CuratedSuites

SUITES = CuratedSuites()
PROMPTS = {prompt.id: prompt for info in SUITES.curated_suites() for prompt in SUITES.curated_prompts(info.id)}
DATA = Path(__file__).parent
WRONG: dict[str, list[str]] = tomllib.loads((DATA / "wrong_answers.toml").read_text("utf-8"))["wrong"]
RIGHT: dict[str, list[str]] = tomllib.loads((DATA / "right_answers.toml").read_text("utf-8"))["right"]

every_prompt = pytest.mark.parametrize("prompt", PROMPTS.values(), ids=list(PROMPTS))


def test_four_tasks_come_easy_and_medium_with_ten_prompts_each():
    infos = SUITES.curated_suites()
    assert {(info.task, info.difficulty) for info in infos} == {
        (task, difficulty) for task in ("support", "code", "qa", "creative") for difficulty in ("easy", "medium")
    }
    assert [info.prompts for info in infos] == [10] * 8
    assert all(info.id == f"{info.task}-{info.difficulty}" for info in infos)


def test_every_suite_says_what_it_is_and_under_which_licence():
    for info in SUITES.curated_suites():
        assert info.curated
        assert info.licence == "CC0-1.0"
        assert info.name
        assert info.description.endswith(("?", "."))


def test_ids_are_unique_across_all_suites_and_count_up_within_each():
    for info in SUITES.curated_suites():
        ids = [prompt.id for prompt in SUITES.curated_prompts(info.id)]
        assert ids == [f"{info.id}-{number:02}" for number in range(1, 11)]
    assert len(PROMPTS) == 80


def test_an_unknown_suite_is_answered_with_the_known_ones():
    with pytest.raises(NotFound, match=r"no curated suite 'poetry'.*code-easy.*support-medium"):
        SUITES.curated_prompts("poetry")


@every_prompt
def test_every_prompt_has_a_check_that_needs_no_judge_and_all_are_valid(prompt: Prompt):
    assert not all(needs_judge(check) for check in prompt.checks)
    assert [validate_check(check) for check in prompt.checks if validate_check(check)] == []
    assert prompt.reference
    assert prompt.messages[-1].role == "user"


@every_prompt
async def test_the_reference_answer_satisfies_every_check(prompt: Prompt):
    assert prompt.reference is not None
    assert await unmet(prompt, prompt.reference) == []
    assert await unmet(prompt, prompt.reference + "\n") == []


@every_prompt
async def test_plausible_wrong_answers_fail_a_check(prompt: Prompt):
    assert len(WRONG[prompt.id]) >= 2
    for answer in WRONG[prompt.id]:
        assert await unmet(prompt, answer), answer


@pytest.mark.parametrize("prompt_id", RIGHT)
async def test_right_answers_of_other_forms_are_accepted(prompt_id: str):
    for answer in RIGHT[prompt_id]:
        assert await unmet(PROMPTS[prompt_id], answer) == [], answer


async def test_an_answer_to_another_prompt_of_the_suite_fails():
    """A check that anything passes would let it through."""
    for info in SUITES.curated_suites():
        prompts = SUITES.curated_prompts(info.id)
        for prompt in prompts:
            for other in prompts:
                if other is not prompt:
                    assert await unmet(prompt, other.reference or ""), (prompt.id, other.id)


@every_prompt
async def test_an_empty_answer_and_a_refusal_fail(prompt: Prompt):
    assert await unmet(prompt, "")
    assert await unmet(prompt, "I'm sorry, but I can't help with that.")


def test_wrong_and_right_answers_belong_to_prompts_there_are():
    assert WRONG.keys() == PROMPTS.keys()
    assert RIGHT.keys() <= PROMPTS.keys()
