"""A benchmark's results for people."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from ownkey.cli.bench.matrix import mean_of
from ownkey.cli.bench.records import Answer, Average, Bench, Measured, Work
from ownkey.cli.output import show_table

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
