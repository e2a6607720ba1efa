"""What a run may cost, shown before anything is sent."""

import sys

import typer

from ownkey.cli.failures import CommandFailed, WrongUsage
from ownkey.domain.money import format_usd
from ownkey.workbench.engine import Preview
from ownkey.workbench.records import RunPlan


def show_preview(plan: RunPlan, preview: Preview, *, yes: bool) -> None:
    """Tell it on standard error; on a terminal ask whether to go on, elsewhere stop when it is beyond --max-cost.

    Raises WrongUsage for a limit without prices, CommandFailed when the run is not to begin.
    """
    unpriced = [target.label for target in plan.targets if target.prices is None]
    if plan.max_cost is not None and unpriced:
        raise WrongUsage(f"--max-cost needs prices, and none are known for {', '.join(unpriced)}: give --prices IN,OUT")
    print(_told(preview, plan, unpriced), file=sys.stderr)
    beyond = plan.max_cost is not None and preview.likely is not None and preview.likely > plan.max_cost
    if beyond:
        limit = format_usd(plan.max_cost or 0)
        print(f"That is more than --max-cost ${limit}: the run would end before it is exceeded.", file=sys.stderr)
    if yes or not preview.most:
        return
    if sys.stdin.isatty() and sys.stderr.isatty():
        if not typer.confirm("Go on?", default=not beyond, err=True):
            raise CommandFailed("nothing was sent")
    elif beyond:
        raise CommandFailed("nothing was sent: raise --max-cost, lower --limit or --repeats, or begin it with --yes")


def _told(preview: Preview, plan: RunPlan, unpriced: list[str]) -> str:
    calls = f"{preview.calls} calls to {', '.join(target.label for target in plan.targets)}"
    judged = (
        f"; the judge is asked about {preview.judge_calls} times, which comes on top" if preview.judge_calls else ""
    )
    if preview.likely is None or preview.most is None:
        return f"{calls}; no price is known for {', '.join(unpriced)} (see --prices){judged}"
    return f"{calls}: likely ${format_usd(preview.likely)}, at most ${format_usd(preview.most)} without retries{judged}"
