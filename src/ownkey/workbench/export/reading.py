"""From an exported JSON file back to the run, so that it can be exported again without asking the model again.

The file is a person's: it may be another kind of file, cut off, of another version or changed by hand.
"""

import re
from collections.abc import AsyncIterator, Iterable
from datetime import datetime

import msgspec
from msgspec import Struct

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.money import Nano, parse_usd
from ownkey.workbench.export.document import PriceRecord, RequestRecord, RunDocument, TargetRecord
from ownkey.workbench.export.run import ExportedRun
from ownkey.workbench.records import Observation, Prices, Prompt, Result, RunPlan, Slot, Target, Timing, Tokens
from ownkey.workbench.summary import SCHEMA, RunSummary

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_AGAIN = "Export the run again as JSON."
_AT = re.compile(r"^(?P<what>.*?) - at `(?P<where>\$.*)`$", re.DOTALL)


class _Head(Struct):
    schema: str


def read_json(data: bytes) -> ExportedRun:
    """The run that `export_json` wrote; unknown keys are passed over. Raises InvalidRequest that says what is wrong
    with the file, and where."""
    document = _decoded(data.removeprefix(_BYTE_ORDER_MARK))
    _require_consistent(document)
    run = document.run
    return ExportedRun(
        id=run.id,
        plan=_plan(document),
        status=run.status,
        detail=run.detail,
        created_at=run.created_at.timestamp(),
        started_at=_seconds(run.started_at),
        ended_at=_seconds(run.ended_at),
        summary=msgspec.convert(msgspec.to_builtins(document.summary), RunSummary),
        results=_results(document.results),
    )


def _decoded(data: bytes) -> RunDocument:
    if not data.strip():
        raise InvalidRequest(f"The file is empty. {_AGAIN}")
    try:
        schema = msgspec.json.decode(data, type=_Head).schema
        if schema == SCHEMA:
            return msgspec.json.decode(data, type=RunDocument)
    except UnicodeDecodeError as error:
        raise InvalidRequest(_not_utf8(error)) from error
    except RecursionError as error:
        raise InvalidRequest(f"The file is nested too deeply to be an exported run. {_AGAIN}") from error
    except msgspec.ValidationError as error:
        raise InvalidRequest(_misfit(str(error))) from error
    except msgspec.DecodeError as error:
        raise InvalidRequest(_no_json(data, str(error))) from error
    raise InvalidRequest(
        f"The file's schema is `{schema[:80]}`, and this version of Ownkey reads `{SCHEMA}`. "
        "Use the version that wrote the file, or export the run again."
    )


def _misfit(text: str) -> str:
    if "`schema`" in text or "$.schema`" in text or not (found := _AT.match(text)):
        what = text.split(" - at ", maxsplit=1)[0]
        rule = f"Its `schema` must be `{SCHEMA}`; of the exports, only JSON can be read back."
        return f"The file is not an exported run: {what}. {rule}"
    return f"The file is not a whole exported run: {found['what']} at `{found['where']}`. {_AGAIN}"


def _not_utf8(error: UnicodeDecodeError) -> str:
    return f"The file is not in UTF-8 (byte {error.start}). {_AGAIN}"


def _no_json(data: bytes, text: str) -> str:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return _not_utf8(error)
    if "trailing characters" in text:
        return f"The file holds more than one JSON value, as JSONL does. {_AGAIN}"
    if "truncated" in text:
        return f"The file is cut off. {_AGAIN}"
    return f"The file is not JSON: {text}. {_AGAIN}"


def _require_consistent(document: RunDocument) -> None:
    """Indexes point into `targets`: whoever reads the run relies on it."""
    size = len(document.targets)
    if not size:
        raise InvalidRequest(f"The file names no target at `$.targets`. {_AGAIN}")
    _require_indexes((figures.target for figures in document.summary.targets), size, "$.summary.targets[{}].target")
    pairs = document.summary.comparisons
    _require_indexes((pair.a for pair in pairs), size, "$.summary.comparisons[{}].a")
    _require_indexes((pair.b for pair in pairs), size, "$.summary.comparisons[{}].b")
    _require_indexes((record.target for record in document.results), size, "$.results[{}].target")


def _require_indexes(indexes: Iterable[int], size: int, path: str) -> None:
    for place, index in enumerate(indexes):
        if not 0 <= index < size:
            where = path.format(place)
            raise InvalidRequest(f"The file has {size} targets, and `{where}` names number {index}, from 0. {_AGAIN}")


def _plan(document: RunDocument) -> RunPlan:
    plan = document.plan
    return RunPlan(
        suite=plan.suite,
        targets=tuple(map(_target, document.targets)),
        limit=plan.limit,
        concurrency=plan.concurrency,
        repeats=plan.repeats,
        warm_up=plan.warm_up,
        sampling=plan.sampling,
        retries=plan.retries,
        max_cost=_nano(plan.max_cost_usd),
        judge=plan.judge,
        judge_prices=_prices(plan.judge_prices),
        embedding_model=plan.embedding_model,
        embedding_prices=_prices(plan.embedding_prices),
        objectives=plan.objectives,
        arrival=plan.arrival,
        rate=plan.rate,
        seed=plan.seed,
        deadline_ms=plan.deadline_ms,
    )


def _target(record: TargetRecord) -> Target:
    return Target(
        id=record.id,
        label=record.label,
        kind=record.kind,
        model=record.model,
        base_url=record.base_url,
        credential=record.credential,
        preset=record.preset,
        abilities=record.abilities,
        prices=_prices(record.prices),
    )


def _prices(record: PriceRecord | None) -> Prices | None:
    if record is None:
        return None
    return Prices(parse_usd(record.input_usd_per_million), parse_usd(record.output_usd_per_million), record.source)


async def _results(records: tuple[RequestRecord, ...]) -> AsyncIterator[tuple[Prompt, Result]]:
    for record in records:
        yield record.prompt, _result(record)


def _result(record: RequestRecord) -> Result:
    return Result(
        slot=Slot(record.target, record.position, record.repeat),
        prompt_id=record.prompt_id,
        observation=_observation(record),
        grades=record.grades,
        passed=record.passed,
        score=record.score,
        seq=record.seq,
        round=record.round,
        warm_up=record.warm_up,
    )


def _observation(record: RequestRecord) -> Observation:
    timing = Timing(
        sent_at=record.sent_at.timestamp(),
        ended_at=record.ended_at.timestamp(),
        ttft_ms=record.ttft_ms,
        ttfo_ms=record.ttfo_ms,
        e2e_ms=record.e2e_ms,
        gaps_ms=record.gaps_ms,
        connect_ms=record.connect_ms,
        late_ms=record.late_ms,
    )
    tokens = record.tokens
    return Observation(
        timing=timing,
        text=record.answer,
        reasoning=record.reasoning,
        finish_reason=record.finish_reason,
        tokens=None if tokens is None else msgspec.convert(msgspec.to_builtins(tokens), Tokens),
        cost=_nano(record.cost_usd),
        streamed=record.streamed,
        failure=record.failure,
        attempts=record.attempts,
        backoff_ms=record.backoff_ms,
        first_failure=record.first_failure,
        cautions=record.cautions,
    )


def _nano(usd: str | None) -> Nano | None:
    return None if usd is None else parse_usd(usd)


def _seconds(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()
