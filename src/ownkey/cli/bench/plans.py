"""The options as plans: which models, which prompts, how."""

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from ownkey.cli.failures import WrongUsage
from ownkey.cli.workbench.plans import preview_of, read_arrival, read_max_cost
from ownkey.cli.workbench.start import show_preview
from ownkey.cli.workbench.targets import OWNKEY, Chooser, Chosen
from ownkey.workbench.engine import PromptSource
from ownkey.workbench.records import Arrival, Prompt, RunPlan, Sampling, SuiteInfo
from ownkey.workbench.suites import Workloads
from ownkey.workbench.suites.workloads import WORK_SIZES

COMPLEXITIES = ("simple", "medium", "complex")


class Tasks(Struct, frozen=True):
    """`names` of workloads with the `group` of each, each run `repeats` times; prompts are generated when needed."""

    workloads: Workloads
    groups: dict[str, str]
    count: int
    seed: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.groups)

    def prompts(self) -> Iterator[Prompt]:
        """All prompts; each repetition goes through all workloads."""
        for number in range(self.count):
            repetition, place = divmod(number, len(self.groups))
            yield self.workloads.workload(self.names[place], repetition, self.seed)

    def place(self, position: int) -> tuple[str, int]:
        """The workload and the repetition of a prompt by its position."""
        repetition, place = divmod(position, len(self.groups))
        return self.names[place], repetition

    @property
    def source(self) -> PromptSource:
        """The prompts as the engine takes them."""

        async def each() -> AsyncIterator[Prompt]:
            for prompt in self.prompts():
                yield prompt

        return each


def choose(
    complexities: Sequence[str], sizes: Sequence[str], default: Sequence[str]
) -> tuple[Workloads, dict[str, str]]:
    """The workloads of the requested groups, with their groups. Raises WrongUsage for an unknown one."""
    workloads = Workloads()
    for name, known, option in (
        *((each, COMPLEXITIES, "--complexity") for each in complexities),
        *((each, tuple(WORK_SIZES), "--size") for each in sizes),
    ):
        if name not in known:
            raise WrongUsage(f"{option} {name!r} is unknown: choose from {', '.join(known)}")
    wanted = list(dict.fromkeys([*complexities, *sizes])) or list(default)
    every = workloads.groups()
    return workloads, {name: group for group in wanted for name in every[group]}


MATRIX_REPEATS, OVERHEAD_REPEATS, OVERHEAD_WARM_UP = 1, 20, 2


class Asked(Struct, frozen=True, kw_only=True):
    """The options. Times are seconds; None is the mode's own default."""

    targets: Sequence[str]
    endpoint: str | None
    preset: str | None
    models: Sequence[str]
    key_env: str | None
    prices: Sequence[str]
    complexities: Sequence[str]
    sizes: Sequence[str]
    repeats: int | None
    warm_up: int | None
    concurrency: int | None
    timeout: float
    retries: int
    max_cost: str | None
    load: str | None
    rate: float | None
    duration: float | None
    overhead: bool
    through: str | None
    seed: int
    check: bool
    yes: bool
    history: Path | None

    @property
    def only_history(self) -> bool:
        """Whether there is nothing to test."""
        return self.history is not None and not self.targets and not self.models


def check_mode(asked: Asked) -> None:
    """Raise WrongUsage for options that do not go together."""
    if asked.load is not None and asked.overhead:
        raise WrongUsage("give --load or --overhead, not both")
    if asked.load is None and (asked.rate is not None or asked.duration is not None):
        raise WrongUsage("--rate and --duration go with --load constant or --load poisson")
    if asked.load is not None and (asked.rate is None or asked.duration is None):
        raise WrongUsage("--load requires --rate, in requests per second, and --duration in seconds")
    if asked.through is not None and not asked.overhead:
        raise WrongUsage("--through goes with --overhead")
    if asked.load is not None and asked.repeats is not None:
        raise WrongUsage("--repeats does not go with --load: its calls are --rate × --duration")


def models_of(asked: Asked, chooser: Chooser) -> list[Chosen]:
    """The models by `--target` and by `--model`. Raises WrongUsage."""
    count = len(asked.targets) + len(asked.models)
    if not count:
        raise WrongUsage("say which models: --target openai:gpt-5-mini, repeated, or --endpoint URL --model NAME")
    if len(asked.prices) not in (0, 1, count):
        raise WrongUsage(f"--prices is given once for all, or {count} times")
    prices = [*asked.prices] * count if len(asked.prices) == 1 else [*asked.prices] or [None] * count
    each = iter(prices)
    found = [chooser.written(spec, next(each)) for spec in asked.targets]
    return found + [chooser.at(asked.endpoint, asked.preset, name, asked.key_env, next(each)) for name in asked.models]


def through_ownkey(asked: Asked, chooser: Chooser, direct: Chosen) -> Chosen:
    """The same model through Ownkey. Raises WrongUsage."""
    if direct.target.preset == OWNKEY:
        raise WrongUsage("--overhead compares a provider with Ownkey: give --target preset:model, not Ownkey itself")
    name = asked.through
    if name is None:
        if direct.target.preset is None:
            raise WrongUsage("say what the model is called at Ownkey: --through MODEL")
        name = f"{direct.target.preset}/{direct.target.model}"
    return chooser.at(None, OWNKEY, name, None, asked.prices[0] if asked.prices else None)


def tasks_of(asked: Asked) -> Tasks:
    """The prompts: every complexity unless some are named, and the simple ones for load and overhead."""
    simple = asked.load is not None or asked.overhead
    workloads, groups = choose(asked.complexities, asked.sizes, COMPLEXITIES[:1] if simple else COMPLEXITIES)
    if asked.load is not None:
        count = max(1, round((asked.rate or 0.0) * (asked.duration or 0.0)))
    else:
        count = len(groups) * (asked.repeats or (OVERHEAD_REPEATS if asked.overhead else MATRIX_REPEATS))
    return Tasks(workloads, groups, count, asked.seed)


def plan_of(asked: Asked, models: Sequence[Chosen], tasks: Tasks) -> RunPlan:
    """The plan of one execution. Raises WrongUsage."""
    arrival, rate = (Arrival.CLOSED, None) if asked.load is None else read_arrival(asked.load, asked.rate)
    # Under load, calls are to begin when they are due: the limit is only there to protect this machine.
    concurrency = asked.concurrency or (1 if asked.load is None else 1000)
    return RunPlan(
        suite=suite_of(tasks),
        targets=tuple(model.target for model in models),
        concurrency=concurrency,
        warm_up=(OVERHEAD_WARM_UP if asked.overhead else 0) if asked.warm_up is None else asked.warm_up,
        sampling=Sampling(1024, 0.0, asked.timeout * 1000),
        retries=asked.retries,
        max_cost=read_max_cost(asked.max_cost),
        arrival=arrival,
        rate=rate,
        seed=asked.seed,
    )


def preview(asked: Asked, models: Sequence[Chosen], tasks: Tasks) -> None:
    """Show what it may cost, and ask. Raises CommandFailed when it is not to begin."""
    plan = plan_of(asked, models, tasks)
    show_preview(plan, preview_of(plan, tasks.prompts()), yes=asked.yes)


def suite_of(tasks: Tasks) -> SuiteInfo:
    return SuiteInfo(id="bench", name="Benchmark", licence="CC0-1.0", prompts=tasks.count)
