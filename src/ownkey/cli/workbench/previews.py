"""What a run may cost, shown before anything is sent."""

import sys

import typer

from ownkey.cli.failures import CommandFailed, WrongUsage
from ownkey.domain.money import format_usd
from ownkey.workbench.preview import Preview, Share
from ownkey.workbench.records import RunPlan


def show_preview(plan: RunPlan, preview: Preview, *, yes: bool) -> None:
    """Tell it on standard error; on a terminal ask whether to go on, elsewhere stop when it is beyond --max-cost.

    Raises WrongUsage for a limit without prices, CommandFailed when the run is not to begin.
    """
    unpriced = [target.label for target in plan.targets if target.prices is None]
    if plan.max_cost is not None:
        _check_prices(plan, preview, unpriced)
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


def _check_prices(plan: RunPlan, preview: Preview, unpriced: list[str]) -> None:
    if unpriced:
        raise WrongUsage(f"--max-cost needs prices, and none are known for {', '.join(unpriced)}: give --prices IN,OUT")
    if preview.judge.likely is None:
        raise WrongUsage("--max-cost needs prices, and none are known for the judge: give --judge-prices IN,OUT")
    if preview.embeddings.likely is None:
        raise WrongUsage("--max-cost needs prices, and none is known for embeddings: give --embedding-price USD")


def _told(preview: Preview, plan: RunPlan, unpriced: list[str]) -> str:
    answers = f"{preview.answers.calls} calls to {', '.join(target.label for target in plan.targets)}"
    unknown = f"; no price is known for {', '.join(unpriced)} (see --prices)"
    parts = [f"{answers}{_amounts(preview.answers, unknown)}"]
    if preview.judge.calls:
        unknown = "; its price is not known (see --judge-prices)"
        parts.append(f"{preview.judge.calls} to the judge{_amounts(preview.judge, unknown)}")
    if preview.embeddings.calls:
        unknown = "; its price is not known (see --embedding-price)"
        parts.append(f"{preview.embeddings.calls} to the embedding model{_amounts(preview.embeddings, unknown)}")
    if len(parts) > 1 and preview.likely is not None and preview.most is not None:
        parts.append(f"in all{_amounts(Share(0, preview.likely, preview.most), '')}")
    return "\n".join(parts) + ("" if preview.most is None else " (retries not counted)")


def _amounts(share: Share, unknown: str) -> str:
    if share.likely is None or share.most is None:
        return unknown
    return f": likely ${format_usd(share.likely)}, at most ${format_usd(share.most)}"
