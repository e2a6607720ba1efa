"""The curated suites: complete, and with checks that tell right answers from wrong ones."""

import tomllib
from pathlib import Path

import pytest
from tests.workbench.suites.evaluator import JUDGED, TYPES, decidable, unmet

from ownkey.domain.errors import NotFound
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
def test_every_prompt_has_checks_of_known_types_with_a_value(prompt: Prompt):
    assert decidable(prompt.checks)
    for check in prompt.checks:
        assert check.type.removeprefix("not-") in JUDGED | TYPES.keys()
        assert check.value
    assert prompt.reference
    assert prompt.messages[-1].role == "user"


@every_prompt
def test_the_reference_answer_satisfies_every_check(prompt: Prompt):
    assert prompt.reference is not None
    assert unmet(prompt.checks, prompt.reference) == []
    assert unmet(prompt.checks, prompt.reference + "\n") == []


@every_prompt
def test_plausible_wrong_answers_fail_a_check(prompt: Prompt):
    assert len(WRONG[prompt.id]) >= 2
    for answer in WRONG[prompt.id]:
        assert unmet(prompt.checks, answer), answer


@pytest.mark.parametrize("prompt_id", RIGHT)
def test_right_answers_of_other_forms_are_accepted(prompt_id: str):
    for answer in RIGHT[prompt_id]:
        assert unmet(PROMPTS[prompt_id].checks, answer) == [], answer


def test_an_answer_to_another_prompt_of_the_suite_fails():
    """A check that anything passes would let it through."""
    for info in SUITES.curated_suites():
        prompts = SUITES.curated_prompts(info.id)
        for prompt in prompts:
            for other in prompts:
                if other is not prompt:
                    assert unmet(prompt.checks, other.reference or ""), (prompt.id, other.id)


@every_prompt
def test_an_empty_answer_and_a_refusal_fail(prompt: Prompt):
    assert unmet(prompt.checks, "")
    assert unmet(prompt.checks, "I'm sorry, but I can't help with that.")


def test_wrong_and_right_answers_belong_to_prompts_there_are():
    assert WRONG.keys() == PROMPTS.keys()
    assert RIGHT.keys() <= PROMPTS.keys()
