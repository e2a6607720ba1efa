"""Bodies, replies and events of `/workbench/runs`. Money is in USD, times are in milliseconds."""

from typing import Annotated, Literal

from pydantic import Field

from ownkey.control.routes.schemas import RouteName
from ownkey.control.shapes import STRUCT, Body, Flag, Reply, instant, usd
from ownkey.storage.workbench import RunProgress, StoredRun
from ownkey.workbench.endpoint import advice
from ownkey.workbench.records import Failure, Grade, Message, Prompt, Result, RunPlan, RunStatus
from ownkey.workbench.summary import RunSummary

Status = Literal["pending", "running", "completed", "failed", "cancelled"]


class Turn(Body):
    """One turn of the talk about the results."""

    role: Literal["user", "assistant"]
    content: Annotated[str, Field(min_length=1, max_length=20_000)]


class Question(Body):
    """A question to the tested model about its results, after the turns before it. `target` is the model's index in
    the run; `context_tokens` is the size of its context, if you know it."""

    messages: list[Turn] = Field(min_length=1, max_length=100)
    target: Annotated[int, Field(ge=0, le=7, strict=True)] = 0
    context_tokens: Annotated[int, Field(ge=1000, le=2_000_000, strict=True)] | None = None
    max_tokens: Annotated[int, Field(ge=16, le=1024, strict=True)] = 1024


class Promotion(Body):
    """`name` becomes a route of yours to the winner of the run, or to the model at index `target`."""

    name: RouteName
    target: Annotated[int, Field(ge=0, le=7, strict=True)] | None = None
    shadow: Flag = False


class Progress(Reply):
    """How many calls of a run have a result."""

    done: int
    total: int


class RunReply(Reply):
    """A run without its results."""

    id: str
    session_id: str
    suite_id: str
    status: Status
    detail: str
    round: int
    progress: Progress
    created_at: str | None
    started_at: str | None
    ended_at: str | None


class FailureReply(Reply):
    """Why a call has no answer, and what to do about it."""

    kind: str
    message: str
    status: int | None
    advice: str


class ResultReply(Reply):
    """The result of one call, with its prompt. `seq` numbers a run's results in the order of their arrival."""

    seq: int
    target: int
    prompt_id: str
    position: int
    repeat: int
    warm_up: bool
    status: Literal["ok", "failed"]
    passed: bool | None
    score: float | None
    prompt: list[Annotated[Message, STRUCT]]
    answer: str
    reasoning: str
    finish_reason: str | None
    grades: list[Annotated[Grade, STRUCT]]
    failure: FailureReply | None
    attempts: int
    first_failure: FailureReply | None
    backoff_ms: float
    cautions: list[str]
    latency_ms: float | None
    ttft_ms: float | None
    ttfo_ms: float | None
    input_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    tokens_source: Literal["server", "estimated"] | None
    cost_usd: str | None
    streamed: bool


class RunDetail(RunReply):
    """A run with its plan, its figures (docs/metrics.md) and its first results."""

    plan: Annotated[RunPlan, STRUCT]
    metrics: Annotated[RunSummary, STRUCT]
    results: list[ResultReply]


class PromotedReply(Reply):
    """The new route, and why this model was chosen."""

    id: str
    name: str
    model: str
    credential_id: str | None
    target: int
    words: str


class ProgressEvent(Reply):
    """Event `progress`."""

    status: Status
    round: int
    done: int
    total: int


class DoneEvent(RunReply):
    """Event `done`: the run as it ended, with its figures."""

    metrics: Annotated[RunSummary, STRUCT]


class ErasedEvent(Reply):
    """Event `done` of a run that was erased."""

    id: str
    status: Literal["erased"] = "erased"


class DeltaEvent(Reply):
    """Event `delta`: a piece of the tested model's answer to a question."""

    text: str


class AnsweredEvent(Reply):
    """Event `done` of an answer. `left_out` prompts were not described to the model one by one, for lack of room."""

    left_out: int
    context_tokens: int


class ErrorEvent(Reply):
    """Event `error`: why the answer ended early, and what to do."""

    kind: str
    message: str
    advice: str


def show_run(row: StoredRun) -> RunReply:
    return RunReply(
        id=row.id,
        session_id=row.session_id,
        suite_id=row.suite_id,
        status=_status(row.status),
        detail=row.detail,
        round=row.round,
        progress=Progress(done=row.done, total=row.total),
        created_at=instant(row.created_at),
        started_at=instant(row.started_at),
        ended_at=instant(row.ended_at),
    )


def show_progress(progress: RunProgress) -> ProgressEvent:
    return ProgressEvent(
        status=_status(progress.status), round=progress.round, done=progress.done, total=progress.total
    )


def show_result(prompt: Prompt, result: Result) -> ResultReply:
    """One result, with its prompt."""
    seen, slot = result.observation, result.slot
    timing, tokens = seen.timing, seen.tokens
    return ResultReply(
        seq=result.seq,
        target=slot.target,
        prompt_id=result.prompt_id,
        position=slot.position,
        repeat=slot.repeat,
        warm_up=result.warm_up,
        status="ok" if seen.ok else "failed",
        passed=result.passed,
        score=result.score,
        prompt=list(prompt.messages),
        answer=seen.text,
        reasoning=seen.reasoning,
        finish_reason=seen.finish_reason,
        grades=list(result.grades),
        failure=_failure(seen.failure),
        attempts=seen.attempts,
        first_failure=_failure(seen.first_failure),
        backoff_ms=seen.backoff_ms,
        cautions=list(seen.cautions),
        latency_ms=timing.e2e_ms,
        ttft_ms=timing.ttft_ms if seen.streamed else None,
        ttfo_ms=timing.ttfo_ms if seen.streamed else None,
        input_tokens=None if tokens is None else tokens.input,
        output_tokens=None if tokens is None else tokens.output,
        reasoning_tokens=None if tokens is None else tokens.reasoning,
        tokens_source=None if tokens is None else tokens.source.value,
        cost_usd=usd(seen.cost),
        streamed=seen.streamed,
    )


def _status(text: str) -> Status:
    return RunStatus(text).value


def _failure(failure: Failure | None) -> FailureReply | None:
    if failure is None:
        return None
    return FailureReply(
        kind=failure.kind.value, message=failure.message, status=failure.status, advice=advice(failure.kind)
    )
