"""A run makes each call once, in a fair order, and ends as it was told."""

import asyncio
from collections.abc import Sequence

import pytest
from msgspec.structs import replace
from tests.workbench.engine.scripted import (
    Kept,
    ScriptedCaller,
    YesGrader,
    a_plan,
    a_target,
    answered,
    failed,
    source_of,
)

from ownkey.domain.errors import Conflict
from ownkey.workbench.engine import Ending, PayingCaller, Purse, Runner, Spending
from ownkey.workbench.records import (
    Arrival,
    FailureKind,
    Grade,
    Message,
    Observation,
    Prices,
    Prompt,
    Result,
    RunPlan,
    Sampling,
    Slot,
    Tokens,
    TokenSource,
)


def runner(plan: RunPlan, kept: Kept, *callers: ScriptedCaller, **more: object) -> Runner:
    return Runner(plan, callers, YesGrader(), source_of(plan.suite.prompts), kept.keep, **more)  # type: ignore[arg-type]


async def test_every_prompt_has_exactly_one_result_for_each_target_and_repetition() -> None:
    kept, plan = Kept(), a_plan(7, a_target("a"), a_target("b"), repeats=3, concurrency=4)
    assert await runner(plan, kept, ScriptedCaller(), ScriptedCaller()).run() is Ending.FINISHED
    slots = [result.slot for result in kept.results]
    assert sorted(slots) == [Slot(t, p, r) for t in range(2) for p in range(7) for r in range(3)]
    assert all(result.passed for result in kept.results)


async def test_targets_are_interleaved_and_who_is_first_alternates() -> None:
    order: list[str] = []

    def noting(name: str) -> ScriptedCaller:
        def script(_: int, question: str) -> object:
            order.append(f"{name}{question[-1]}")
            return answered()

        return ScriptedCaller(script)  # type: ignore[arg-type]

    plan = a_plan(3, a_target("a"), a_target("b"))
    await runner(plan, Kept(), noting("a"), noting("b")).run()
    assert order == ["a0", "b0", "b1", "a1", "a2", "b2"]


async def test_a_repetition_goes_through_the_whole_suite_before_the_next() -> None:
    caller = ScriptedCaller()
    await runner(a_plan(3, repeats=2), Kept(), caller).run()
    assert caller.asked == ["question 0", "question 1", "question 2"] * 2


async def test_as_many_calls_are_under_way_as_asked_for_and_no_more() -> None:
    caller, plan = ScriptedCaller(held=True), a_plan(20, concurrency=6)
    running = asyncio.create_task(runner(plan, Kept(), caller).run())
    await caller.until_under_way(6)
    caller.release()
    await running
    assert caller.most == 6


async def test_warm_ups_come_first_and_are_marked() -> None:
    caller, kept = ScriptedCaller(), Kept()
    await runner(a_plan(2, warm_up=3), kept, caller).run()
    warm = [result for result in kept.results if result.warm_up]
    assert [result.slot.repeat for result in warm] == [-1, -2, -3]
    assert caller.asked == ["question 0", "question 1", "question 0", "question 0", "question 1"]
    assert all(result.grades == () for result in warm)
    assert len(kept.measured) == 2


async def test_only_the_first_prompts_are_asked_when_a_limit_says_so() -> None:
    caller = ScriptedCaller()
    await runner(a_plan(9, limit=4), Kept(), caller).run()
    assert len(caller.asked) == 4


async def test_settled_calls_are_not_made_again() -> None:
    caller, kept = ScriptedCaller(), Kept()
    settled = {Slot(0, position, 0) for position in (0, 2, 3)}
    await runner(a_plan(5), kept, caller, settled=settled).run()
    assert caller.asked == ["question 1", "question 4"]


async def test_stopping_breaks_off_calls_under_way_and_records_them_as_cancelled() -> None:
    caller, kept = ScriptedCaller(held=True), Kept()
    work = runner(a_plan(10, concurrency=3), kept, caller)
    running = asyncio.create_task(work.run())
    await caller.until_under_way(3)
    work.stop()
    assert await running is Ending.STOPPED
    assert caller.cancelled == 3
    assert [result.observation.failure.kind for result in kept.results if result.observation.failure] == [
        FailureKind.CANCELLED
    ] * 3


async def test_a_server_that_stops_leaves_calls_under_way_without_a_result() -> None:
    caller, kept = ScriptedCaller(held=True), Kept()
    running = asyncio.create_task(runner(a_plan(10, concurrency=3), kept, caller).run())
    await caller.until_under_way(3)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert caller.cancelled == 3
    assert kept.results == []


async def test_a_run_whose_time_is_over_ends_and_keeps_what_came() -> None:
    caller, kept = ScriptedCaller(held=True), Kept()
    assert await runner(a_plan(10, deadline_ms=1.0), kept, caller).run() is Ending.OUT_OF_TIME
    assert [result.observation.ok for result in kept.results] == [False]


async def test_failures_that_may_pass_are_tried_again_and_the_first_is_remembered() -> None:
    def flaky(number: int, _: str) -> object:
        return failed(FailureKind.SERVER_ERROR, 1.0) if number == 0 else answered()

    kept = Kept()
    await runner(a_plan(1), kept, ScriptedCaller(flaky)).run()  # type: ignore[arg-type]
    (result,) = kept.results
    seen = result.observation
    assert seen.ok
    assert seen.attempts == 2
    assert seen.backoff_ms >= 500
    assert seen.first_failure is not None
    assert seen.first_failure.kind is FailureKind.SERVER_ERROR


@pytest.mark.parametrize("kind", [FailureKind.AUTH, FailureKind.TIMEOUT, FailureKind.CONTENT_FILTER])
async def test_failures_that_will_not_pass_are_not_tried_again(kind: FailureKind) -> None:
    caller, kept = ScriptedCaller(lambda _, __: failed(kind)), Kept()
    await runner(a_plan(2), kept, caller).run()
    assert len(caller.asked) == 2
    assert [result.passed for result in kept.results] == [None, None]


async def test_an_endpoint_that_asks_for_too_long_a_pause_is_not_waited_for() -> None:
    caller, kept = ScriptedCaller(lambda _, __: failed(FailureKind.RATE_LIMIT, 3_600_000.0)), Kept()
    await runner(a_plan(1), kept, caller).run()
    assert len(caller.asked) == 1


PRICES = Prices(1_000_000_000, 1_000_000_000, "user")
"""A thousand nano-dollars a token."""


async def test_a_run_ends_before_its_spending_limit_could_be_passed() -> None:
    target = a_target(prices=PRICES)
    sampling = Sampling(max_tokens=10)
    # The most a call can cost: 10 bytes and 16 for the template in, 10 tokens out.
    most = (len("question 0") + 16 + 10) * 1000
    caller, kept = ScriptedCaller(lambda _, __: answered(cost=most)), Kept()
    plan = a_plan(10, target, sampling=sampling, max_cost=3 * most + most // 2)
    assert await runner(plan, kept, caller).run() is Ending.OUT_OF_MONEY
    assert len(kept.results) == 3


async def test_calls_at_the_same_time_cannot_pass_the_spending_limit_together() -> None:
    target, sampling = a_target(prices=PRICES), Sampling(max_tokens=10)
    most = (len("question 0") + 16 + 10) * 1000
    caller, kept = ScriptedCaller(lambda _, __: answered(cost=most // 4)), Kept()
    plan = a_plan(10, target, sampling=sampling, max_cost=2 * most, concurrency=8)
    ending = await runner(plan, kept, caller).run()
    assert caller.most == 2
    # Four of them cost as much as one might: the limit of two leaves room for five before the next could pass it.
    assert ending is Ending.OUT_OF_MONEY
    assert sum(result.observation.cost or 0 for result in kept.results) <= 2 * most
    assert len(kept.results) == 5


def broken_off(cost: int) -> Observation:
    """A call whose connection broke after a part of its answer, which we counted ourselves."""
    return replace(failed(FailureKind.NETWORK), tokens=Tokens(1, 1, source=TokenSource.ESTIMATED), cost=cost, text="ye")


async def test_tries_that_broke_off_in_the_middle_are_in_the_cost_of_their_request() -> None:
    def script(number: int, _: str) -> Observation:
        return broken_off(30) if number < 2 else answered(cost=100)

    kept = Kept()
    await runner(a_plan(1, a_target(prices=PRICES)), kept, ScriptedCaller(script)).run()
    (result,) = kept.results
    assert result.observation.attempts == 3
    assert result.observation.cost == 160


async def test_trying_again_cannot_pass_the_spending_limit() -> None:
    target, sampling = a_target(prices=PRICES), Sampling(max_tokens=10)
    most = (len("question 0") + 16 + 10) * 1000
    caller, kept = ScriptedCaller(lambda _, __: broken_off(10)), Kept()
    # What broke off may have been written, and billed, to its end.
    plan = a_plan(10, target, sampling=sampling, max_cost=2 * most + most // 2, retries=5)
    assert await runner(plan, kept, caller).run() is Ending.OUT_OF_MONEY
    assert len(caller.asked) == 2
    (result,) = kept.results
    assert result.observation.attempts == 2


async def test_what_an_earlier_process_spent_counts() -> None:
    target, sampling = a_target(prices=PRICES), Sampling(max_tokens=10)
    most = (len("question 0") + 16 + 10) * 1000
    caller = ScriptedCaller(lambda _, __: answered(cost=most))
    plan = a_plan(10, target, sampling=sampling, max_cost=3 * most)
    assert (
        await runner(plan, Kept(), caller, purse=Purse(3 * most, Spending(answers=2 * most))).run()
        is Ending.OUT_OF_MONEY
    )
    assert len(caller.asked) == 1


async def test_a_failure_to_keep_results_ends_the_run_with_it() -> None:
    async def refuse(_: Sequence[Result]) -> None:
        raise Conflict("the session is gone")

    plan = a_plan(50, concurrency=4)
    work = Runner(plan, [ScriptedCaller()], YesGrader(), source_of(50), refuse)
    with pytest.raises(Conflict):
        await work.run()


async def test_open_loop_calls_begin_when_they_are_due_and_lateness_counts_as_latency() -> None:
    caller, kept = ScriptedCaller(), Kept()
    plan = a_plan(30, arrival=Arrival.POISSON, rate=5000.0, concurrency=100, seed=7)
    assert await runner(plan, kept, caller).run() is Ending.FINISHED
    assert len(kept.results) == 30
    # The scripted clock was at 1 s, long before the calls were due: none of them can be late.
    assert all(result.observation.timing.late_ms == 0 for result in kept.results)


async def test_what_is_held_in_memory_does_not_grow_with_the_number_of_prompts() -> None:
    """However many prompts there are, few are read ahead of their calls."""
    given = 0

    async def prompts():  # type: ignore[no-untyped-def]
        nonlocal given
        async for prompt in source_of(1000)():
            given += 1
            yield prompt

    caller, kept = ScriptedCaller(held=True), Kept()
    plan = a_plan(1000, concurrency=5)
    work = Runner(plan, [caller], YesGrader(), prompts, kept.keep)
    running = asyncio.create_task(work.run())
    await caller.until_under_way(5)
    assert given <= 10
    caller.release()
    await running
    assert len(kept.results) == 1000


async def test_only_a_few_answers_per_call_under_way_wait_for_their_grading() -> None:
    """A slow judge would otherwise let a run of thousands of answers pile up in memory."""
    graded = asyncio.Event()

    class SlowGrader(YesGrader):
        async def grade(self, prompt: Prompt, observation: Observation) -> tuple[Grade, ...]:
            await graded.wait()
            return await super().grade(prompt, observation)

    caller, kept = ScriptedCaller(), Kept()
    plan = a_plan(200, concurrency=2)
    running = asyncio.create_task(Runner(plan, [caller], SlowGrader(), source_of(200), kept.keep).run())
    # Far more turns of the event loop than all 200 calls need.
    for _ in range(5000):
        await asyncio.sleep(0)
    assert len(caller.asked) == 6
    graded.set()
    assert await running is Ending.FINISHED
    assert len(kept.results) == 200


async def test_a_judge_spends_from_the_same_purse_and_is_not_asked_when_it_is_empty() -> None:
    target, sampling = a_target(prices=PRICES), Sampling(max_tokens=10)
    question = [Message("user", "good?")]
    most = (len("good?") + 16 + 10) * 1000
    judge = ScriptedCaller(lambda _, __: answered(cost=most))
    purse = Purse(2 * most + most // 2)
    paying = PayingCaller(judge, target, purse)
    seen = [await paying.ask(question, sampling) for _ in range(3)]
    assert [each.ok for each in seen] == [True, True, False]
    assert len(judge.asked) == 2
    assert seen[2].failure is not None
    assert "spending limit" in seen[2].failure.message
