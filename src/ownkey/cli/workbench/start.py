"""From the options to a run's file: a new run, checked and with its costs shown, or an earlier one resumed."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import typer
from msgspec import Struct
from msgspec.structs import replace

from ownkey.cli.failures import CommandFailed, WrongUsage
from ownkey.cli.workbench.connections import open_connections, require_success
from ownkey.cli.workbench.execution import in_loop
from ownkey.cli.workbench.plans import (
    STANDARD_INPUT,
    find_suite,
    preview_of,
    read_arrival,
    read_max_cost,
    read_objectives,
)
from ownkey.cli.workbench.report import tell
from ownkey.cli.workbench.run_files import FORMAT, Header, RunFile, find_run
from ownkey.cli.workbench.targets import Chooser, Chosen, GradersAsked, graders_of
from ownkey.domain.ids import new_id
from ownkey.domain.money import format_usd
from ownkey.workbench.preview import Preview, Share
from ownkey.workbench.records import Judge, RunPlan, Sampling


class Asked(Struct, frozen=True, kw_only=True):
    """The options of a run, but for its models. Times are seconds."""

    suite: str | None
    mapping: Sequence[str] = ()
    template: str | None = None
    suite_format: str | None = None
    limit: int | None
    concurrency: int
    repeats: int
    warm_up: int
    max_tokens: int
    temperature: float
    timeout: float
    retries: int
    max_cost: str | None
    judge_model: str | None
    judge_endpoint: str | None
    judge_key_env: str | None
    judge_prices: str | None = None
    embedding_model: str | None = None
    embedding_price: str | None = None
    arrival: str = "closed"
    rate: float | None = None
    objective: str | None = None
    seed: int = 0
    check: bool
    yes: bool
    run_dir: Path


def begin(asked: Asked, chooser: Chooser, models: Sequence[Chosen]) -> RunFile:
    """Make the run's file, open for writing. Raises CommandFailed and WrongUsage before anything is paid for, but for
    the connection check's few small calls."""
    if asked.suite is None:
        raise WrongUsage("say what to ask: --suite ID (see `ownkey workbench suites`), a file, or - for standard input")
    suite = find_suite(asked.suite, asked.mapping, asked.template, asked.suite_format)
    arrival, rate = read_arrival(asked.arrival, asked.rate)
    graders = graders_of(
        chooser,
        GradersAsked(
            judge_model=asked.judge_model,
            judge_prices=asked.judge_prices,
            embedding_model=asked.embedding_model,
            embedding_price=asked.embedding_price,
            endpoint=asked.judge_endpoint,
            key_env=asked.judge_key_env,
        ),
    )
    plan = RunPlan(
        suite=suite.info,
        targets=tuple(model.target for model in models),
        limit=asked.limit,
        concurrency=asked.concurrency,
        repeats=asked.repeats,
        warm_up=asked.warm_up,
        sampling=Sampling(asked.max_tokens, asked.temperature, asked.timeout * 1000),
        retries=asked.retries,
        max_cost=read_max_cost(asked.max_cost),
        judge=None if asked.judge_model is None else Judge(asked.judge_model),
        judge_prices=graders.judge_prices,
        embedding_model=asked.embedding_model,
        embedding_prices=graders.embedding_prices,
        objectives=read_objectives(asked.objective),
        arrival=arrival,
        rate=rate,
        seed=asked.seed,
    )
    for model in models:
        model.way.key()
    for note in suite.notes:
        tell(f"{suite.info.name}: {note}")
    prompts = suite.first(asked.limit)
    # Standard input that held the suite cannot answer a question.
    show_preview(plan, preview_of(plan, prompts), yes=asked.yes or asked.suite == STANDARD_INPUT)
    if asked.check:
        models = checked(models, asked.timeout)
        plan = replace(plan, targets=tuple(model.target for model in models))
    ways = tuple(model.way for model in models)
    header = Header(
        format=FORMAT,
        id=new_id("wrun"),
        created_at=time.time(),
        plan=plan,
        ways=ways,
        judge=graders.way,
    )
    return RunFile.create(asked.run_dir, header, prompts)


def checked(models: Sequence[Chosen], timeout: float) -> list[Chosen]:
    """The models as later calls should use them. Raises CommandFailed for one that does not answer."""

    async def work() -> list[Chosen]:
        found: list[Chosen] = []
        async with open_connections() as connections:
            for model in models:
                chosen, check = await connections.check(model, timeout * 1000)
                require_success(model, check)
                if check.base_url != model.way.base_url:
                    tell(check.message)
                found.append(chosen)
        return found

    return in_loop(work())


_ALLOWED = frozenset(
    {"api_key_env", "judge_key_env", "max_cost", "concurrency"}
    | {"output", "fail_under", "resume", "retry_failed", "run_dir", "yes", "as_json"}
)


class Changes(Struct, frozen=True):
    """What differs in this execution; None changes nothing."""

    key_env: str | None
    judge_key_env: str | None
    max_cost: int | None
    concurrency: int | None


def changes_of(ctx: typer.Context) -> Changes:
    """The options that were given beside --resume. Raises WrongUsage for one that would make it another run."""
    given = {param.name: param.opts[0] for param in ctx.command.params if _is_given(ctx, param.name)}
    if refused := [option for name, option in given.items() if name not in _ALLOWED]:
        raise WrongUsage(f"--resume continues the run as it was started: leave out {', '.join(refused)}")
    told = ctx.params
    return Changes(
        key_env=told["api_key_env"],
        judge_key_env=told["judge_key_env"],
        max_cost=read_max_cost(told["max_cost"]),
        concurrency=told["concurrency"] if "concurrency" in given else None,
    )


def reopen(named: str, run_dir: Path, changes: Changes) -> RunFile:
    """The run's file, open for writing. Raises CommandFailed, and WrongUsage for changes that do not fit it."""
    path = find_run(named, run_dir)
    if path is None:
        raise CommandFailed(f"there is no run {named!r} in {run_dir}: see --run-dir")
    file = RunFile.reopen(path)
    plan = file.plan
    if changes.max_cost is not None and not _is_priced(plan):
        raise WrongUsage("--max-cost needs prices, and the run was begun without: begin it anew with --prices")
    file.change(changes.key_env, changes.judge_key_env, changes.max_cost, changes.concurrency)
    # Whoever wrote the file chose these: they are shown before a key leaves.
    for target, way in zip(plan.targets, file.header.ways, strict=True):
        key = "without a key" if way.key_env is None else f"with the key in {way.key_env}"
        tell(f"{target.label} at {target.base_url}, {key}")
    return file


def _is_priced(plan: RunPlan) -> bool:
    needed = [target.prices for target in plan.targets]
    needed += [plan.judge_prices] if plan.judge is not None else []
    needed += [plan.embedding_prices] if plan.embedding_model is not None else []
    return None not in needed


def _is_given(ctx: typer.Context, name: str | None) -> bool:
    source = None if name is None else ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def show_preview(plan: RunPlan, preview: Preview, *, yes: bool) -> None:
    """Print it on standard error; on a terminal ask whether to continue, elsewhere stop if it exceeds --max-cost.

    Raises WrongUsage for a limit without prices, CommandFailed when the run should not start.
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
