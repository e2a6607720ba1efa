"""Models that are right in a known share of prompts, and judges whose verdict can be foretold."""

from typing import Any

import msgspec
import pytest
from tests.sandbox.raw import call, chat

from ownkey.sandbox import SandboxServer
from ownkey.sandbox.behaviours import reply_to
from ownkey.sandbox.behaviours.scored import IGNORANCE
from ownkey.sandbox.directions import answer_in, verdict_in
from ownkey.sandbox.scene import Scene
from ownkey.sandbox.turn import Ask

CHAT = "/openai/v1/chat/completions"


def said(model: str, prompt: str, seed: int = 0) -> str:
    return reply_to(Ask(model=model, prompt=prompt, prompt_tokens=None, input_tokens=1), None, Scene(seed)).text


def right(model: str, seed: int = 0, prompts: int = 2000) -> set[int]:
    """Which of so many prompts the model answers right."""
    return {at for at in range(prompts) if said(model, f"Question {at}\nsandbox:answer right", seed) == "right"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Capital of France? sandbox:answer Paris", "Paris"),
        ("sandbox:answer New York \nmore", "New York"),
        ("sandbox:answer", None),
        ("nothing", None),
    ],
)
def test_the_right_answer_is_the_rest_of_the_line(text: str, found: str | None):
    assert answer_in(text) == found


def test_a_model_is_right_in_its_share_of_prompts_and_else_does_not_know():
    assert len(right("right-80")) == pytest.approx(1600, abs=60)
    assert len(right("right-25")) == pytest.approx(500, abs=60)
    assert (len(right("right-0")), len(right("right-100"))) == (0, 2000)
    assert said("right-0", "sandbox:answer Paris") == said("right-100", "no direction") == IGNORANCE


def test_a_better_model_knows_all_that_a_worse_one_knows_until_the_seeds_differ():
    worse, better = right("right-60"), right("right-80")
    assert worse < better
    apart = right("right-60+seed=1")
    assert len(worse & apart) == pytest.approx(0.36 * 2000, abs=90)
    assert right("right-60", seed=1) == apart


async def test_the_same_prompt_gets_the_same_answer_each_time(sandbox: SandboxServer):
    body = chat("right-50", "Which? sandbox:answer this")
    told = {(await call(sandbox.url, CHAT, body)).json["choices"][0]["message"]["content"] for _ in range(5)}
    assert len(told) == 1


def judged(prompt: str, model: str = "judge") -> Any:
    return msgspec.json.decode(said(model, prompt))


@pytest.mark.parametrize(
    ("output", "rubric", "passes"),
    [
        ("The capital is Paris.", 'mentions "paris"', True),
        ("The capital is Rome.", 'mentions "paris"', False),
        ("Paris, on the Seine", 'mentions "Paris" and "Seine"', True),
        ("Paris", 'mentions "Paris" and "Seine"', False),
        ("anything", "is polite", True),
    ],
)
def test_a_judge_passes_what_holds_all_that_the_rubric_quotes(output: str, rubric: str, passes: bool):
    tagged = judged(f"<Output>\n{output}\n</Output>\n<Rubric>\n{rubric}\n</Rubric>")
    lined = judged(f"Output: {output}\nRubric: {rubric}")
    for verdict in (tagged, lined):
        assert (verdict["pass"], verdict["score"]) == (passes, float(passes))
        assert verdict["reason"]


def test_a_judge_gives_the_verdict_it_is_directed_to():
    assert verdict_in("sandbox:verdict {broken") is None
    verdict = judged('<Output>sandbox:verdict {"pass": false, "score": 0.3}</Output><Rubric>any</Rubric>')
    assert verdict == {"pass": False, "score": 0.3}


def test_of_two_answers_the_one_with_more_of_the_quoted_texts_wins_in_either_order():
    paris, rome = "It is Paris.", "It is Rome."

    def winner(a: str, b: str, model: str = "judge") -> str:
        text = f'<Rubric>says "Paris"</Rubric><Output A>{a}</Output A><Output B>{b}</Output B>'
        return judged(text, model)["winner"]

    assert (winner(paris, rome), winner(rome, paris), winner(paris, paris)) == ("A", "B", "tie")
    assert (winner(paris, rome, "judge-first"), winner(rome, paris, "judge-first")) == ("A", "A")
