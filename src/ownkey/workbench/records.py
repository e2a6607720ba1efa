"""The workbench's words, shared by everything in it. Pure.

Times of day are Unix seconds, durations milliseconds, money nano-dollars, tokens the server's own count.
"""

from enum import StrEnum
from typing import Any

from msgspec import Struct

_PER_MILLION = 1_000_000


class Message(Struct, frozen=True):
    """One turn of a prompt; `role` is system, user or assistant."""

    role: str
    content: str


class Check(Struct, frozen=True, omit_defaults=True):
    """What an answer must satisfy.

    `type` is one of promptfoo's names (`equals`, `contains`, `regex`, `is-json`, `latency`, `cost`, `llm-rubric`,
    `similar`, …), with `not-` before it to turn it round. `value` is what the type compares with: a text, a list of
    texts, a JSON schema, a rubric. `threshold` is a limit: milliseconds for `latency`, USD for `cost`, a score from
    0 to 1 for the graded types.
    """

    type: str
    value: Any = None
    threshold: float | None = None
    weight: float = 1.0


class Prompt(Struct, frozen=True, omit_defaults=True):
    """One question of a suite. `id` is unique within it; `reference` is a good answer, where there is one.

    `threshold` is the share of the checks' weight that must pass, None for all of them.
    """

    id: str
    messages: tuple[Message, ...]
    checks: tuple[Check, ...] = ()
    reference: str | None = None
    tags: tuple[str, ...] = ()
    max_tokens: int | None = None
    description: str = ""
    threshold: float | None = None


class SuiteInfo(Struct, frozen=True, kw_only=True):
    """A suite without its prompts. `task` and `difficulty` are set for curated ones; `licence` is an SPDX id."""

    id: str
    name: str
    description: str = ""
    task: str | None = None
    difficulty: str | None = None
    licence: str | None = None
    curated: bool = False
    prompts: int


class EndpointKind(StrEnum):
    """How a model is reached."""

    DIRECT = "direct"
    """A base URL with a key of its own, OpenAI's chat format."""
    GATEWAY = "gateway"
    """This gateway, under the caller's account: a model name, a route, or a model by one stored credential."""


class Prices(Struct, frozen=True):
    """Nano-dollars per million tokens; `source` is where they come from: `catalogue` or `user`."""

    input: int
    output: int
    source: str

    def cost(self, input_tokens: int, output_tokens: int) -> int:
        """Nano-dollars, rounded up."""
        return -(-(input_tokens * self.input + output_tokens * self.output) // _PER_MILLION)


class Abilities(Struct, frozen=True, omit_defaults=True):
    """What an endpoint was found able to do; None is not known. Later calls adapt to it.

    `token_limit` is the field that bounds an answer (`max_tokens` or `max_completion_tokens`), `reasoning_field` the
    one in which deltas carry reasoning. `tokens_per_chunk` is an average of one short answer.
    """

    streaming: bool | None = None
    stream_usage: bool | None = None
    token_limit: str | None = None
    temperature: bool | None = None
    system_role: bool | None = None
    tools: bool | None = None
    json_mode: bool | None = None
    reasoning_field: str | None = None
    tokens_per_chunk: float | None = None


class Target(Struct, frozen=True, kw_only=True):
    """A model under test. Its key is not here.

    `base_url` is set for a direct endpoint (the part before `/chat/completions`), `credential` may name the stored
    key by which the gateway reaches the model. `preset` is the name it was chosen by.
    """

    id: str
    label: str
    kind: EndpointKind
    model: str
    base_url: str | None = None
    credential: str | None = None
    preset: str | None = None
    abilities: Abilities = Abilities()
    prices: Prices | None = None


class Sampling(Struct, frozen=True):
    """How a model is called. `timeout_ms` bounds one call from sending to the last byte."""

    max_tokens: int = 1024
    temperature: float | None = 0.7
    timeout_ms: float = 60_000.0
    stream: bool = True


class FailureKind(StrEnum):
    """Why a call has no answer; `endpoint.advice` says what to do about each."""

    TIMEOUT = "timeout"
    AUTH = "auth"
    MODEL_NOT_FOUND = "model_not_found"
    RATE_LIMIT = "rate_limit"
    CONTEXT_LENGTH = "context_length"
    CONTENT_FILTER = "content_filter"
    NETWORK = "network"
    TLS = "tls"
    BLOCKED_ADDRESS = "blocked_address"
    MALFORMED_RESPONSE = "malformed_response"
    SERVER_ERROR = "server_error"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class Failure(Struct, frozen=True, omit_defaults=True):
    """A call that failed. `message` holds no key and at most 300 characters of what the endpoint said.

    `retry_after_ms` is the wait that the endpoint requested.
    """

    kind: FailureKind
    message: str
    status: int | None = None
    retry_after_ms: float | None = None


class TokenSource(StrEnum):
    SERVER = "server"
    ESTIMATED = "estimated"
    """Counted by us from the text, because the endpoint did not say."""


class Tokens(Struct, frozen=True, omit_defaults=True):
    """Token counts of one call. `output` contains `reasoning`, `input` contains `cached`."""

    input: int
    output: int
    reasoning: int = 0
    cached: int = 0
    source: TokenSource = TokenSource.SERVER


class Timing(Struct, frozen=True, omit_defaults=True):
    """When things happened in one call, by a monotonic clock, stamped when bytes arrived.

    `sent_at` and `ended_at` are Unix seconds of that clock anchored once per process, so that differences are
    monotonic. The others are milliseconds since the request was sent (for open-loop load: since it was due, with
    `late_ms` being how much later it was sent): `ttft_ms` the first non-empty content or reasoning delta, `ttfo_ms`
    the first that is not reasoning, `e2e_ms` the last content. `gaps_ms` lie between content chunks. `connect_ms` is
    what name, TCP and TLS took before, None on a connection that was open already.
    """

    sent_at: float
    ended_at: float
    ttft_ms: float | None = None
    ttfo_ms: float | None = None
    e2e_ms: float | None = None
    gaps_ms: tuple[float, ...] = ()
    connect_ms: float | None = None
    late_ms: float = 0.0


class Observation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one prompt to one model came to, its retries included.

    `timing` is that of the last attempt. `attempts` counts calls; `backoff_ms` is the time waited between them, which
    is in no latency. `first_failure` is what the first attempt failed with, if it did. `failure` is None for an answer.
    `streamed` is False where the endpoint answered in one piece: then the first token's time is the last's.
    `cautions` are sentences about what may not be taken at its word, such as a usage that cannot be right.
    """

    timing: Timing
    text: str = ""
    reasoning: str = ""
    finish_reason: str | None = None
    tokens: Tokens | None = None
    cost: int | None = None
    streamed: bool = True
    failure: Failure | None = None
    attempts: int = 1
    backoff_ms: float = 0.0
    first_failure: Failure | None = None
    cautions: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.failure is None


class Grade(Struct, frozen=True, omit_defaults=True):
    """What one check found. `passed` None: it could not be graded, and `reason` says why (it does not count)."""

    check: str
    passed: bool | None
    score: float | None = None
    reason: str = ""
    weight: float = 1.0


class Slot(Struct, frozen=True, order=True):
    """Which call of a run: target by index, prompt by position in the suite, repetition; all from 0."""

    target: int
    position: int
    repeat: int


class Result(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One slot's result. `seq` counts a run's results in the order in which they came, from 1. `warm_up` results are
    reported beside the figures and not in them. `passed` is None when no check could decide."""

    slot: Slot
    prompt_id: str
    observation: Observation
    grades: tuple[Grade, ...] = ()
    passed: bool | None = None
    score: float | None = None
    seq: int = 0
    round: int = 1
    warm_up: bool = False


class Arrival(StrEnum):
    """How load comes. Closed loop: the next call when one ends. The others: by a schedule, whatever comes back."""

    CLOSED = "closed"
    CONSTANT = "constant"
    POISSON = "poisson"


class Objectives(Struct, frozen=True, omit_defaults=True):
    """What a request must meet to count for goodput, in milliseconds; None is no objective."""

    ttft_ms: float | None = None
    tpot_ms: float | None = None
    e2e_ms: float | None = None


class Judge(Struct, frozen=True):
    """The model that grades rubrics and prefers answers, reached through the gateway under the caller's account."""

    model: str
    credential: str | None = None


class RunPlan(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that defines a run, fixed at its creation, so that it can continue after a crash.

    `limit` takes the first prompts of the suite. `rate` is requests per second for arrivals that are not closed.
    `max_cost` in nano-dollars ends the run before it could be exceeded, by the judge and embeddings, too. `peer` is the
    address from which a run that goes through this gateway was asked for: API keys and credentials may be bound to
    addresses. No export has it.
    """

    suite: SuiteInfo
    targets: tuple[Target, ...]
    limit: int | None = None
    concurrency: int = 1
    repeats: int = 1
    warm_up: int = 0
    sampling: Sampling = Sampling()
    retries: int = 2
    max_cost: int | None = None
    judge: Judge | None = None
    judge_prices: Prices | None = None
    embedding_model: str | None = None
    embedding_prices: Prices | None = None
    objectives: Objectives = Objectives()
    arrival: Arrival = Arrival.CLOSED
    rate: float | None = None
    seed: int = 0
    deadline_ms: float | None = None
    peer: str = ""

    @property
    def prompts(self) -> int:
        return min(self.limit or self.suite.prompts, self.suite.prompts)

    @property
    def total(self) -> int:
        """Calls of the run, warm-up not counted."""
        return self.prompts * self.repeats * len(self.targets)


class RunStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    """Every prompt failed, or the run itself broke."""
    CANCELLED = "cancelled"
