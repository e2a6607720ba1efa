"""Rows of the workbench as values. Times are Unix seconds; `body`, `plan`, `summary` and `spending` are
JSON."""

from msgspec import Struct


class WorkbenchSession(Struct, frozen=True, kw_only=True):
    """Exactly one of `user_id` and `peer_hash` is set. `api_key_id` is the key whose limits hold for the session."""

    id: str
    token_hash: bytes
    user_id: str | None = None
    api_key_id: str | None = None
    peer_hash: bytes | None = None
    created_at: float
    expires_at: float

    @property
    def tenant(self) -> str:
        """Under whose data key its secrets are sealed: its user's, or one of its own that goes with it."""
        return f"user:{self.user_id}" if self.user_id is not None else f"workbench:{self.id}"


class StoredTarget(Struct, frozen=True, kw_only=True):
    """A model under test. `sealed` is its key, None where it has none of its own."""

    id: str
    session_id: str
    body: bytes
    masked_key: str | None = None
    sealed: bytes | None = None
    created_at: float


class StoredSuite(Struct, frozen=True, kw_only=True):
    """An uploaded suite, without its prompts: of a session, or of a user. `size` is in bytes."""

    id: str
    session_id: str | None = None
    user_id: str | None = None
    name: str
    description: str
    prompts: int
    size: int
    created_at: float


class StoredRun(Struct, frozen=True, kw_only=True):
    """A run. `done` counts results that are not warm-up; `round` how often it was started, from 1."""

    id: str
    session_id: str
    suite_id: str
    plan: bytes
    status: str
    detail: str = ""
    round: int = 1
    done: int = 0
    total: int
    summary: bytes | None = None
    spending: bytes | None = None
    cancel_requested: bool = False
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None


class RunProgress(Struct, frozen=True):
    """What changes during a run."""

    status: str
    done: int
    total: int
    round: int
    cancel_requested: bool


class StoredResult(Struct, frozen=True):
    """One result. `seq` orders a run's results as they came; `body` is JSON."""

    target: int
    position: int
    repeat: int
    seq: int
    round: int
    ok: bool
    body: bytes


class StoredJudgement(Struct, frozen=True):
    """A judge's verdict (`a`, `b` or `cannot_tell`) on one pair of answers, target 0's and target `other`'s."""

    other: int
    position: int
    verdict: str
    flipped: bool


class ErasedSession(Struct, frozen=True):
    """How many rows of each kind went with a session, and the ids of its runs, whose jobs must go too."""

    run_ids: tuple[str, ...]
    keys: int
    targets: int
    suites: int
    prompts: int
    runs: int
    results: int
    data_keys: int
