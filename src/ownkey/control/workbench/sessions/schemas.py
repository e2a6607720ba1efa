"""Bodies and replies of `/workbench/sessions`. A key goes in and never comes out; only its mask does."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from ownkey.control.key_tests.schemas import Key
from ownkey.control.shapes import STRUCT, Body, Flag, Line, ModelName, Reply, Usd, instant, usd
from ownkey.control.workbench.runs.schemas import RunReply, show_run
from ownkey.storage.workbench import StoredRun, WorkbenchSession
from ownkey.workbench.endpoint import ConnectionCheck, Step
from ownkey.workbench.hosting import Limits, Receipt
from ownkey.workbench.preview import Preview, Share
from ownkey.workbench.records import Abilities, Target

Count = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
Milliseconds = Annotated[float, Field(gt=0, le=86_400_000)]


class PriceBody(Body):
    """Prices of a model, in USD per million tokens."""

    input_usd_per_million: Usd | Literal["0"]
    output_usd_per_million: Usd | Literal["0"]


class NewTarget(Body):
    """A model to test: an endpoint by `preset` or `endpoint_url` with its own `api_key`; or, for an account, a model or
    route of this gateway (neither), by one stored key if `credential` names it. `key_from` is one of the session's
    targets at the same address, whose key this one has too."""

    model: ModelName
    preset: Line | None = Field(None, max_length=64)
    endpoint_url: Line | None = Field(None, max_length=2048)
    api_key: Key | None = None
    key_from: Line | None = Field(None, max_length=100)
    credential: Line | None = Field(None, max_length=200)
    label: Line | None = Field(None, max_length=100)
    prices: PriceBody | None = None


class JudgeBody(Body):
    """The model that grades rubrics and prefers answers, through this gateway under your account."""

    model: ModelName
    credential: Line | None = Field(None, max_length=200)


class ObjectivesBody(Body):
    """What a request must meet to count for goodput, in milliseconds."""

    ttft_ms: Milliseconds | None = None
    tpot_ms: Milliseconds | None = None
    e2e_ms: Milliseconds | None = None


class NewRun(Body):
    """A run. `compare_with` is a model's name at the same endpoint, the id of one of the session's targets, or a new
    target; several are compared with several. Without `targets` the session's first one is tested."""

    suite_id: Line = Field(max_length=100)
    targets: list[Line] | None = Field(None, max_length=8)
    compare_with: ModelName | NewTarget | list[ModelName | NewTarget] | None = None
    limit: Count | None = None
    concurrency: Count = 1
    repeats: Count = 1
    warm_up: Annotated[int, Field(ge=0, le=20, strict=True)] = 0
    retries: Annotated[int, Field(ge=0, le=10, strict=True)] = 2
    max_tokens: Count = 1024
    temperature: Annotated[float, Field(ge=0, le=2)] | None = 0.7
    timeout_ms: Milliseconds = 60_000.0
    stream: Flag = True
    max_cost_usd: Usd | None = None
    judge: JudgeBody | None = None
    embedding_model: ModelName | None = None
    objectives: ObjectivesBody | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)] = 0


class TestBody(Body):
    """Which of the session's models to test; the first one unless said."""

    target_id: Line | None = Field(None, max_length=100)


class PricesReply(Reply):
    """Prices of a model, in USD per million tokens; `source` is `catalogue` or `user`."""

    input_usd_per_million: str
    output_usd_per_million: str
    source: str


class TermsReply(Reply):
    """`account` is the address of who is signed in, `limits` those of a session created now. With `simulated` every
    provider is the sandbox."""

    account: str | None
    limits: Annotated[Limits, STRUCT]
    simulated: bool


class TargetReply(Reply):
    """A model under test. `abilities` is what the connection test found out. Only the reply to a new model has a
    `key_hint`: its key looks like another provider's."""

    id: str
    label: str
    kind: str
    model: str
    preset: str | None
    base_url: str | None
    credential: str | None
    masked_key: str | None
    abilities: Annotated[Abilities, STRUCT]
    prices: PricesReply | None
    key_hint: str | None = None


class WorkbenchSessionReply(Reply):
    """A session. `token` is shown once, at creation; `limits` are the session's limits."""

    id: str
    token: str | None = None
    anonymous: bool
    created_at: str | None
    expires_at: str | None
    targets: list[TargetReply]
    runs: list[RunReply]
    limits: Annotated[Limits, STRUCT]


class PresetReply(Reply):
    """An endpoint by name. `provider` is its row in the catalogue, where it has one."""

    name: str
    label: str
    base_url: str | None
    needs_key: bool
    hint: str
    provider: str | None = None


class ConnectionReply(Reply):
    """What the connection test found. `advice` is the next thing to do; `models` are the endpoint's model names, if the
    requested one is not among them."""

    success: bool
    message: str
    advice: str
    latency_ms: float | None
    preview: str
    steps: list[Annotated[Step, STRUCT]]
    abilities: Annotated[Abilities, STRUCT]
    base_url: str | None
    models: list[str]


class ShareReply(Reply):
    """Calls of one kind, and what they may cost; null where no price is known."""

    calls: int
    likely_usd: str | None
    most_usd: str | None


class PreviewReply(Reply):
    """What a run may cost in all, for one try of each call; null where a price is not known. `calls` are those to the
    tested models; a judge's and those for embeddings come on top, and are told by themselves, too."""

    calls: int
    likely_usd: str | None
    most_usd: str | None
    answers: ShareReply
    judge: ShareReply
    embeddings: ShareReply


class ReceiptReply(Reply):
    """What an erasure deleted, by kind, and what it left."""

    session_id: str
    erased_at: str | None
    deleted: dict[str, int]
    runs: list[str]
    scrubbed: bool
    kept: list[str]


def show_target(target: Target, masked_key: str | None, key_hint: str | None = None) -> TargetReply:
    prices = target.prices
    return TargetReply(
        id=target.id,
        label=target.label,
        kind=target.kind.value,
        model=target.model,
        preset=target.preset,
        base_url=target.base_url,
        credential=target.credential,
        masked_key=masked_key,
        key_hint=key_hint,
        abilities=target.abilities,
        prices=None
        if prices is None
        else PricesReply(
            input_usd_per_million=usd(prices.input) or "0",
            output_usd_per_million=usd(prices.output) or "0",
            source=prices.source,
        ),
    )


def show_session(
    session: WorkbenchSession,
    targets: list[tuple[Target, str | None]],
    runs: list[StoredRun],
    limits: Limits,
    token: str | None = None,
) -> WorkbenchSessionReply:
    return WorkbenchSessionReply(
        id=session.id,
        token=token,
        anonymous=session.user_id is None,
        created_at=instant(session.created_at),
        expires_at=instant(session.expires_at),
        targets=[show_target(*each) for each in targets],
        runs=[show_run(run) for run in runs],
        limits=limits,
    )


def show_test(found: ConnectionCheck) -> ConnectionReply:
    return ConnectionReply(
        success=found.success,
        message=found.message,
        advice=found.advice,
        latency_ms=found.latency_ms,
        preview=found.preview,
        steps=list(found.steps),
        abilities=found.abilities,
        base_url=found.base_url,
        models=list(found.models),
    )


def _show_share(share: Share) -> ShareReply:
    return ShareReply(calls=share.calls, likely_usd=usd(share.likely), most_usd=usd(share.most))


def show_preview(preview: Preview) -> PreviewReply:
    return PreviewReply(
        calls=preview.answers.calls,
        likely_usd=usd(preview.likely),
        most_usd=usd(preview.most),
        answers=_show_share(preview.answers),
        judge=_show_share(preview.judge),
        embeddings=_show_share(preview.embeddings),
    )


def show_receipt(receipt: Receipt) -> ReceiptReply:
    return ReceiptReply(
        session_id=receipt.session_id,
        erased_at=instant(receipt.at),
        deleted=receipt.deleted,
        runs=list(receipt.run_ids),
        scrubbed=receipt.scrubbed,
        kept=list(receipt.kept),
    )


def key_of(body: NewTarget) -> SecretStr | None:
    """The key that was sent, None where none was."""
    return body.api_key if body.api_key is not None and body.api_key.get_secret_value() else None
