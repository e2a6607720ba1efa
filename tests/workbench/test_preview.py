"""What a run may cost, estimated before it starts: by hand."""

from msgspec.structs import replace
from tests.workbench.engine.scripted import a_plan, a_target

from ownkey.workbench.preview import Estimate, Preview, Share
from ownkey.workbench.records import Check, Judge, Message, Prices, Prompt, RunPlan, Sampling

PRICES = Prices(1_000_000_000, 2_000_000_000, "user")
"""A thousand nano-dollars a token read, two thousand a token written."""
QUESTION = Prompt("p", (Message("user", "x" * 40),))
RUBRIC = replace(QUESTION, checks=(Check("llm-rubric", "is kind"), Check("not-llm-rubric", "is rude")))
SIMILAR = replace(QUESTION, checks=(Check("similar", ["y" * 100, "z" * 100]),))


def preview(plan: RunPlan, *prompts: Prompt) -> Preview:
    estimate = Estimate(plan)
    assert all(estimate.add(prompt) for prompt in prompts)
    return estimate.preview()


def test_an_answer_is_likely_short_and_at_most_as_long_as_it_may_be() -> None:
    plan = a_plan(1, a_target(prices=PRICES), sampling=Sampling(max_tokens=100))
    # 10 tokens and 8 for the template in, 40 out; at most 40 and 16 in, 100 out.
    assert preview(plan, QUESTION).answers == Share(1, 18_000 + 80_000, 56_000 + 200_000)
    assert preview(plan, replace(QUESTION, max_tokens=10)).answers == Share(1, 18_000 + 8_000, 56_000 + 20_000)


def test_repeats_models_and_warm_ups_are_counted_where_they_fall() -> None:
    plan = a_plan(2, a_target("a", PRICES), a_target("b", PRICES), repeats=3, warm_up=3)
    # Warm-ups take the first prompt twice and the second once, for each model.
    once = preview(a_plan(1, a_target(prices=PRICES)), QUESTION).answers
    assert once.most is not None
    found = preview(plan, QUESTION, QUESTION)
    assert found.answers.calls == 2 * (2 * 3 + 3)
    assert found.most == found.answers.most == 18 * once.most


def test_no_more_prompts_are_counted_than_the_run_asks() -> None:
    estimate = Estimate(a_plan(5, limit=1))
    assert estimate.add(QUESTION)
    assert not estimate.add(QUESTION)
    assert estimate.preview().answers.calls == 1


def test_a_judge_reads_each_answer_by_each_rubric_and_each_pair_in_both_orders() -> None:
    sampling = Sampling(max_tokens=100)
    plan = a_plan(
        1, a_target("a", PRICES), a_target("b", PRICES), a_target("c", PRICES), repeats=2, sampling=sampling,
        judge=Judge("j"), judge_prices=PRICES,
    )  # fmt: skip
    found = preview(plan, RUBRIC)
    assert found.judge.calls == 2 * 2 * 3 + 2 * 2
    assert found.judge.likely is not None
    assert found.judge.most is not None
    # A verdict of 200 tokens each, and an answer of 40 tokens read; at most 2,048 written.
    assert found.judge.likely > found.judge.calls * (200 * 2000 + 40 * 1000)
    assert found.judge.most > found.judge.calls * 2048 * 2000
    assert found.likely == (found.answers.likely or 0) + found.judge.likely


def test_embeddings_read_the_answer_and_the_texts() -> None:
    prices = Prices(1_000_000_000, 0, "user")
    plan = a_plan(
        1, a_target(prices=PRICES), sampling=Sampling(max_tokens=100), embedding_model="e", embedding_prices=prices
    )
    # Texts of 25 and 8 tokens each, and 40 of an answer; at most 116 each, and 20 bytes for each of 100 tokens.
    assert preview(plan, SIMILAR).embeddings == Share(1, (2 * 33 + 40) * 1000, (2 * 116 + 2000) * 1000)


def test_an_unknown_price_makes_the_whole_unknown_and_is_told_where_it_is() -> None:
    plan = a_plan(1, a_target(prices=PRICES), judge=Judge("j"))
    assert preview(plan, QUESTION).most is not None
    found = preview(plan, RUBRIC)
    assert (found.judge, found.likely, found.most) == (Share(2, None, None), None, None)
    assert found.answers.most is not None
