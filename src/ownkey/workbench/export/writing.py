"""From a run to the exported document; JSON, the whole run in one, and JSONL, one request per line.

Both are written while the results are read. A line of the JSONL file is an element of the document's `results`.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec

from ownkey.domain.money import format_usd
from ownkey.workbench.export.document import (
    PlanRecord,
    PriceRecord,
    RequestRecord,
    RunDocument,
    RunRecord,
    SummaryRecord,
    TargetRecord,
    TokenCounts,
)
from ownkey.workbench.export.run import ExportedRun, in_blocks, outcome
from ownkey.workbench.metrics.outcomes import figures
from ownkey.workbench.records import Prices, Prompt, Result, RunPlan, Target
from ownkey.workbench.summary import RunSummary


def run_document(run: ExportedRun) -> RunDocument:
    """The run without its results."""
    return RunDocument(
        run=RunRecord(
            id=run.id,
            status=run.status,
            detail=run.detail,
            created_at=utc(run.created_at),
            started_at=None if run.started_at is None else utc(run.started_at),
            ended_at=None if run.ended_at is None else utc(run.ended_at),
        ),
        plan=plan_record(run.plan),
        targets=tuple(map(target_record, run.plan.targets)),
        summary=summary_record(run.summary),
    )


def utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def plan_record(plan: RunPlan) -> PlanRecord:
    return PlanRecord(
        suite=plan.suite,
        limit=plan.limit,
        concurrency=plan.concurrency,
        repeats=plan.repeats,
        warm_up=plan.warm_up,
        sampling=plan.sampling,
        retries=plan.retries,
        max_cost_usd=_usd(plan.max_cost),
        judge=plan.judge,
        judge_prices=_price_record(plan.judge_prices),
        embedding_model=plan.embedding_model,
        embedding_prices=_price_record(plan.embedding_prices),
        objectives=plan.objectives,
        arrival=plan.arrival,
        rate=plan.rate,
        seed=plan.seed,
        deadline_ms=plan.deadline_ms,
    )


def target_record(target: Target) -> TargetRecord:
    return TargetRecord(
        id=target.id,
        label=target.label,
        kind=target.kind,
        model=target.model,
        base_url=None if target.base_url is None else public_url(target.base_url),
        credential=target.credential,
        preset=target.preset,
        abilities=target.abilities,
        prices=_price_record(target.prices),
    )


def public_url(url: str) -> str:
    """The address without user, password, query and fragment: some services take a key there."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if parts.scheme else f"{host}{parts.path}"


def summary_record(summary: RunSummary) -> SummaryRecord:
    """The figures, each metric with its formula beside it."""
    formulas = {definition.name: definition.formula for definition in summary.definitions}
    plain = msgspec.to_builtins(summary)
    for target in plain["targets"]:
        for name, block in target["metrics"].items():
            block["formula"] = formulas.get(name, "")
    return msgspec.convert(plain, SummaryRecord)


def request_record(run: ExportedRun, prompt: Prompt, result: Result) -> RequestRecord:
    target, observation = run.plan.targets[result.slot.target], result.observation
    timing, tokens = observation.timing, observation.tokens
    known = figures(observation) if observation.ok else {}
    return RequestRecord(
        run_id=run.id,
        seq=result.seq,
        target=result.slot.target,
        label=target.label,
        model=target.model,
        prompt_id=result.prompt_id,
        position=result.slot.position,
        repeat=result.slot.repeat,
        round=result.round,
        warm_up=result.warm_up,
        outcome=outcome(result),
        passed=result.passed,
        score=result.score,
        sent_at=utc(timing.sent_at),
        ended_at=utc(timing.ended_at),
        ttft_ms=timing.ttft_ms,
        ttfo_ms=timing.ttfo_ms,
        e2e_ms=timing.e2e_ms,
        tpot_ms=known.get("tpot_ms"),
        output_tokens_per_second=known.get("tokens_per_second"),
        connect_ms=timing.connect_ms,
        late_ms=timing.late_ms,
        gaps_ms=timing.gaps_ms,
        streamed=observation.streamed,
        attempts=observation.attempts,
        backoff_ms=observation.backoff_ms,
        failure=observation.failure,
        first_failure=observation.first_failure,
        tokens=None if tokens is None else msgspec.convert(msgspec.to_builtins(tokens), TokenCounts),
        cost_usd=_usd(observation.cost),
        finish_reason=observation.finish_reason,
        answer=observation.text,
        reasoning=observation.reasoning,
        cautions=observation.cautions,
        grades=result.grades,
        prompt=prompt,
    )


def _price_record(prices: Prices | None) -> PriceRecord | None:
    if prices is None:
        return None
    return PriceRecord(
        input_usd_per_million=format_usd(prices.input),
        output_usd_per_million=format_usd(prices.output),
        source=prices.source,
    )


def _usd(amount: int | None) -> str | None:
    return None if amount is None else format_usd(amount)


_OPEN_END = b"]}"


def export_json(run: ExportedRun) -> AsyncIterator[bytes]:
    """One object as `document.RunDocument` describes it, a result a line."""
    return in_blocks(_document(run))


def export_jsonl(run: ExportedRun) -> AsyncIterator[bytes]:
    return in_blocks(_lines(run))


async def _document(run: ExportedRun) -> AsyncIterator[bytes]:
    encode = msgspec.json.Encoder().encode
    # `results` is the last key and empty: what follows it is written after the results.
    yield encode(run_document(run)).removesuffix(_OPEN_END)
    separator = b"\n"
    async for prompt, result in run.results:
        yield separator + encode(request_record(run, prompt, result))
        separator = b",\n"
    yield b"\n" + _OPEN_END + b"\n"


async def _lines(run: ExportedRun) -> AsyncIterator[bytes]:
    encode = msgspec.json.Encoder().encode
    async for prompt, result in run.results:
        yield encode(request_record(run, prompt, result)) + b"\n"
