"""Runs made up for tests: what an engine, a database and the metrics would hand over."""

import statistics
from collections.abc import AsyncIterator, Iterable, Sequence

from ownkey.workbench.export import ExportedRun
from ownkey.workbench.records import (
    Check,
    EndpointKind,
    Failure,
    FailureKind,
    Grade,
    Message,
    Observation,
    Prices,
    Prompt,
    Result,
    RunPlan,
    RunStatus,
    Slot,
    SuiteInfo,
    Target,
    Timing,
    Tokens,
)
from ownkey.workbench.summary import (
    Definition,
    FailureCount,
    MetricComparison,
    PairComparison,
    Rate,
    RunSummary,
    Spread,
    TargetSummary,
    TokenTotals,
    Verdict,
)

START = 1_764_000_000.0
FIRST = Slot(0, 0, 0)
PRICES = Prices(input=150_000_000, output=600_000_000, source="catalogue")
DEFINITIONS = (
    Definition("latency_ms", "ms", "last content chunk − request sent"),
    Definition("ttft_ms", "ms", "first content or reasoning delta − request sent"),
    Definition("output_tokens", "tokens", "the server's count"),
    Definition("success", "share", "requests answered in the end / requests; 95 % Wilson interval"),
)
Rows = Sequence[tuple[Prompt, Result]]


def target(number: int = 0, **fields: object) -> Target:
    label = ("swift-small", "calm-large", "third")[number]
    known: dict[str, object] = {
        "id": f"t{number}",
        "label": label,
        "kind": EndpointKind.DIRECT,
        "model": f"maker/{label}-1.5",
        "base_url": "https://models.example/v1",
        "prices": PRICES,
    }
    return Target(**(known | fields))  # type: ignore[arg-type]


def prompt(number: int = 0, **fields: object) -> Prompt:
    known: dict[str, object] = {
        "id": f"support-easy-{number + 1:02d}",
        "messages": (
            Message("system", "Be brief."),
            Message("user", f"My parcel number {number + 1} is late. What now?"),
        ),
        "checks": (Check("contains", "parcel"),),
        "reference": "An apology and the next step.",
        "tags": ("support",),
    }
    return Prompt(**(known | fields))  # type: ignore[arg-type]


def answered(
    asked: Prompt,
    slot: Slot = FIRST,
    *,
    text: str = "Sorry about the parcel.",
    e2e_ms: float = 812.5,
    passed: bool | None = True,
    seq: int = 1,
    reason: str = "",
    **fields: object,
) -> Result:
    sent = START + seq
    known: dict[str, object] = {
        "timing": Timing(
            sent, sent + e2e_ms / 1000, ttft_ms=e2e_ms / 4, ttfo_ms=e2e_ms / 4, e2e_ms=e2e_ms, gaps_ms=(5.0, 7.5)
        ),
        "text": text,
        "finish_reason": "stop",
        "tokens": Tokens(32, 143),
        "cost": 90_600,
    }
    grades = () if passed is None else (Grade("contains", passed, reason=reason or ("" if passed else "no “parcel”")),)
    return Result(
        slot=slot,
        prompt_id=asked.id,
        observation=Observation(**(known | fields)),  # type: ignore[arg-type]
        grades=grades,
        passed=passed,
        score=None if passed is None else float(passed),
        seq=seq,
    )


def failed(
    asked: Prompt,
    slot: Slot = FIRST,
    kind: FailureKind = FailureKind.TIMEOUT,
    message: str = "no answer in 60 s",
    seq: int = 1,
) -> Result:
    failure = Failure(kind, message, status=None)
    observation = Observation(
        timing=Timing(START + seq, START + seq + 60),
        failure=failure,
        attempts=3,
        backoff_ms=1500.0,
        first_failure=failure,
    )
    return Result(slot=slot, prompt_id=asked.id, observation=observation, seq=seq)


def plan(count: int = 1, *, prompts: int = 10, **fields: object) -> RunPlan:
    known: dict[str, object] = {
        "suite": SuiteInfo(id="support-easy", name="Customer support, easy", prompts=prompts, curated=True),
        "targets": tuple(target(number) for number in range(count)),
        "max_cost": 1_500_000_000,
        "seed": 7,
    }
    return RunPlan(**(known | fields))  # type: ignore[arg-type]


def spread(values: Sequence[float], unit: str = "ms") -> Spread:
    ordered = sorted(values)
    count = len(ordered)
    cautions = tuple(name for name, needed in (("p95", 59), ("p99", 299)) if count < needed)
    return Spread(
        unit,
        count,
        sum(ordered) / count,
        ordered[0],
        ordered[-1],
        statistics.median(ordered),
        ordered[int(0.95 * (count - 1))],
        ordered[int(0.99 * (count - 1))],
        statistics.stdev(ordered) if count > 1 else None,
        cautions,
    )


def rate(count: int, total: int) -> Rate:
    share = count / total
    return Rate(count, total, share, max(0.0, share - 0.15), min(1.0, share + 0.1))


def target_summary(number: int, rows: Rows, label: str | None = None) -> TargetSummary:
    mine = [result for _, result in rows if result.slot.target == number]
    good = [result.observation for result in mine if result.observation.ok]
    metrics = {}
    if good:
        metrics = {
            "latency_ms": spread([found.timing.e2e_ms or 0.0 for found in good]),
            "ttft_ms": spread([found.timing.ttft_ms or 0.0 for found in good]),
            "output_tokens": spread([found.tokens.output if found.tokens else 0 for found in good], "tokens"),
        }
    graded = [result for result in mine if result.passed is not None]
    kinds = {
        result.observation.failure.kind: result.observation.failure for result in mine if result.observation.failure
    }
    return TargetSummary(
        target=number,
        label=label or target(number).label,
        model=target(number).model,
        requests=len(mine),
        success=rate(len(good), max(len(mine), 1)),
        first_attempt=rate(len(good), max(len(mine), 1)),
        passed=rate(sum(bool(result.passed) for result in graded), len(graded)) if graded else None,
        metrics=metrics,
        tokens=TokenTotals(320, 1430, 12, 0, 1),
        cost_usd="0.000906",
        cost_per_passed_usd="0.0001132",
        duration_ms=12_345.0,
        system_tokens_per_second=115.8,
        failures=tuple(
            FailureCount(kind, 1, "Raise the time-out, or ask for shorter answers.", failure.message)
            for kind, failure in kinds.items()
        ),
        cold_start={"latency_ms": 2300.0},
        warm_ups=1,
    )


def comparison() -> PairComparison:
    latency = MetricComparison(
        metric="latency_ms",
        unit="ms",
        higher_is_better=False,
        method="paired bootstrap (BCa)",
        pairs=10,
        a=812.5,
        b=1404.2,
        difference=591.7,
        low=310.0,
        high=880.0,
        p=0.001,
        p_adjusted=0.003,
        verdict=Verdict.A,
        words="swift-small is faster.",
    )
    passed = MetricComparison(
        metric="passed",
        unit="share",
        higher_is_better=True,
        method="exact McNemar",
        pairs=10,
        a=0.8,
        b=0.9,
        difference=0.1,
        low=-0.2,
        high=0.4,
        p=1.0,
        p_adjusted=1.0,
        verdict=Verdict.CANNOT_TELL,
        more_pairs=120,
    )
    words = "swift-small is faster on the same prompts; on quality 10 prompts cannot tell, about 120 more would."
    return PairComparison(
        a=0, b=1, verdict=Verdict.A, words=words, metrics=(passed, latency), cost_per_passed_usd=("0.0001132", None)
    )


def summary(rows: Rows, targets: int = 1, *, compared: bool = False, labels: Sequence[str] | None = None) -> RunSummary:
    return RunSummary(
        targets=tuple(target_summary(number, rows, labels[number] if labels else None) for number in range(targets)),
        comparisons=(comparison(),) if compared else (),
        definitions=DEFINITIONS,
        load="closed loop: 1 at a time, the next request is sent when one ends",
        cautions=("p95 and p99 cannot be relied on: they rest on 10 answers a model.",),
    )


def pages(rows: Iterable[tuple[Prompt, Result]]) -> AsyncIterator[tuple[Prompt, Result]]:
    async def each() -> AsyncIterator[tuple[Prompt, Result]]:
        for row in rows:
            yield row

    return each()


def rows_of(targets: int = 2, prompts: int = 10) -> list[tuple[Prompt, Result]]:
    """Interleaved as an engine asks: one answer fails its check, one call fails, one cannot be graded."""
    rows: list[tuple[Prompt, Result]] = []
    for position in range(prompts):
        for number in range(targets):
            asked, slot, seq = prompt(position), Slot(number, position, 0), len(rows) + 1
            e2e = 500.0 + 97.25 * ((position * 7 + number * 11) % 13) + 600 * number
            if position == 3 and number == 0:
                result = failed(asked, slot, seq=seq)
            elif position == 5:
                result = answered(asked, slot, text="I cannot help.", e2e_ms=e2e, passed=False, seq=seq)
            elif position == 6 and number == 1:
                result = answered(asked, slot, e2e_ms=e2e, passed=None, seq=seq)
            else:
                result = answered(asked, slot, e2e_ms=e2e, seq=seq)
            rows.append((asked, result))
    return rows


def run(rows: Rows | None = None, *, targets: int = 2, compared: bool = True, **fields: object) -> ExportedRun:
    rows = rows_of(targets) if rows is None else rows
    known: dict[str, object] = {
        "id": "run_01",
        "plan": plan(targets),
        "status": RunStatus.COMPLETED,
        "created_at": START,
        "started_at": START + 0.25,
        "ended_at": START + 100,
        "summary": summary(rows, targets, compared=compared and targets > 1),
        "results": pages(rows),
    }
    return ExportedRun(**(known | fields))  # type: ignore[arg-type]


async def whole(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])
