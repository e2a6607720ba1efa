"""Which prompts a benchmark asks: of complexities and work sizes, one of its own for each repetition."""

from collections.abc import AsyncIterator, Iterator, Sequence

from msgspec import Struct

from ownkey.cli.failures import WrongUsage
from ownkey.workbench.engine import PromptSource
from ownkey.workbench.records import Prompt
from ownkey.workbench.suites import Workloads
from ownkey.workbench.suites.workloads import WORK_SIZES

COMPLEXITIES = ("simple", "medium", "complex")


class Tasks(Struct, frozen=True):
    """`names` of workloads with the `group` of each, asked `repeats` times; prompts are made when they are needed."""

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
    """The workloads of the groups that were asked for, with their groups. Raises WrongUsage for an unknown one."""
    workloads = Workloads()
    for name, known, option in (
        *((each, COMPLEXITIES, "--complexity") for each in complexities),
        *((each, tuple(WORK_SIZES), "--size") for each in sizes),
    ):
        if name not in known:
            raise WrongUsage(f"{option} {name!r} is none of {', '.join(known)}")
    wanted = list(dict.fromkeys([*complexities, *sizes])) or list(default)
    every = workloads.groups()
    return workloads, {name: group for group in wanted for name in every[group]}
