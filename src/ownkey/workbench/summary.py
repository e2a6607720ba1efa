"""The figures of a run as values: what is stored, shown, exported and sent to a model. Pure.

Durations are milliseconds, rates are shares from 0 to 1, money is in USD as a decimal string where it is exact and as
a number inside a `Spread`.
"""

from enum import StrEnum

from msgspec import Struct

from ownkey.workbench.records import FailureKind

SCHEMA = "ownkey.workbench.run/1"
"""The name and version of the exported JSON."""


class Spread(Struct, frozen=True, omit_defaults=True):
    """How a metric is distributed. `std` is the sample's, None below two values. `cautions` names the percentiles that
    `count` values cannot carry (p95 below 59, p99 below 299)."""

    unit: str
    count: int
    avg: float
    min: float
    max: float
    p50: float
    p95: float
    p99: float
    std: float | None = None
    cautions: tuple[str, ...] = ()


class Rate(Struct, frozen=True):
    """`count` of `total` with its 95 % Wilson interval from `low` to `high`."""

    count: int
    total: int
    rate: float
    low: float
    high: float


class FailureCount(Struct, frozen=True):
    """How often one kind of failure ended a request, what to do about it, and what one endpoint said."""

    kind: FailureKind
    count: int
    advice: str
    example: str


class Definition(Struct, frozen=True):
    """A metric in words: printed beside its figure."""

    name: str
    unit: str
    formula: str


class TokenTotals(Struct, frozen=True):
    """Sums over all requests; `estimated` is in how many of them we counted ourselves."""

    input: int
    output: int
    reasoning: int
    cached: int
    estimated: int


class TargetSummary(Struct, frozen=True, kw_only=True):
    """The figures of one target.

    `metrics` is keyed by the names in `definitions`. `success` counts requests with an answer in the end,
    `first_attempt` those whose first call did. `passed` is over the graded answers, None where nothing was graded.
    `duration_ms` runs from the first send to the last response, summed over the run's rounds. `cost_usd` is None where
    no price is known, and `unpriced` counts the answers it leaves out. `goodput_per_second` and `good` are None where
    no objective is stated; `quality_adjusted_goodput` is good and passed requests per second.
    """

    target: int
    label: str
    model: str
    requests: int
    success: Rate
    first_attempt: Rate
    passed: Rate | None = None
    metrics: dict[str, Spread] = {}
    tokens: TokenTotals
    cost_usd: str | None = None
    unpriced: int = 0
    cost_per_passed_usd: str | None = None
    duration_ms: float = 0.0
    system_tokens_per_second: float | None = None
    requests_per_second: float | None = None
    goodput_per_second: float | None = None
    good: Rate | None = None
    quality_adjusted_goodput: float | None = None
    failures: tuple[FailureCount, ...] = ()
    cold_start: dict[str, float] = {}
    warm_ups: int = 0


class Verdict(StrEnum):
    A = "a"
    B = "b"
    CANNOT_TELL = "cannot_tell"


class MetricComparison(Struct, frozen=True, kw_only=True):
    """One metric of two targets on the same prompts.

    `a` and `b` are means (for pass/fail: pass rates) over the `pairs`, `difference` is b − a with its interval at the
    level of the comparison, `p` and `p_adjusted` (Holm) the test's. `more_pairs` estimates how many further pairs
    would tell, None when it tells already or when no number would.
    """

    metric: str
    unit: str
    higher_is_better: bool
    method: str
    pairs: int
    a: float
    b: float
    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float
    verdict: Verdict
    more_pairs: int | None = None
    words: str = ""


class Preference(Struct, frozen=True):
    """What a judge preferred, each pair of answers seen in both orders. A disagreement with itself is a tie;
    `flip_rate` is how often that happened."""

    judge: str
    a_wins: int
    b_wins: int
    ties: int
    flip_rate: float


class PairComparison(Struct, frozen=True, kw_only=True):
    """Two targets of a run, by index, compared. `words` is the verdict as a person would say it."""

    a: int
    b: int
    verdict: Verdict
    words: str
    metrics: tuple[MetricComparison, ...]
    preference: Preference | None = None
    quality_adjusted_goodput: tuple[float | None, float | None] = (None, None)
    cost_per_passed_usd: tuple[str | None, str | None] = (None, None)


class Spent(Struct, frozen=True, kw_only=True):
    """What a run has spent in all its rounds: on the tested models' answers, including retries, and
    beside them on a judge and embeddings. What `unpriced` calls cost is not known and in neither. `words` says it."""

    answers_usd: str
    beside_usd: str
    calls_beside: int
    unpriced: int
    words: str


class RunSummary(Struct, frozen=True, kw_only=True):
    """All figures of a run. `cautions` are sentences to be shown with them; `spent` is None where nobody kept it."""

    targets: tuple[TargetSummary, ...]
    comparisons: tuple[PairComparison, ...] = ()
    definitions: tuple[Definition, ...] = ()
    load: str = ""
    cautions: tuple[str, ...] = ()
    spent: Spent | None = None
