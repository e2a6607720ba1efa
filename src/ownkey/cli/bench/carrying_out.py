"""A benchmark from its options to its results."""

from collections.abc import Callable
from pathlib import Path

from ownkey.cli.bench.asked import Asked, check_mode, models_of, plan_of, preview, tasks_of, through_ownkey
from ownkey.cli.bench.history import read_history, show_trends, trends, write_bench
from ownkey.cli.bench.load import run_load, show_load
from ownkey.cli.bench.matrix import run_matrix
from ownkey.cli.bench.measuring import usable
from ownkey.cli.bench.overhead import run_overhead, show_overhead
from ownkey.cli.bench.records import Bench
from ownkey.cli.bench.tables import show_matrix
from ownkey.cli.failures import CommandFailed, WrongUsage
from ownkey.cli.output import show
from ownkey.cli.workbench.tables import plain, tell
from ownkey.cli.workbench.targets import Chooser, Chosen, open_chooser
from ownkey.workbench.engine import Ending

Shown = tuple[Bench, Callable[[], None], Ending]
"""Results, how they are shown to a person, and how the asking ended."""


def carry_out(asked: Asked, *, as_json: bool) -> int:
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
        tell("It ended before every call was made; the results hold what there is.")
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
