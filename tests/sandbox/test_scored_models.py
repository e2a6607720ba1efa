"""Models that are right in a known share of prompts."""

import pytest
from tests.sandbox.raw import call, chat

from ownkey.sandbox import SandboxServer
from ownkey.sandbox.behaviours import reply_to
from ownkey.sandbox.behaviours.invocation import answer_in
from ownkey.sandbox.behaviours.judging import IGNORANCE
from ownkey.sandbox.chat import ChatRequest
from ownkey.sandbox.state import State

CHAT = "/openai/v1/chat/completions"


def said(model: str, prompt: str, seed: int = 0) -> str:
    return reply_to(ChatRequest(model=model, prompt=prompt, prompt_tokens=None, input_tokens=1), None, State(seed)).text


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
    assert said("right-0", "sandbox:answer Paris") == said("right-100", "no directive") == IGNORANCE


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
