"""CSV: tidy, one row per request and one column per field, with a header row (RFC 4180, UTF-8).

Texts that a spreadsheet would take for formulas get a leading apostrophe; numbers stay numbers, an unknown one is an
empty cell. `docs/exports.md` says what each column holds.
"""

import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime

from ownkey.domain.cells import text_cell
from ownkey.workbench.export.document import RequestRecord
from ownkey.workbench.export.run import ExportedRun, failed_checks, in_blocks
from ownkey.workbench.export.writing import request_record
from ownkey.workbench.records import Prompt, Result

Cell = str | int | float | None

COLUMNS = (
    *("run_id", "seq", "suite", "target", "label", "model", "prompt_id", "position", "repeat", "round", "warm_up"),
    *("outcome", "passed", "score", "failed_checks", "failure_kind", "failure_status", "failure_message"),
    *("attempts", "first_failure_kind", "backoff_ms", "sent_at", "ended_at", "streamed"),
    *("ttft_ms", "ttfo_ms", "e2e_ms", "tpot_ms", "output_tokens_per_second", "connect_ms", "late_ms"),
    *("input_tokens", "output_tokens", "reasoning_tokens", "cached_tokens", "token_source", "cost_usd"),
    *("finish_reason", "cautions", "tags", "question", "reference", "answer", "reasoning"),
)
_EXACT = frozenset({"cost_usd"})
"""Written as text, and numbers all the same."""


def export_csv(run: ExportedRun) -> AsyncIterator[bytes]:
    return in_blocks(_rows(run))


async def _rows(run: ExportedRun) -> AsyncIterator[bytes]:
    yield _line(COLUMNS)
    async for prompt, result in run.results:
        values = _values(run, prompt, result)
        yield _line([_cell(column, values[column]) for column in COLUMNS])


def _line(cells: list[Cell] | tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode("utf-8", "replace")


def _cell(column: str, value: Cell) -> Cell:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and column not in _EXACT:
        return text_cell(value)
    return value


def _values(run: ExportedRun, prompt: Prompt, result: Result) -> dict[str, Cell]:
    record = request_record(run, prompt, result)
    return {
        "run_id": record.run_id,
        "seq": record.seq,
        "suite": run.plan.suite.id,
        "target": record.target,
        "label": record.label,
        "model": record.model,
        "prompt_id": record.prompt_id,
        "position": record.position,
        "repeat": record.repeat,
        "round": record.round,
        "warm_up": record.warm_up,
        "outcome": record.outcome.value,
        "passed": record.passed,
        "score": record.score,
        "failed_checks": "; ".join(f"{grade.check}: {grade.reason}" for grade in failed_checks(result)),
        "question": prompt.messages[-1].content if prompt.messages else None,
        "reference": prompt.reference,
        "tags": " ".join(prompt.tags),
        "finish_reason": record.finish_reason,
        "cautions": " ".join(record.cautions) or None,
        "answer": record.answer,
        "reasoning": record.reasoning,
        **_failure(record),
        **_timing(record),
        **_tokens(record),
    }


def _failure(record: RequestRecord) -> dict[str, Cell]:
    failure, first = record.failure, record.first_failure
    return {
        "failure_kind": failure.kind.value if failure else None,
        "failure_status": failure.status if failure else None,
        "failure_message": failure.message if failure else None,
        "attempts": record.attempts,
        "first_failure_kind": first.kind.value if first else None,
        "backoff_ms": record.backoff_ms,
    }


def _timing(record: RequestRecord) -> dict[str, Cell]:
    return {
        "sent_at": _time(record.sent_at),
        "ended_at": _time(record.ended_at),
        "streamed": record.streamed,
        "ttft_ms": record.ttft_ms,
        "ttfo_ms": record.ttfo_ms,
        "e2e_ms": record.e2e_ms,
        "tpot_ms": record.tpot_ms,
        "output_tokens_per_second": record.output_tokens_per_second,
        "connect_ms": record.connect_ms,
        "late_ms": record.late_ms,
    }


def _tokens(record: RequestRecord) -> dict[str, Cell]:
    tokens = record.tokens
    return {
        "input_tokens": tokens.input if tokens else None,
        "output_tokens": tokens.output if tokens else None,
        "reasoning_tokens": tokens.reasoning if tokens else None,
        "cached_tokens": tokens.cached if tokens else None,
        "token_source": tokens.source.value if tokens else None,
        "cost_usd": record.cost_usd,
    }


def _time(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
