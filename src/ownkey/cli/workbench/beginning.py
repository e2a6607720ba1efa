"""From what was asked for to a run's file: endpoints found and checked, the plan fixed, the costs shown."""

import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from ownkey.cli.failures import WrongUsage
from ownkey.cli.workbench.carrying_out import in_loop
from ownkey.cli.workbench.connections import open_connections, require_success
from ownkey.cli.workbench.judging import GradersAsked, graders_of
from ownkey.cli.workbench.plans import (
    STANDARD_INPUT,
    find_suite,
    preview_of,
    read_arrival,
    read_max_cost,
    read_objectives,
)
from ownkey.cli.workbench.previews import show_preview
from ownkey.cli.workbench.run_files import FORMAT, Header, RunFile
from ownkey.cli.workbench.tables import tell
from ownkey.cli.workbench.targets import Chooser, Chosen
from ownkey.domain.ids import new_id
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
    """The models as later calls should ask them. Raises CommandFailed for one that does not answer."""

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
