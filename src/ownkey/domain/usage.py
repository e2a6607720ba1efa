"""What a request consumed, and its record."""

from enum import StrEnum

from msgspec import Struct


class Usage(Struct, frozen=True):
    """Token counts of one answer.

    `input_tokens` includes cached reads and cache writes; `output_tokens` includes reasoning, as in
    OpenAI's chat format. `cache_write_hour_tokens` are those of `cache_write_tokens` that are cached for an hour.
    `reported` is False when the counts are our estimate. `units` is how many times the price of one request is due:
    search units of a rerank, 1 for everything else. `cost` is what the provider says the answer cost, in nano-dollars.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    reported: bool = True
    units: int = 1
    cache_write_hour_tokens: int = 0
    cost: int | None = None


class RequestStatus(StrEnum):
    """How a request ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    """The client left before the end."""
    INTERRUPTED = "interrupted"
    """The process died before the end; usage is the estimate made at the start."""


class RequestRecord(Struct, kw_only=True, array_like=True):
    """One row of usage: written once for every accepted request, keyed by `id`.

    The gateway fills in one record during the request; everyone else leaves it as it is.

    `at` is Unix seconds; costs are nano-dollars; latencies are milliseconds. `detail` is JSON:
    the attempts made and the candidates dropped, shown in the receipt.
    Four amounts: `reserved`, the most that the request could cost when it was admitted; `counted`, what limits count
    it as; `list_cost`, the provider's list price; `charged`, what the tenant pays.
    Encoded as an array: new fields go to the end and carry defaults.
    """

    id: str
    at: float
    user_id: str
    owner_scope: str
    owner_id: str
    api_key_id: str | None
    model: str
    upstream_model: str
    provider: str
    credential_id: str | None
    payer: str
    client_format: str
    status: str
    http_status: int
    streamed: bool
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    usage_reported: bool = False
    list_cost: int = 0
    charged: int = 0
    latency_ms: float = 0.0
    ttft_ms: float | None = None
    attempts: int = 0
    error: str | None = None
    detail: str = "{}"
    reserved: int = 0
    counted: int = 0
