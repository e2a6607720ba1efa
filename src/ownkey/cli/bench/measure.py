"""Asking the models: the matrix of workloads × models, open-loop load, and what Ownkey itself adds."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from ownkey.cli.bench.plans import Tasks
from ownkey.cli.bench.records import SCHEMA, Answer, Average, Bench, Measured, Skipped, Work
from ownkey.cli.failures import CommandFailed
from ownkey.cli.output import show_table
from ownkey.cli.workbench.connections import next_step, open_connections
from ownkey.cli.workbench.execution import Progress, in_loop, interrupted_by_signals
from ownkey.cli.workbench.report import amount, plain, tell
from ownkey.cli.workbench.targets import Chosen, MissingKey
from ownkey.domain.money import format_usd
from ownkey.workbench.endpoint.failures import one_line
from ownkey.workbench.engine import Ending, Runner
from ownkey.workbench.figures import Figures
from ownkey.workbench.graders import Graders
from ownkey.workbench.records import Result, RunPlan, TokenSource
from ownkey.workbench.summary import RunSummary


def usable(models: Sequence[Chosen], timeout: float, *, check: bool) -> tuple[list[Chosen], list[Skipped]]:
    """The models that have their key and, where it is checked, answer; the others with the reason.

    Raises CommandFailed when none is left.
    """

    async def work() -> tuple[list[Chosen], list[Skipped]]:
        found: list[Chosen] = []
        skipped: list[Skipped] = []
        async with open_connections() as connections:
            for model in models:
                try:
                    model.way.key()
                except MissingKey as error:
                    skipped.append(Skipped(model.target.label, str(error)))
                    continue
                if not check:
                    found.append(model)
                    continue
                chosen, seen = await connections.check(model, timeout * 1000)
                if seen.success:
                    found.append(chosen)
                else:
                    skipped.append(Skipped(model.target.label, f"{seen.message} {next_step(model, seen)}"))
        return found, skipped

    found, skipped = in_loop(work())
    for each in skipped:
        tell(f"Skipped {each.label}: {each.reason}")
    if not found:
        raise CommandFailed("no model is left to test")
    return found, skipped


def measure(plan: RunPlan, models: Sequence[Chosen], tasks: Tasks, take: Callable[[Result], None]) -> Ending:
    """Make the calls; each result goes to `take` and is not stored here. Raises CommandFailed."""

    async def work() -> Ending:
        async with open_connections() as connections:
            progress = Progress(plan)

            async def keep(results: Sequence[Result]) -> None:
                progress.add(results)
                for result in results:
                    take(result)

            callers = [connections.caller(model.way, model.target) for model in models]
            runner = Runner(plan, callers, Graders(), tasks.source, keep)
            with progress, interrupted_by_signals(runner.stop):
                return await runner.run()

    return in_loop(work())


def measured(models: Sequence[Chosen]) -> tuple[Measured, ...]:
    """The models as results name them."""
    return tuple(
        Measured(model.target.label, model.provider, model.target.model, model.way.base_url) for model in models
    )


def now() -> str:
    """UTC, to the second, as ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


PREVIEW = 100
"""Characters of an answer that are shown and stored."""


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


def run_load(
    plans: Sequence[RunPlan], models: Sequence[Chosen], tasks: Tasks, skipped: Sequence[Skipped]
) -> tuple[Bench, list[RunSummary], Ending]:
    """Load each model alone, one after the other, by its plan of one target. Raises CommandFailed."""
    summaries: list[RunSummary] = []
    ending = Ending.FINISHED
    for plan, model in zip(plans, models, strict=True):
        tell(f"{model.target.label}: {plan.prompts} calls, {plan.arrival} at {plan.rate:g}/s")
        figures = Figures(plan)
        ending = measure(plan, [model], tasks, figures.add)
        summaries.append(figures.summary())
        if ending is not Ending.FINISHED:
            break
    first = plans[0]
    bench = Bench(
        schema=SCHEMA,
        kind="load",
        at=now(),
        seed=first.seed,
        repeats=1,
        targets=measured(models),
        skipped=tuple(skipped),
        load={"arrival": first.arrival.value, "rate": first.rate, "calls": first.prompts, "most": first.concurrency},
        figures=tuple(plain(summary) for summary in summaries),
    )
    return bench, summaries, ending


def show_load(summaries: Sequence[RunSummary]) -> None:
    """Latencies from when calls were due, and how late they were sent."""
    rows = [_row(summary) for summary in summaries]
    columns = ("model", "answered", "answers/s", "p50", "p95", "p99", "TTFT p50", "TTFT p99", "sent late p99")
    show_table(rows, columns, False, "No results.")
    for summary in summaries:
        print(f"{summary.targets[0].label}: {summary.load}")
        for failure in summary.targets[0].failures:
            print(f"{failure.count} × {failure.kind}: {failure.example} {failure.advice}")
        for caution in summary.cautions:
            print(f"Note: {caution}")


def _row(summary: RunSummary) -> dict[str, str | None]:
    target = summary.targets[0]

    def shown(metric: str, point: str) -> str | None:
        spread = target.metrics.get(metric)
        return None if spread is None else amount(getattr(spread, point), spread.unit)

    return {
        "model": target.label,
        "answered": f"{target.success.count}/{target.success.total}",
        "answers/s": None if target.requests_per_second is None else f"{target.requests_per_second:.2f}",
        "p50": shown("latency_ms", "p50"),
        "p95": shown("latency_ms", "p95"),
        "p99": shown("latency_ms", "p99"),
        "TTFT p50": shown("ttft_ms", "p50"),
        "TTFT p99": shown("ttft_ms", "p99"),
        "sent late p99": shown("late_ms", "p99"),
    }


_METRICS = ("ttft_ms", "latency_ms")


def run_overhead(plan: RunPlan, direct: Chosen, through: Chosen, tasks: Tasks) -> tuple[Bench, RunSummary, Ending]:
    """Ask both, the direct one as target 0. Raises CommandFailed."""
    models: Sequence[Chosen] = (direct, through)
    figures = Figures(plan)
    ending = measure(plan, models, tasks, figures.add)
    summary = figures.summary()
    bench = Bench(
        schema=SCHEMA,
        kind="overhead",
        at=now(),
        seed=plan.seed,
        repeats=tasks.count // len(tasks.names),
        targets=measured(models),
        figures=(plain(summary),),
    )
    return bench, summary, ending


def show_overhead(summary: RunSummary) -> None:
    """Means of both ways, and the difference with its interval (BCa bootstrap over pairs)."""
    found = {metric.metric: metric for pair in summary.comparisons for metric in pair.metrics}
    rows = [
        {
            "metric": metric.metric,
            "direct": amount(metric.a, metric.unit),
            "through Ownkey": amount(metric.b, metric.unit),
            "added": amount(metric.difference, metric.unit, signed=True),
            "95 % interval": f"{amount(metric.low, metric.unit, signed=True)} to "
            f"{amount(metric.high, metric.unit, signed=True)}",
            "pairs": metric.pairs,
        }
        for metric in (found[name] for name in _METRICS if name in found)
    ]
    columns = ("metric", "direct", "through Ownkey", "added", "95 % interval", "pairs")
    show_table(rows, columns, False, "Nothing to compare: see the failures.")
    for target in summary.targets:
        for failure in target.failures:
            print(f"{target.label}: {failure.count} × {failure.kind}: {failure.example} {failure.advice}")
