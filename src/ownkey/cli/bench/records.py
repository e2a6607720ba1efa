"""A benchmark's results as they are written to `benchmark_results_<UTC time>.json`. Times are in the unit their name
says; tokens are the server's own count unless `estimated`."""

from typing import Any

from msgspec import Struct

SCHEMA = "ownkey.bench/1"


class Measured(Struct, frozen=True):
    """A model that was asked."""

    label: str
    provider: str
    model: str
    base_url: str


class Skipped(Struct, frozen=True):
    """A model that was not asked, and why."""

    label: str
    reason: str


class Answer(Struct, frozen=True, omit_defaults=True):
    """One call. `target` is an index into `targets`; `failure` says why there is no answer."""

    target: int
    repetition: int
    seconds: float | None = None
    ttft_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    estimated: bool = False
    cost_usd: str | None = None
    passed: bool | None = None
    failure: str | None = None
    preview: str = ""


class Work(Struct, frozen=True):
    """One workload with its answers; `group` is its complexity or its work size."""

    name: str
    group: str
    answers: tuple[Answer, ...]


class Average(Struct, frozen=True):
    """Means over a provider's answers; None where none has the figure."""

    provider: str
    calls: int
    answered: int
    seconds: float | None
    ttft_ms: float | None
    output_tokens: float | None
    tokens_per_second: float | None
    cost_usd: float | None


class Bench(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A whole benchmark. `kind` is matrix, load or overhead; `at` is ISO 8601 in UTC; `figures` are the workbench's
    summaries (docs/metrics.md), one for all targets, or one a target under load."""

    schema: str
    kind: str
    at: str
    seed: int
    repeats: int
    targets: tuple[Measured, ...]
    skipped: tuple[Skipped, ...] = ()
    work: tuple[Work, ...] = ()
    averages: tuple[Average, ...] = ()
    load: dict[str, Any] = {}
    figures: tuple[dict[str, Any], ...] = ()
