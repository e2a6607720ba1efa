"""What is sent: a suite's prompts, and the plan of a run."""

import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from ownkey.cli.failures import WrongUsage
from ownkey.domain.errors import OwnkeyError
from ownkey.domain.money import parse_usd
from ownkey.workbench.engine import PromptSource
from ownkey.workbench.preview import Estimate, Preview
from ownkey.workbench.records import Arrival, Objectives, Prompt, RunPlan, SuiteInfo
from ownkey.workbench.suites import CuratedSuites
from ownkey.workbench.suites.imports import (
    ImportLimits,
    ImportOptions,
    SuiteFormat,
    SuiteRejected,
    check_size,
    read_suite,
)
from ownkey.workbench.suites.imports import (
    Mapping as Columns,
)

LIMITS = ImportLimits(max_bytes=30 * 1024 * 1024, max_prompts=20_000, max_prompt_characters=2_000_000)
"""As roomy as an account's on a server."""
STANDARD_INPUT = "-"


class Suite(Struct, frozen=True):
    """A suite with its prompts; `notes` say what was understood or left out of a file."""

    info: SuiteInfo
    prompts: tuple[Prompt, ...]
    notes: tuple[str, ...] = ()

    def first(self, limit: int | None) -> tuple[Prompt, ...]:
        return self.prompts if limit is None else self.prompts[:limit]


def find_suite(
    named: str, mapping: Sequence[str] = (), template: str | None = None, format_: str | None = None
) -> Suite:
    """A curated suite by its id, a file in any import format, or standard input for `-`.

    Raises WrongUsage; for an invalid file with each error and its line.
    """
    options = ImportOptions(format=_format(format_), mapping=_columns(mapping), template=template)
    curated = CuratedSuites()
    known = {info.id: info for info in curated.curated_suites()}
    if named in known:
        if options != ImportOptions():
            raise WrongUsage("--mapping, --template and --suite-format go with a file, not with a curated suite")
        return Suite(known[named], curated.curated_prompts(named))
    if named == STANDARD_INPUT:
        data, filename = sys.stdin.buffer.read(LIMITS.max_bytes + 1), "standard-input"
    else:
        data, filename = _file(Path(named), known), Path(named).name
    try:
        suite = read_suite(data, filename, options, LIMITS)
    except SuiteRejected as error:
        raise WrongUsage(_faults(filename, error)) from None
    info = SuiteInfo(id=suite.name, name=suite.name, description=suite.description, prompts=len(suite.prompts))
    return Suite(info, suite.prompts, suite.notes)


def preview_of(plan: RunPlan, prompts: Iterable[Prompt]) -> Preview:
    """What a run may cost, before anything is sent."""
    estimate = Estimate(plan)
    for prompt in prompts:
        if not estimate.add(prompt):
            break
    return estimate.preview()


def source_of(prompts: Sequence[Prompt]) -> PromptSource:
    """The prompts as the engine takes them."""

    async def each() -> AsyncIterator[Prompt]:
        for prompt in prompts:
            yield prompt

    return each


def read_arrival(arrival: str, rate: float | None) -> tuple[Arrival, float | None]:
    """How load comes. Raises WrongUsage for an open loop without a rate, or a rate without one."""
    try:
        found = Arrival(arrival)
    except ValueError:
        raise WrongUsage(f"--arrival {arrival!r} is unknown: choose from {', '.join(Arrival)}") from None
    if (found is Arrival.CLOSED) is not (rate is None):
        raise WrongUsage("--rate, in requests per second, and --arrival constant or poisson require each other")
    return found, rate


def read_objectives(text: str | None) -> Objectives:
    """`ttft=200,e2e=2000,tpot=50`, in milliseconds. Raises WrongUsage."""
    values: dict[str, float] = {}
    for part in (text or "").split(",") if text else ():
        name, _, value = part.strip().partition("=")
        try:
            values[name] = float(value)
        except ValueError:
            values[name] = -1.0
        if name not in ("ttft", "tpot", "e2e") or not 0 < values[name] < float("inf"):
            raise WrongUsage(f"--objective {part!r} is not ttft=MS, tpot=MS or e2e=MS, for example ttft=200,e2e=2000")
    return Objectives(values.get("ttft"), values.get("tpot"), values.get("e2e"))


def read_max_cost(text: str | None) -> int | None:
    """USD as nano-dollars. Raises WrongUsage."""
    if text is None:
        return None
    try:
        amount = parse_usd(text.strip().removeprefix("$"))
    except ValueError:
        amount = None
    if amount is None or amount <= 0:
        raise WrongUsage(f"--max-cost {text!r} is no amount in USD, for example 0.50")
    return amount


def _columns(pairs: Sequence[str]) -> Columns:
    values: dict[str, str] = {}
    for pair in (part for text in pairs for part in text.split(",")):
        name, _, column = pair.strip().partition("=")
        if name not in Columns.__struct_fields__ or not column.strip():
            known = ", ".join(Columns.__struct_fields__)
            raise WrongUsage(f"--mapping {pair!r} is not FIELD=COLUMN with a field of {known}: prompt=question")
        values[name] = column.strip()
    return Columns(**values)


def _format(name: str | None) -> SuiteFormat | None:
    try:
        return None if name is None else SuiteFormat(name)
    except ValueError:
        raise WrongUsage(f"--suite-format {name!r} is unknown: choose from {', '.join(SuiteFormat)}") from None


def _file(path: Path, known: Mapping[str, SuiteInfo]) -> bytes:
    try:
        if not path.is_file():
            raise WrongUsage(f"{path} is no file and no curated suite; there are: {', '.join(known)}")
        check_size(path.stat().st_size, LIMITS)
        return path.read_bytes()
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}") from None
    except OwnkeyError as error:
        raise WrongUsage(f"{path}: {error.public}") from None


def _faults(filename: str, error: SuiteRejected) -> str:
    told = [f"{filename}: {problem}" for problem in error.problems]
    return "\n".join(told + ([f"… and {error.more} more"] if error.more else []))
