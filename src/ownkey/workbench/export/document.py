"""The exported JSON as types, from which `run.schema.json` is generated.

Money is a decimal string in USD, exact to a nano-dollar; times are RFC 3339 in UTC; durations are milliseconds; what is
not known is null. Adding a key does not change the schema's version; changing or removing one does.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from ownkey.workbench.export.run import Outcome
from ownkey.workbench.records import (
    Abilities,
    Arrival,
    EndpointKind,
    Failure,
    Grade,
    Judge,
    Objectives,
    Prompt,
    RunStatus,
    Sampling,
    SuiteInfo,
    Tokens,
    TokenSource,
)
from ownkey.workbench.summary import SCHEMA, PairComparison, RunSummary, Spread, TargetSummary

Usd = Annotated[str, Meta(pattern=r"^-?[0-9]{1,24}(\.[0-9]{1,9})?$", description="US dollars as an exact decimal.")]
Time = Annotated[datetime, Meta(tz=True, description="RFC 3339.")]
Milliseconds = Annotated[float, Meta(ge=-1e12, le=1e12, description="Milliseconds.")]
Count = Annotated[int, Meta(ge=0)]


class PriceRecord(Struct, frozen=True, kw_only=True):
    input_usd_per_million: Usd
    output_usd_per_million: Usd
    source: str


class TargetRecord(Struct, frozen=True, kw_only=True):
    """A model under test. It never holds a key; `base_url` comes without user, password and query."""

    id: str
    label: str
    kind: EndpointKind
    model: str
    base_url: str | None = None
    credential: str | None = None
    preset: str | None = None
    abilities: Abilities = Abilities()
    prices: PriceRecord | None = None


class PlanRecord(Struct, frozen=True, kw_only=True):
    """How the run was set up; its targets are beside it."""

    suite: SuiteInfo
    limit: int | None = None
    concurrency: int = 1
    repeats: int = 1
    warm_up: int = 0
    sampling: Sampling = Sampling()
    retries: int = 2
    max_cost_usd: Usd | None = None
    judge: Judge | None = None
    judge_prices: PriceRecord | None = None
    embedding_model: str | None = None
    embedding_prices: PriceRecord | None = None
    objectives: Objectives = Objectives()
    arrival: Arrival = Arrival.CLOSED
    rate: float | None = None
    seed: int = 0
    deadline_ms: float | None = None


class RunRecord(Struct, frozen=True, kw_only=True):
    id: str
    status: RunStatus
    detail: str = ""
    created_at: Time
    started_at: Time | None = None
    ended_at: Time | None = None


class MetricBlock(Spread, frozen=True, kw_only=True, omit_defaults=False):
    """How a metric is distributed, with the formula it was computed by."""

    formula: str = ""


class TargetFigures(TargetSummary, frozen=True, kw_only=True):
    metrics: dict[str, MetricBlock] = {}  # pyright: ignore[reportIncompatibleVariableOverride]  # Nobody writes to it.
    cost_usd: Usd | None = None
    cost_per_passed_usd: Usd | None = None


class PairFigures(PairComparison, frozen=True, kw_only=True):
    cost_per_passed_usd: tuple[Usd | None, Usd | None] = (None, None)


class SummaryRecord(RunSummary, frozen=True, kw_only=True):
    targets: tuple[TargetFigures, ...]
    comparisons: tuple[PairFigures, ...] = ()


class TokenCounts(Tokens, frozen=True, omit_defaults=False):
    source: TokenSource = TokenSource.SERVER


class RequestRecord(Struct, frozen=True, kw_only=True):
    """One request, its retries included: an element of `results`, and a line of the JSONL file.

    `target` is an index into `targets`, `position` the prompt's place in the suite, both from 0. `sent_at` and
    `ended_at` belong to the last attempt; `backoff_ms` is the wait between attempts and is in no latency.
    """

    run_id: str
    seq: int
    target: Count
    label: str
    model: str
    prompt_id: str
    position: Count
    repeat: Count
    round: int = 1
    warm_up: bool = False
    outcome: Outcome
    passed: bool | None = None
    score: float | None = None
    sent_at: Time
    ended_at: Time
    ttft_ms: Milliseconds | None = None
    ttfo_ms: Milliseconds | None = None
    e2e_ms: Milliseconds | None = None
    tpot_ms: Milliseconds | None = None
    output_tokens_per_second: float | None = None
    connect_ms: Milliseconds | None = None
    late_ms: Milliseconds = 0.0
    gaps_ms: tuple[Milliseconds, ...] = ()
    streamed: bool = True
    attempts: int = 1
    backoff_ms: Milliseconds = 0.0
    failure: Failure | None = None
    first_failure: Failure | None = None
    tokens: TokenCounts | None = None
    cost_usd: Usd | None = None
    finish_reason: str | None = None
    answer: str = ""
    reasoning: str = ""
    cautions: tuple[str, ...] = ()
    grades: tuple[Grade, ...] = ()
    prompt: Prompt


class RunDocument(Struct, frozen=True, kw_only=True, tag_field="schema", tag=SCHEMA):
    """A whole run. `results` are last, so that the file can be written while they are read."""

    run: RunRecord
    plan: PlanRecord
    targets: tuple[TargetRecord, ...]
    summary: SummaryRecord
    results: tuple[RequestRecord, ...] = ()


def json_schema() -> dict[str, Any]:
    """The document's JSON Schema (2020-12), as `run.schema.json` holds it."""
    schema = msgspec.json.decode(msgspec.json.encode(msgspec.json.schema(RunDocument)))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{SCHEMA.replace('/', ':').replace('.', ':')}",
        "title": SCHEMA,
        **schema,
    }
