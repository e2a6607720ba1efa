"""Models that can be asked, and asking them; what a benchmark has beside runs."""

import time
from collections.abc import Callable, Sequence

from ownkey.cli.bench.records import Measured, Skipped
from ownkey.cli.bench.tasks import Tasks
from ownkey.cli.failures import CommandFailed
from ownkey.cli.workbench.carrying_out import in_loop, interrupted_by_signals
from ownkey.cli.workbench.connections import next_step, open_connections
from ownkey.cli.workbench.progress import Progress
from ownkey.cli.workbench.tables import tell
from ownkey.cli.workbench.targets import Chosen, MissingKey
from ownkey.workbench.engine import Ending, Runner
from ownkey.workbench.graders import Graders
from ownkey.workbench.records import Result, RunPlan, SuiteInfo


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
        raise CommandFailed("no model is left to be asked")
    return found, skipped


def measure(plan: RunPlan, models: Sequence[Chosen], tasks: Tasks, take: Callable[[Result], None]) -> Ending:
    """Ask; each result goes to `take` and is not kept here. Raises CommandFailed."""

    async def work() -> Ending:
        async with open_connections() as connections:
            progress = Progress(plan)

            async def keep(results: Sequence[Result]) -> None:
                progress.add(results)
                for result in results:
                    take(result)

            callers = [connections.caller(model.way, model.target) for model in models]
            runner = Runner(plan, callers, Graders(), tasks.source, keep)
            with progress, interrupted_by_signals(runner):
                return await runner.run()

    return in_loop(work())


def suite_of(tasks: Tasks) -> SuiteInfo:
    return SuiteInfo(id="bench", name="Benchmark", licence="CC0-1.0", prompts=tasks.count)


def measured(models: Sequence[Chosen]) -> tuple[Measured, ...]:
    """The models as results name them."""
    return tuple(
        Measured(model.target.label, model.provider, model.target.model, model.way.base_url) for model in models
    )


def now() -> str:
    """UTC, to the second, as ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
