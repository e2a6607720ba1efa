"""A run goes on as it was begun. What its figures mean must not change in the middle."""

from pathlib import Path

import typer
from msgspec import Struct

from ownkey.cli.failures import CommandFailed, WrongUsage
from ownkey.cli.workbench.plans import read_max_cost
from ownkey.cli.workbench.run_files import RunFile, find_run
from ownkey.cli.workbench.tables import tell
from ownkey.workbench.records import RunPlan

_ALLOWED = frozenset(
    {"api_key_env", "judge_key_env", "max_cost", "concurrency"}
    | {"output", "fail_under", "resume", "retry_failed", "run_dir", "yes", "as_json"}
)


class Changes(Struct, frozen=True):
    """What is different in this carrying out; None is as it was."""

    key_env: str | None
    judge_key_env: str | None
    max_cost: int | None
    concurrency: int | None


def changes_of(ctx: typer.Context) -> Changes:
    """The options that were given beside --resume. Raises WrongUsage for one that would make it another run."""
    given = {param.name: param.opts[0] for param in ctx.command.params if _is_given(ctx, param.name)}
    if refused := [option for name, option in given.items() if name not in _ALLOWED]:
        raise WrongUsage(f"--resume goes on with the run as it was begun: leave out {', '.join(refused)}")
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
