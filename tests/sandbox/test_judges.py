"""Judges whose verdicts can be foretold, asked as the workbench asks and as promptfoo does."""

import json
from typing import Any

import pytest

from ownkey.sandbox.behaviours import reply_to
from ownkey.sandbox.behaviours.invocation import verdict_in
from ownkey.sandbox.chat import ChatRequest
from ownkey.sandbox.state import State
from ownkey.workbench.graders.questions import Better, preference_question, read_better, read_opinion, rubric_question
from ownkey.workbench.records import Message, Prompt


def said(prompt: str, model: str = "judge") -> str:
    return reply_to(ChatRequest(model=model, prompt=prompt, prompt_tokens=None, input_tokens=1), None, State()).text


def question(text: str, reference: str | None = None) -> Prompt:
    return Prompt(id="1", messages=(Message("user", text),), reference=reference)


@pytest.mark.parametrize(
    ("answer", "rubric", "passes"),
    [
        ("The capital is Paris.", 'mentions "paris"', True),
        ("The capital is Rome.", 'mentions "paris"', False),
        ("Paris, on the Seine", 'mentions "Paris" and "Seine"', True),
        ("Paris", 'mentions "Paris" and "Seine"', False),
        ("anything", "is polite", True),
    ],
)
def test_a_judge_passes_what_holds_all_that_the_rubric_quotes(answer: str, rubric: str, passes: bool):
    asked = rubric_question(question('Say "Berlin".'), answer, rubric, "7f3a")[-1].content
    opinion = read_opinion(said(asked), [])
    assert opinion is not None
    assert (opinion.passed, opinion.score) == (passes, float(passes))
    promptfoos: Any = json.loads(said(f"<Output>\n{answer}\n</Output>\n<Rubric>\n{rubric}\n</Rubric>"))
    assert (promptfoos["pass"], promptfoos["score"]) == (passes, float(passes))
    assert promptfoos["reason"]


@pytest.mark.parametrize(
    "asked", [question("Capital? sandbox:answer Paris"), question("Capital?", reference="Paris")], ids=["told", "known"]
)
def test_the_right_one_of_two_answers_is_better_in_either_order(asked: Prompt):
    def better(first: str, second: str, model: str = "judge") -> Better | None:
        return read_better(said(preference_question(asked, first, second, "7f3a")[-1].content, model), [])

    right, wrong = "It is Paris.", "I do not know."
    assert better(right, wrong) is Better.FIRST
    assert better(wrong, right) is Better.SECOND
    assert better(right, right) is better(wrong, wrong) is Better.TIE
    assert better(wrong, right, "judge-first") is better(right, wrong, "judge-first") is Better.FIRST


def test_a_biased_judge_grades_a_single_answer_as_any_other():
    asked = rubric_question(question("Capital?"), "Rome", 'says "Paris"', "7f3a")[-1].content
    opinion = read_opinion(said(asked, "judge-first"), [])
    assert opinion is not None
    assert not opinion.passed


def test_a_judge_gives_the_verdict_it_is_directed_to():
    verdict = '{"pass": false, "score": 0.3}'
    assert said(f"<Output>sandbox:verdict {verdict}</Output><Rubric>any</Rubric>") == verdict
    assert verdict_in("sandbox:verdict {broken") is None
    assert verdict_in("sandbox:verdict true") is None
