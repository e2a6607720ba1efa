"""A benchmark from its options to its results."""

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from ownkey.cli.bench.measure import mean_of, run_load, run_matrix, run_overhead, show_load, show_overhead, usable
from ownkey.cli.bench.plans import Asked, check_mode, models_of, plan_of, preview, tasks_of, through_ownkey
from ownkey.cli.bench.records import (
    Answer,
    Average,
    Bench,
    Measured,
    Work,
    read_history,
    show_trends,
    trends,
    write_bench,
)
from ownkey.cli.failures import CommandFailed, WrongUsage
from ownkey.cli.output import show, show_table
from ownkey.cli.workbench.report import plain, tell
from ownkey.cli.workbench.targets import Chooser, Chosen, open_chooser
from ownkey.workbench.engine import Ending

Json = dict[str, Any]
_COLUMNS = ("provider", "model", "seconds", "TTFT", "tokens", "cost", "answered")


def show_matrix(bench: Bench) -> None:
    """A table a workload, the fastest first, with the beginnings of the answers; then averages a provider."""
    for work in bench.work:
        _show_work(work, bench.targets)
    print("Averages by provider")
    columns = ("provider", "seconds", "TTFT", "tokens", "tokens/s", "cost", "answered")
    show_table([_average(average) for average in bench.averages], columns, False, "No answers.")


def _show_work(work: Work, targets: Sequence[Measured]) -> None:
    title = work.name if work.name == work.group else f"{work.name} ({work.group})"
    print(title)
    rows: list[tuple[float, Json, str]] = []
    for index, target in enumerate(targets):
        mine = [answer for answer in work.answers if answer.target == index]
        if mine:
            rows.append(_row(target, mine))
    rows.sort(key=lambda row: row[0])
    show_table([row for _, row, _ in rows], _COLUMNS, False, "No answers.")
    for _, row, said in rows:
        print(f"  {row['provider']} {row['model']}: {said}")
    print()


def _row(target: Measured, answers: Sequence[Answer]) -> tuple[float, Json, str]:
    """How fast, the table's row, and the beginning of the first answer or what failed."""
    answered = [answer for answer in answers if answer.failure is None]
    seconds = [answer.seconds for answer in answered if answer.seconds is not None]
    first = [answer.ttft_ms for answer in answered if answer.ttft_ms is not None]
    tokens = mean_of(answer.output_tokens for answer in answered)
    cost = mean_of(None if answer.cost_usd is None else float(answer.cost_usd) for answer in answered)
    mark = "~" if any(answer.estimated for answer in answered) else ""
    row = {
        "provider": target.provider,
        "model": target.model,
        "seconds": f"{median(seconds):.3f}" if seconds else None,
        "TTFT": f"{median(first):,.0f} ms" if first else None,
        "tokens": None if tokens is None else f"{mark}{tokens:,.0f}",
        "cost": None if cost is None else f"${cost:.6f}",
        "answered": f"{len(answered)}/{len(answers)}",
    }
    said = answered[0].preview or "(an empty text)" if answered else answers[0].failure or ""
    return (median(seconds) if seconds else float("inf")), row, said


def _average(average: Average) -> Json:
    def shown(value: float | None, form: str) -> str | None:
        return None if value is None else form.format(value)

    return {
        "provider": average.provider,
        "seconds": shown(average.seconds, "{:.3f}"),
        "TTFT": shown(average.ttft_ms, "{:,.0f} ms"),
        "tokens": shown(average.output_tokens, "{:,.0f}"),
        "tokens/s": shown(average.tokens_per_second, "{:,.1f}"),
        "cost": shown(average.cost_usd, "${:.6f}"),
        "answered": f"{average.answered}/{average.calls}",
    }


Shown = tuple[Bench, Callable[[], None], Ending]
"""Results, how they are shown to a person, and how the asking ended."""


def execute(asked: Asked, *, as_json: bool) -> int:
    """Do it; the exit code. Raises CommandFailed and WrongUsage."""
    if asked.only_history:
        _show_history(asked, as_json=as_json)
        return 0
    check_mode(asked)
    bench, show_to_person, ending = _measured(asked)
    path = write_bench(bench, asked.history or Path())
    if as_json:
        told = plain(bench) | {"file": str(path)}
        if asked.history is not None:
            told["trends"] = plain(trends(read_history(asked.history)))
        show(told, True, "")
    else:
        show_to_person()
        if asked.history is not None:
            print()
            show_trends(trends(read_history(asked.history)))
        print(f"Results: {path}")
    if ending is not Ending.FINISHED:
        tell("It ended before all calls were made; the results contain those that were.")
        return 1
    return 0 if _answered(bench) else 1


def _measured(asked: Asked) -> Shown:
    chooser = open_chooser()
    models = models_of(asked, chooser)
    return _overhead(asked, chooser, models) if asked.overhead else _providers(asked, models)


def _providers(asked: Asked, models: list[Chosen]) -> Shown:
    tasks = tasks_of(asked)
    models, skipped = usable(models, asked.timeout, check=False)
    preview(asked, models, tasks)
    if asked.check:
        models, silent = usable(models, asked.timeout, check=True)
        skipped += silent
    if asked.load is None:
        bench, ending = run_matrix(plan_of(asked, models, tasks), models, tasks, skipped)
        return bench, lambda: show_matrix(bench), ending
    plans = [plan_of(asked, [model], tasks) for model in models]
    bench, summaries, ending = run_load(plans, models, tasks, skipped)
    return bench, lambda: show_load(summaries), ending


def _overhead(asked: Asked, chooser: Chooser, models: list[Chosen]) -> Shown:
    if len(models) != 1:
        raise WrongUsage("--overhead takes one model")
    both = [models[0], through_ownkey(asked, chooser, models[0])]
    for model in both:
        model.way.key()
    tasks = tasks_of(asked)
    preview(asked, both, tasks)
    if asked.check:
        both, silent = usable(both, asked.timeout, check=True)
        if silent:
            raise CommandFailed("both ways must answer to be compared")
    bench, summary, ending = run_overhead(plan_of(asked, both, tasks), both[0], both[1], tasks)
    return bench, lambda: show_overhead(summary), ending


def _show_history(asked: Asked, *, as_json: bool) -> None:
    if asked.history is None:
        raise WrongUsage("say where the results are: --history DIR")
    found = trends(read_history(asked.history))
    if as_json:
        show(plain(found), True, "")
    else:
        show_trends(found)


def _answered(bench: Bench) -> bool:
    """Whether every model answered at least once."""
    targets = [target for figures in bench.figures for target in figures["targets"]]
    return all(target["success"]["count"] for target in targets)
