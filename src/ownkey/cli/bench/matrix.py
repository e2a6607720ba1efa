"""Every workload × every model: who is how fast, at what cost."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from ownkey.cli.bench.measuring import measure, measured, now
from ownkey.cli.bench.records import SCHEMA, Answer, Average, Bench, Skipped, Work
from ownkey.cli.bench.tasks import Tasks
from ownkey.cli.workbench.tables import plain
from ownkey.cli.workbench.targets import Chosen
from ownkey.domain.money import format_usd
from ownkey.workbench.endpoint.failures import one_line
from ownkey.workbench.engine import Ending
from ownkey.workbench.figures import Figures
from ownkey.workbench.records import Result, RunPlan, TokenSource

PREVIEW = 100
"""Characters of an answer that are shown and kept."""


def run_matrix(
    plan: RunPlan, models: Sequence[Chosen], tasks: Tasks, skipped: Sequence[Skipped]
) -> tuple[Bench, Ending]:
    """Ask every model every prompt, in turn. Raises CommandFailed."""
    answers: dict[str, list[Answer]] = defaultdict(list)
    figures = Figures(plan)

    def take(result: Result) -> None:
        figures.add(result)
        if not result.warm_up:
            name, repetition = tasks.place(result.slot.position)
            answers[name].append(_answer(result, repetition))

    ending = measure(plan, models, tasks, take)
    bench = Bench(
        schema=SCHEMA,
        kind="matrix",
        at=now(),
        seed=plan.seed,
        repeats=tasks.count // len(tasks.names),
        targets=measured(models),
        skipped=tuple(skipped),
        work=tuple(Work(name, tasks.groups[name], tuple(answers[name])) for name in tasks.names),
        averages=averages(models, [answer for each in answers.values() for answer in each]),
        figures=(plain(figures.summary()),),
    )
    return bench, ending


def averages(models: Sequence[Chosen], answers: Sequence[Answer]) -> tuple[Average, ...]:
    """Each provider's means, the fastest first."""
    by_provider: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        by_provider[models[answer.target].provider].append(answer)
    found = [_average(provider, each) for provider, each in by_provider.items()]
    return tuple(sorted(found, key=lambda average: (average.seconds is None, average.seconds or 0.0)))


def _average(provider: str, answers: Sequence[Answer]) -> Average:
    answered = [answer for answer in answers if answer.failure is None]

    def mean(figure: Callable[[Answer], float | None]) -> float | None:
        return mean_of(map(figure, answered))

    return Average(
        provider=provider,
        calls=len(answers),
        answered=len(answered),
        seconds=mean(lambda answer: answer.seconds),
        ttft_ms=mean(lambda answer: answer.ttft_ms),
        output_tokens=mean(lambda answer: answer.output_tokens),
        tokens_per_second=mean(_speed),
        cost_usd=mean(lambda answer: None if answer.cost_usd is None else float(answer.cost_usd)),
    )


def mean_of(values: Iterable[float | None]) -> float | None:
    """The mean of what is known."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _speed(answer: Answer) -> float | None:
    return answer.output_tokens / answer.seconds if answer.output_tokens and answer.seconds else None


def _answer(result: Result, repetition: int) -> Answer:
    seen = result.observation
    if seen.failure is not None:
        failure = f"{seen.failure.kind}: {seen.failure.message}"
        return Answer(target=result.slot.target, repetition=repetition, failure=failure)
    tokens, timing = seen.tokens, seen.timing
    return Answer(
        target=result.slot.target,
        repetition=repetition,
        seconds=None if timing.e2e_ms is None else timing.e2e_ms / 1000,
        ttft_ms=timing.ttft_ms,
        input_tokens=None if tokens is None else tokens.input,
        output_tokens=None if tokens is None else tokens.output,
        estimated=tokens is not None and tokens.source is TokenSource.ESTIMATED,
        cost_usd=None if seen.cost is None else format_usd(seen.cost),
        passed=result.passed,
        preview=one_line(seen.text or seen.reasoning, PREVIEW),
    )
